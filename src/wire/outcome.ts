// What has become of a block's entries, and what contracts have put out: each outcome, effect and message is a leaf of the block's
// Merkle tree behind the records, so that it has a receipt as a record has.

import { CODE_MAX, MESSAGE_HOPS_MAX, MESSAGE_NUMBER_MAX } from "./bounds.js";
import { type CborValue, decodeCbor, encodeCbor } from "./cbor.js";
import { CONTRACT_BUDGET_MAX } from "./contract-order.js";
import { type Entry, entryFromArray, entryToArray } from "./entry.js";
import { WireError } from "./error.js";
import { networkName } from "./genesis.js";
import { asArray, asBytes, asList, asService, asText, asUint } from "./shape.js";

/** Leaves of outcomes, effects and messages in one block. */
export const BLOCK_EFFECTS_MAX = 4_096;

const kinds = { unhandled: 0, done: 1, denied: 2, failed: 3, expired: 4, told: 5 } as const;
const EFFECT = 1;
const MESSAGE = 2;

/** Why a run failed, as results name it. */
export const failureCodes = {
  budget: 1,
  memory: 2,
  output: 3,
  state: 4,
  value: 5,
  source: 6,
  shape: 7,
  returned: 8,
  threw: 9,
  hops: 10,
} as const;
export type FailureReason = keyof typeof failureCodes;

/** Something that a contract has put out, for everybody or for another chain. */
export interface Effect {
  readonly name: string;
  /** an encoded value */
  readonly body: Uint8Array;
  /** of a message: whose chain it is for, its number among those from here to there, and how many messages before it led to it */
  readonly to?: Addressee;
}

export interface Addressee {
  readonly service: number;
  readonly number: number;
  /** 0 where no message did */
  readonly hops: number;
}

export interface Denial {
  readonly rule: string;
  readonly body: Uint8Array;
}

/** What has become of one entry. */
export type EntryOutcome = {
  readonly entry: Entry;
} & (
  | { /** no contract takes it, or it came too late */ readonly type: "unhandled" | "expired" }
  | (Ran & { readonly type: "done"; readonly effects: readonly Effect[] })
  | (Ran & { readonly type: "denied"; readonly effects: readonly Effect[]; readonly denials: readonly Denial[] })
  | (Ran & { readonly type: "failed"; readonly reason: FailureReason })
  | { /** the rules have said it themselves */ readonly type: "told"; readonly effects: readonly Effect[] }
);

interface Ran {
  readonly contract: string;
  /** of the budget */
  readonly used: number;
}

/** A block as far as its outcomes go. */
export interface OutcomesPlace {
  readonly chain: number;
  readonly height: number;
}

export function outcomesToArray(outcomes: readonly EntryOutcome[]): CborValue {
  return outcomes.map(outcomeToArray);
}

function outcomeToArray(outcome: EntryOutcome): CborValue {
  const { type } = outcome;
  const entry = entryToArray(outcome.entry);
  switch (type) {
    case "unhandled":
    case "expired":
      return [entry, kinds[type]];
    case "failed":
      return [entry, kinds.failed, outcome.contract, outcome.used, failureCodes[outcome.reason]];
    case "done":
      return [entry, kinds.done, outcome.contract, outcome.used, outcome.effects.map(effectToArray)];
    case "told":
      return [entry, kinds.told, outcome.effects.map(effectToArray)];
    case "denied":
      return [
        entry,
        kinds.denied,
        outcome.contract,
        outcome.used,
        outcome.effects.map(effectToArray),
        outcome.denials.map(denialToArray),
      ];
  }
}

/** Reads outcomes; throws a WireError where they are malformed. */
export function outcomesFromArray(value: CborValue | undefined): EntryOutcome[] {
  return asList(value, "outcomes", BLOCK_EFFECTS_MAX).map((item) => {
    const row = asArray(item, "outcome");
    const entry = entryFromArray(row[0]);
    const kind = asUint(row[1], "outcome kind", CODE_MAX);
    switch (kind) {
      case kinds.unhandled:
      case kinds.expired:
        asArray(row, "outcome", 2);
        return { entry, type: kind === kinds.expired ? "expired" : "unhandled" };
      case kinds.failed:
        asArray(row, "outcome", 5);
        return { entry, type: "failed", ...ranFrom(row), reason: reasonFrom(row[4]) };
      case kinds.done:
        asArray(row, "outcome", 5);
        return { entry, type: "done", ...ranFrom(row), effects: effectsFrom(row[4]) };
      case kinds.denied:
        asArray(row, "outcome", 6);
        return { entry, type: "denied", ...ranFrom(row), effects: effectsFrom(row[4]), denials: denialsFrom(row[5]) };
      case kinds.told:
        asArray(row, "outcome", 3);
        return { entry, type: "told", effects: effectsFrom(row[2]) };
      default:
        throw new WireError("unsupported", `outcome kind ${kind} is not known`);
    }
  });
}

/** What the leaves behind a block's records stand for, in their order: an outcome, then what its run has put out. */
export function effectItems(place: OutcomesPlace, outcomes: readonly EntryOutcome[]): Uint8Array[] {
  return outcomes.flatMap((outcome) => {
    const effects = "effects" in outcome ? outcome.effects : [];
    return [outcomeItem(place, outcome), ...effects.map((effect, index) => effectItem(place, outcome, effect, index))];
  });
}

