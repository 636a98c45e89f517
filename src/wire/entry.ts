// What contracts of a block are called for: an operation of it, a message of another chain, a slot that closed, a deadline that passed.
// Behind them stands what the block holds against somebody, which calls nobody here.
// Each has a name by which results, effects and violations say what they come from.

import { BLOCK_RECORDS_MAX, CODE_MAX, MESSAGE_NUMBER_MAX, SLOT_PARTS_MAX, TIME_S_MAX } from "./bounds.js";
import type { CborValue } from "./cbor.js";
import { WireError } from "./error.js";
import { networkName } from "./genesis.js";
import { asArray, asService, asText, asUint } from "./shape.js";

/** Bytes of a deadline's key in UTF-8. */
export const DUE_KEY_BYTES_MAX = 128;

/** In the order in which a block calls for them. */
export const entryKinds = { operation: 0, message: 1, slot: 2, due: 3, violations: 4 } as const;
export type EntryKind = keyof typeof entryKinds;
/** Those that contracts are called for. */
export type CalledKind = Exclude<EntryKind, "violations">;

export type Entry =
  /** the leaf of the operation */
  | { readonly kind: "operation"; readonly leaf: number }
  /** the chain that it comes from, and its number among those from there to here */
  | { readonly kind: "message"; readonly service: number; readonly number: number }
  /** UTC seconds of its begin; part of its points, from 0 */
  | { readonly kind: "slot"; readonly start_s: number; readonly part: number }
  /** UTC seconds from which on it is due, and who named it */
  | { readonly kind: "due"; readonly time_s: number; readonly contract: string; readonly key: string }
  /** what the block holds against somebody: the rules tell it to the contracts chain, and call nobody here */
  | { readonly kind: "violations" };
/** One that contracts are called for. */
export type CalledEntry = Extract<Entry, { readonly kind: CalledKind }>;

export function entryToArray(entry: Entry): CborValue {
  switch (entry.kind) {
    case "operation":
      return [entryKinds.operation, entry.leaf];
    case "message":
      return [entryKinds.message, entry.service, entry.number];
    case "slot":
      return [entryKinds.slot, entry.start_s, entry.part];
    case "due":
      return [entryKinds.due, entry.time_s, entry.contract, entry.key];
    case "violations":
      return [entryKinds.violations];
  }
}

/** Reads an entry's name; throws a WireError where it is malformed. */
export function entryFromArray(value: CborValue | undefined): Entry {
  const items = asArray(value, "entry");
  const kind = asUint(items[0], "entry kind", CODE_MAX);
  switch (kind) {
    case entryKinds.operation: {
      const [, leaf] = asArray(items, "entry of an operation", 2);
      return { kind: "operation", leaf: asUint(leaf, "entry's leaf", BLOCK_RECORDS_MAX) };
    }
    case entryKinds.message: {
      const [, service, number] = asArray(items, "entry of a message", 3);
      return {
        kind: "message",
        service: asService(service, "entry's chain"),
        number: asUint(number, "entry's number", MESSAGE_NUMBER_MAX),
      };
    }
    case entryKinds.slot: {
      const [, start, part] = asArray(items, "entry of a slot", 3);
      return {
        kind: "slot",
        start_s: asUint(start, "entry's begin", TIME_S_MAX),
        part: asUint(part, "entry's part", SLOT_PARTS_MAX),
      };
    }
    case entryKinds.due: {
      const [, time_s, contract, key] = asArray(items, "entry of a deadline", 4);
      return {
        kind: "due",
        time_s: asUint(time_s, "entry's time", TIME_S_MAX),
        contract: networkName(contract, "entry's contract"),
        key: asText(key, "entry's key", DUE_KEY_BYTES_MAX),
      };
    }
    case entryKinds.violations:
      asArray(items, "entry of violations", 1);
      return { kind: "violations" };
    default:
      throw new WireError("unsupported", `entry kind ${kind} is not known`);
  }
}

/** Whether two names are of one entry. */
export function isSameEntry(left: Entry, right: Entry): boolean {
  return entryText(left) === entryText(right);
}

/** An entry as it is shown: `operation 3`, `message 2/17`, `slot 1790000100/0`, `due 1790000100 market round/7`, `violations`. */
export function entryText(entry: Entry): string {
  switch (entry.kind) {
    case "operation":
      return `operation ${entry.leaf}`;
    case "message":
      return `message ${entry.service}/${entry.number}`;
    case "slot":
      return `slot ${entry.start_s}/${entry.part}`;
    case "due":
      return `due ${entry.time_s} ${entry.contract} ${entry.key}`;
    case "violations":
      return "violations";
  }
}
