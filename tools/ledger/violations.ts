// What a chain records against meters and nodes, and how a block's results say it.

import { BATCH_NUMBER_MAX, SEQ_MAX } from "../../src/wire/bounds.js";
import { type CborValue, decodeCbor, encodeCbor } from "../../src/wire/cbor.js";
import { type Entry, entryFromArray, entryToArray } from "../../src/wire/entry.js";
import { WireError } from "../../src/wire/error.js";
import { networkName } from "../../src/wire/genesis.js";
import { type EntryOutcome, outcomesFromArray, outcomesToArray, resultsParts } from "../../src/wire/outcome.js";
import { asArray, asBytes, asHeight, asText, asUint } from "../../src/wire/shape.js";
import { type SealedSlot, slotsFromArray, slotsToArray } from "../../src/wire/slot.js";

/**
 * 1: records are missing, up to the number `detail` · 2: the record `detail` was signed for a number that another one is sealed
 * with · 3: the sealed record of hash `detail` names another predecessor than the sealed one · 4: a node signed two statements for
 * one height, round and type · 5: a node signed that it had verified a temporary block with a record that does not verify · 6: what a
 * contract says, for the entry, against whoever has the id.
 */
export const violationKinds = {
  gap: 1,
  fork: 2,
  link: 3,
  equivocation: 4,
  falseAcknowledgement: 5,
  contract: 6,
} as const;
export type ViolationKind = keyof typeof violationKinds;

export interface MeterViolation {
  readonly kind: Exclude<ViolationKind, NodeViolation["kind"] | "contract">;
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

/** What a contract says against a meter, a node or a participant. */
export interface ContractViolation {
  readonly kind: "contract";
  readonly subject: Uint8Array;
  /** that the contract ran for */
  readonly entry: Entry;
  readonly contract: string;
  readonly name: string;
  /** an encoded value */
  readonly body: Uint8Array;
}

export type NodeViolation = Equivocation | FalseAcknowledgement;
export type Violation = MeterViolation | NodeViolation | ContractViolation;

/** What a block's rules and contracts found, what has become of its entries, and which slots close. */
export interface Results {
  readonly violations: readonly Violation[];
  readonly outcomes: readonly EntryOutcome[];
  readonly slots: readonly SealedSlot[];
}

/** What a block's results say; throws a WireError where they are malformed. */
export function decodeResults(bytes: Uint8Array): Results {
  const [violations, outcomes, slots] = resultsParts(bytes);
  return {
    violations: violationsFrom(violations),
    outcomes: outcomesFromArray(outcomes),
    slots: slotsFromArray(slots),
  };
}

function violationsFrom(value: CborValue | undefined): Violation[] {
  return asArray(value, "violations").map(violationFrom);
}

function violationFrom(row: CborValue): Violation {
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
  if (kind === "contract") return contractViolation(id, number, detail);
  return {
    kind,
    meter: asBytes(id, "violation meter", 8),
    seq: asUint(number, "violation seq", SEQ_MAX),
    detail: kind === "gap" ? asUint(detail, "gap end", SEQ_MAX) : asBytes(detail, "violation detail"),
  };
}

const rowLimits = { size: 131_072, items: 16 };

/** One violation as it stands in a block's results. */
export function encodeViolation(violation: Violation): Uint8Array {
  return encodeCbor(violationToArray(violation));
}

/** Throws a WireError where the bytes are no violation. */
export function decodeViolation(bytes: Uint8Array): Violation {
  return violationFrom(decodeCbor(bytes, rowLimits));
}

/** Id of whom a violation is said against: a meter or participant, or a node. */
export function subjectOf(violation: Violation): Uint8Array {
  if (violation.kind === "contract") return violation.subject;
  return isOfNode(violation) ? violation.node : violation.meter;
}

/** What a rule of a contract is called in a question; undefined of a native one, whose kind says all. */
export function ruleOf(violation: Violation): string | undefined {
  return violation.kind === "contract" ? `${violation.contract}/${violation.name}` : undefined;
}

/** Of the record, of the height voted on, or of the temporary block; null of a contract's. */
export function numberOf(violation: Violation): number | null {
  if (violation.kind === "contract") return null;
  if (violation.kind === "equivocation") return violation.height;
  return violation.kind === "falseAcknowledgement" ? violation.number : violation.seq;
}

function contractViolation(
  subject: CborValue | undefined,
  entry: CborValue | undefined,
  detail: CborValue | undefined,
) {
  const [contract, name, body] = asArray(detail, "contract's violation", 3);
  return {
    kind: "contract",
    subject: asBytes(subject, "violation subject", 8),
    entry: entryFromArray(entry),
    contract: networkName(contract, "violation contract"),
    name: asText(name, "violation name"),
    body: asBytes(body, "violation body"),
  } as const;
}

/** Deterministic CBOR of what a block's rules found: violations, outcomes, closed slots. */
export function encodeResults({ violations, outcomes, slots }: Results): Uint8Array {
  return encodeCbor([violations.map(violationToArray), outcomesToArray(outcomes), slotsToArray(slots)]);
}

function violationToArray(violation: Violation): CborValue {
  const code = violationKinds[violation.kind];
  switch (violation.kind) {
    case "equivocation":
      return [code, violation.node, violation.height, violation.evidence];
    case "falseAcknowledgement":
      return [code, violation.node, violation.number, violation.evidence];
    case "contract":
      return [
        code,
        violation.subject,
        entryToArray(violation.entry),
        [violation.contract, violation.name, violation.body],
      ];
    default:
      return [code, violation.meter, violation.seq, violation.detail];
  }
}

/** Whether the violation is a node's, which its evidence proves. */
export function isOfNode(violation: Violation): violation is NodeViolation {
  return violation.kind === "equivocation" || violation.kind === "falseAcknowledgement";
}