/** A message of a block, and where its leaf stands. */
export interface PlacedMessage {
  readonly to: NonNullable<Effect["to"]>;
  /** among the leaves behind the records, from 0 */
  readonly index: number;
}

/** Where the block's messages stand. */
export function placedMessages(outcomes: readonly EntryOutcome[]): PlacedMessage[] {
  const placed: PlacedMessage[] = [];
  let index = 0;
  for (const outcome of outcomes) {
    index += 1;
    for (const { to } of "effects" in outcome ? outcome.effects : []) {
      if (to !== undefined) placed.push({ to, index });
      index += 1;
    }
  }
  return placed;
}

/** Leaves that these outcomes take. */
export function effectCount(outcomes: readonly EntryOutcome[]): number {
  return outcomes.reduce((sum, outcome) => sum + 1 + ("effects" in outcome ? outcome.effects.length : 0), 0);
}

/** The outcomes in a block's results. */
export function outcomesIn(results: Uint8Array): EntryOutcome[] {
  return outcomesFromArray(resultsParts(results)[1]);
}

/** The violations, the outcomes and the closed slots of a block's results, as encoded. */
export function resultsParts(results: Uint8Array): readonly CborValue[] {
  return asArray(decodeCbor(results, { size: results.length, items: 131_072 }), "results", 3);
}

function outcomeItem({ chain, height }: OutcomesPlace, outcome: EntryOutcome): Uint8Array {
  const contract = "contract" in outcome ? outcome.contract : null;
  const used = "used" in outcome ? outcome.used : 0;
  const entry = entryToArray(outcome.entry);
  return encodeCbor(["gs1/outcome", chain, height, entry, kinds[outcome.type], contract, used, detailOf(outcome)]);
}

/** What an outcome's leaf says, by the words for its kind and detail. */
export interface OutcomeSaid {
  readonly outcome: EntryOutcome["type"];
  readonly reason?: FailureReason;
  readonly denials?: readonly Denial[];
}

/** Reads kind and detail of an outcome's leaf. Throws a WireError where they are none. */
export function outcomeSaid(kind: CborValue | undefined, detail: CborValue | undefined): OutcomeSaid {
  const outcome = (Object.keys(kinds) as EntryOutcome["type"][]).find((name) => kinds[name] === kind);
  if (outcome === undefined) throw new WireError("unsupported", `outcome kind ${String(kind)} is not known`);
  if (outcome === "failed") return { outcome, reason: reasonFrom(detail) };
  return outcome === "denied" ? { outcome, denials: denialsFrom(detail) } : { outcome };
}

function detailOf(outcome: EntryOutcome): CborValue {
  if (outcome.type === "failed") return failureCodes[outcome.reason];
  return outcome.type === "denied" ? outcome.denials.map(denialToArray) : null;
}

function effectItem(
  { chain, height }: OutcomesPlace,
  outcome: EntryOutcome,
  { name, body, to }: Effect,
  index: number,
): Uint8Array {
  const contract = "contract" in outcome ? outcome.contract : null;
  const place = [chain, height, entryToArray(outcome.entry), index, contract, name, body] as const;
  return encodeCbor(
    to === undefined ? ["gs1/effect", ...place] : ["gs1/message", ...place, to.service, to.number, to.hops],
  );
}

function effectToArray({ name, body, to }: Effect): CborValue {
  return to === undefined ? [EFFECT, name, body] : [MESSAGE, name, body, to.service, to.number, to.hops];
}

function denialToArray({ rule, body }: Denial): CborValue {
  return [rule, body];
}

function ranFrom(row: readonly CborValue[]): Ran {
  return {
    contract: networkName(row[2], "outcome contract"),
    used: asUint(row[3], "outcome's use", CONTRACT_BUDGET_MAX),
  };
}

function reasonFrom(value: CborValue | undefined): FailureReason {
  for (const reason of Object.keys(failureCodes) as FailureReason[]) if (failureCodes[reason] === value) return reason;
  throw new WireError("unsupported", `a run's failure ${String(value)} is not known`);
}

function effectsFrom(value: CborValue | undefined): Effect[] {
  return asList(value, "effects", BLOCK_EFFECTS_MAX).map((item) => {
    const row = asArray(item, "effect");
    const isMessage = asUint(row[0], "effect kind", MESSAGE) === MESSAGE;
    const [, name, body, service, number, hops] = asArray(row, "effect", isMessage ? 6 : 3);
    const said = { name: asText(name, "effect name"), body: asBytes(body, "effect body") };
    if (!isMessage) return said;
    const to = {
      service: asService(service, "message's service"),
      number: asUint(number, "message's number", MESSAGE_NUMBER_MAX),
      hops: asUint(hops, "message's hops", MESSAGE_HOPS_MAX),
    };
    return { ...said, to };
  });
}

function denialsFrom(value: CborValue | undefined): Denial[] {
  const rows = asList(value, "denials", BLOCK_EFFECTS_MAX);
  if (rows.length === 0) throw new WireError("shape", "an entry is denied by no rule");
  return rows.map((item) => {
    const [rule, body] = asArray(item, "denial", 2);
    return { rule: asText(rule, "denial rule"), body: asBytes(body, "denial body") };
  });
}
