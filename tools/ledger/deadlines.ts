// Deadlines, pure: what a contract keeps under `due/` in its state falls due by itself. A block takes what its time has passed, in the
// order of time, contract and key; each is taken out of the state and its contract called once.

import { TIME_S_MAX } from "../../src/wire/bounds.js";
import { DUE_KEY_BYTES_MAX } from "../../src/wire/entry.js";
import { WireError } from "../../src/wire/error.js";
import { decodeValue, encodeValue, type Value } from "../../src/wire/value.js";
import type { EntriesPlace, PlannedEntry } from "./entry.js";
import { deadlineIn, dueKey, firstDue, type ReservedState, valueIn } from "./reserved-keys.js";

/** Deadlines that one block takes, so that their runs have a share of it. */
export const BLOCK_DUE_MAX = 16;
/** Before the keys of a contract's own deadlines. */
export const OWN_DUE_PREFIX = "due/";

/** A deadline that has passed. */
export interface Deadline {
  readonly time_s: number;
  readonly contract: string;
  /** without its prefix */
  readonly key: string;
  readonly body: Value;
}

/** The deadlines that a block of this time takes, so many at most. */
export function passedDue(state: ReservedState, time_ms: number, most = BLOCK_DUE_MAX): Deadline[] {
  const deadlines: Deadline[] = [];
  for (const place of firstDue(state, most)) {
    const { time_s, contract, key } = deadlineIn(place);
    if (time_s * 1_000 > time_ms) break;
    const named = namedBy(valueIn(state, stateKeyOf(contract, key)));
    deadlines.push({ time_s, contract, key, body: named?.body ?? null });
  }
  return deadlines;
}

/** The deadlines as entries; that of a contract which is in force no more is nobody's. */
export function dueEntries({ contracts }: EntriesPlace, deadlines: readonly Deadline[]): PlannedEntry[] {
  return deadlines.map(({ time_s, contract: name, key, body }) => {
    const contract = contracts.find(({ install }) => install.name === name);
    return {
      entry: { kind: "due", time_s, contract: name, key },
      fate: contract === undefined ? { type: "unhandled" } : { type: "run", contract, argument: { key, time_s, body } },
    };
  });
}

/** What is taken out of the state before anything runs. */
export function passedWrites(deadlines: readonly Deadline[]): Map<string, undefined> {
  return new Map(deadlines.map(({ contract, key }) => [stateKeyOf(contract, key), undefined]));
}

/** What a block's writes make of the order of all deadlines. */
export function orderWrites(
  state: Pick<ReservedState, "get">,
  writes: ReadonlyMap<string, Uint8Array | undefined>,
): Map<string, Uint8Array | undefined> {
  const gone: string[] = [];
  const named: string[] = [];
  for (const [place, value] of writes) {
    const slash = place.indexOf("/");
    const own = place.slice(slash + 1);
    if (slash < 1 || !own.startsWith(OWN_DUE_PREFIX)) continue;
    const keyIn = ({ time_s }: { readonly time_s: number }) =>
      dueKey(time_s, place.slice(0, slash), own.slice(OWN_DUE_PREFIX.length));
    const before = namedBy(valueIn(state, place));
    if (before !== undefined) gone.push(keyIn(before));
    const after = namedBy(value);
    if (after !== undefined) named.push(keyIn(after));
  }
  return new Map<string, Uint8Array | undefined>([
    ...gone.map((key) => [key, undefined] as const),
    ...named.map((key) => [key, nothing] as const),
  ]);
}

/** What is wrong with a contract's own key and value as a deadline; undefined where nothing is, or it names none. */
export function deadlineComplaint(key: string, value: Uint8Array): string | undefined {
  if (!key.startsWith(OWN_DUE_PREFIX)) return undefined;
  const bytes = new TextEncoder().encode(key).length - OWN_DUE_PREFIX.length;
  if (bytes === 0 || bytes > DUE_KEY_BYTES_MAX) return `behind ${OWN_DUE_PREFIX} stand 1 to ${DUE_KEY_BYTES_MAX} bytes`;
  return namedBy(value) === undefined ? `under ${OWN_DUE_PREFIX} stands [time in seconds, body]` : undefined;
}

/** The value as it is kept: a deadline is due no earlier than the block that names it, so that none comes before those that wait. */
export function notBefore(time_s: number, key: string, value: Uint8Array): Uint8Array {
  const named = key.startsWith(OWN_DUE_PREFIX) ? namedBy(value) : undefined;
  return named === undefined || named.time_s >= time_s ? value : encodeValue([time_s, named.body]);
}

const nothing = encodeValue(null);

/** What a value names as due; undefined where it is no deadline. */
function namedBy(value: Uint8Array | undefined): { readonly time_s: number; readonly body: Value } | undefined {
  if (value === undefined) return undefined;
  try {
    const named = decodeValue(value);
    const [time_s, body] = Array.isArray(named) && named.length === 2 ? (named as readonly Value[]) : [];
    const isTime = typeof time_s === "number" && time_s >= 0 && time_s <= TIME_S_MAX;
    return isTime ? { time_s, body: body! } : undefined;
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

function stateKeyOf(contract: string, key: string): string {
  return `${contract}/${OWN_DUE_PREFIX}${key}`;
}
