// What a chain records against meters and nodes, and how a block's results say it.

import { SEQ_MAX } from "../../src/wire/bounds.js";
import { type CborValue, decodeCbor, encodeCbor } from "../../src/wire/cbor.js";
import { WireError } from "../../src/wire/error.js";
import { asArray, asBytes, asHeight, asUint } from "../../src/wire/shape.js";

/**
 * 1: records are missing, up to the number `detail` · 2: the record `detail` was signed for a number that another one is sealed
 * with · 3: the sealed record of hash `detail` names another predecessor than the sealed one · 4: a node signed two statements for
 * one height, round and type.
 */
export const violationKinds = { gap: 1, fork: 2, link: 3, equivocation: 4 } as const;
export type ViolationKind = keyof typeof violationKinds;

export interface MeterViolation {
  readonly kind: Exclude<ViolationKind, "equivocation">;
  readonly meter: Uint8Array;
  readonly seq: number;
  /** gap: the last missing number; fork: the second record, which proves it; link: the record's hash */
  readonly detail: number | Uint8Array;
}

export interface Equivocation {
  readonly kind: "equivocation";
  readonly node: Uint8Array;
  readonly height: number;
  /** both statements with their signatures, encoded */
  readonly evidence: Uint8Array;
}

export type Violation = MeterViolation | Equivocation;

/** What a block's results say; throws a WireError where they are malformed. */
export function decodeResults(bytes: Uint8Array): Violation[] {
  return asArray(decodeCbor(bytes, { size: bytes.length, items: 65_536 }), "results").map((row) => {
    const [code, id, number, detail] = asArray(row, "violation", 4);
    const kind = (Object.keys(violationKinds) as ViolationKind[]).find((known) => violationKinds[known] === code);
    if (kind === undefined) throw new WireError("unsupported", `violation kind ${String(code)} is not known`);
    if (kind === "equivocation") {
      const node = asBytes(id, "violation node", 8);
      return { kind, node, height: asHeight(number, "violation height"), evidence: asBytes(detail, "evidence") };
    }
    return {
      kind,
      meter: asBytes(id, "violation meter", 8),
      seq: asUint(number, "violation seq", SEQ_MAX),
      detail: kind === "gap" ? asUint(detail, "gap end", SEQ_MAX) : asBytes(detail, "violation detail"),
    };
  });
}

/** Deterministic CBOR of what a block's rules found: [* [kind, meter, seq, detail] / [4, node, height, evidence]]. */
export function encodeResults(violations: readonly Violation[]): Uint8Array {
  const rows: CborValue[] = violations.map((violation) =>
    violation.kind === "equivocation"
      ? [violationKinds.equivocation, violation.node, violation.height, violation.evidence]
      : [violationKinds[violation.kind], violation.meter, violation.seq, violation.detail],
  );
  return encodeCbor(rows);
}
