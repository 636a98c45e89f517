// What a chain records against meters and nodes, and how a block's results say it.

import { BATCH_NUMBER_MAX, SEQ_MAX } from "../../src/wire/bounds.js";
import { type CborValue, decodeCbor, encodeCbor } from "../../src/wire/cbor.js";
import { WireError } from "../../src/wire/error.js";
import { asArray, asBytes, asHeight, asUint } from "../../src/wire/shape.js";

/**
 * 1: records are missing, up to the number `detail` · 2: the record `detail` was signed for a number that another one is sealed
 * with · 3: the sealed record of hash `detail` names another predecessor than the sealed one · 4: a node signed two statements for
 * one height, round and type · 5: a node signed that it had verified a temporary block with a record that does not verify.
 */
export const violationKinds = { gap: 1, fork: 2, link: 3, equivocation: 4, falseAcknowledgement: 5 } as const;
export type ViolationKind = keyof typeof violationKinds;

export interface MeterViolation {
  readonly kind: Exclude<ViolationKind, NodeViolation["kind"]>;
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

export interface FalseAcknowledgement {
  readonly kind: "falseAcknowledgement";
  readonly node: Uint8Array;
  /** of the temporary block */
  readonly number: number;
  /** the record with what the node signed, encoded */
  readonly evidence: Uint8Array;
}

export type NodeViolation = Equivocation | FalseAcknowledgement;
export type Violation = MeterViolation | NodeViolation;

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
    if (kind === "falseAcknowledgement") {
      const node = asBytes(id, "violation node", 8);
      const temporary = asUint(number, "violation number", BATCH_NUMBER_MAX);
      return { kind, node, number: temporary, evidence: asBytes(detail, "evidence") };
    }
    return {
      kind,
      meter: asBytes(id, "violation meter", 8),
      seq: asUint(number, "violation seq", SEQ_MAX),
      detail: kind === "gap" ? asUint(detail, "gap end", SEQ_MAX) : asBytes(detail, "violation detail"),
    };
  });
}

/** Deterministic CBOR of what a block's rules found: [* [kind, meter, seq, detail] / [4, node, height, evidence] / [5, node, number, evidence]]. */
export function encodeResults(violations: readonly Violation[]): Uint8Array {
  return encodeCbor(violations.map(violationToArray));
}

function violationToArray(violation: Violation): CborValue {
  const code = violationKinds[violation.kind];
  switch (violation.kind) {
    case "equivocation":
      return [code, violation.node, violation.height, violation.evidence];
    case "falseAcknowledgement":
      return [code, violation.node, violation.number, violation.evidence];
    default:
      return [code, violation.meter, violation.seq, violation.detail];
  }
}

/** Whether the violation is a node's, which its evidence proves. */
export function isOfNode(violation: Violation): violation is NodeViolation {
  return violation.kind === "equivocation" || violation.kind === "falseAcknowledgement";
}
