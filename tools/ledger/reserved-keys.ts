// Keys of a chain's state that no contract writes: they begin with a slash, as no name of a contract does. The rules keep there what
// they count, so that it stands under the state root.

import { decodeValue, encodeValue } from "../../src/wire/value.js";
import type { ContractStates } from "./contract-states.js";

/** What the rules read of a chain's state before a block. */
export type ReservedState = Pick<ContractStates, "get" | "keysOf">;

/** Before the times of deadlines. */
export const DUE_PREFIX = "/due/";
/** Digits of a time, the largest that a number of seconds has. */
const TIME_DIGITS = 13;

/** Before the numbers of chains that messages are sent to. */
export const SENT_PREFIX = "/sent/";

/** The number of the next message to a chain. */
export function sentKey(service: number): string {
  return `${SENT_PREFIX}${service}`;
}

/** The chain of `sentKey`. */
export function chainSentTo(key: string): number {
  return Number(key.slice(SENT_PREFIX.length));
}

/** What was taken of a chain's messages. */
export function takenKey(service: number): string {
  return `/taken/${service}`;
}

/** A deadline in the order of all: by time, contract and its key. */
export function dueKey(time_s: number, contract: string, key: string): string {
  return `${DUE_PREFIX}${String(time_s).padStart(TIME_DIGITS, "0")}/${contract}/${key}`;
}

/** Takes `dueKey` apart. */
export function deadlineIn(key: string): { readonly time_s: number; readonly contract: string; readonly key: string } {
  const timeEnd = DUE_PREFIX.length + TIME_DIGITS;
  const contractEnd = key.indexOf("/", timeEnd + 1);
  return {
    time_s: Number(key.slice(DUE_PREFIX.length, timeEnd)),
    contract: key.slice(timeEnd + 1, contractEnd),
    key: key.slice(contractEnd + 1),
  };
}

/** The encoded value of a whole key; undefined where it has none. */
export function valueIn(state: Pick<ReservedState, "get">, key: string): Uint8Array | undefined {
  const slash = key.indexOf("/");
  return state.get(key.slice(0, slash), key.slice(slash + 1));
}

/** The first keys of deadlines (`dueKey`), ascending, at most so many. */
export function firstDue(state: Pick<ReservedState, "keysOf">, most: number): string[] {
  const keys: string[] = [];
  for (const key of state.keysOf("", DUE_PREFIX.slice(1))) {
    if (keys.length === most) break;
    keys.push(`/${key}`);
  }
  return keys;
}

/** UTC seconds of the chain's next deadline; undefined where nothing is due. */
export function nextDue(state: Pick<ReservedState, "keysOf">): number | undefined {
  const [first] = firstDue(state, 1);
  return first === undefined ? undefined : deadlineIn(first).time_s;
}

/** What has been taken of the messages of a chain. */
export interface TakenSoFar {
  /** the number that comes next */
  readonly next: number;
  /** contracts height of the members who sealed the last one: a message of members before them is taken no more */
  readonly orderedAt: number;
}

/** How many messages to a chain have been sent. */
export function sentTo(state: Pick<ReservedState, "get">, service: number): number {
  const value = valueIn(state, sentKey(service));
  return value === undefined ? 0 : Number(decodeValue(value));
}

export function takenFrom(state: Pick<ReservedState, "get">, service: number): TakenSoFar {
  const value = valueIn(state, takenKey(service));
  const [next, orderedAt] = value === undefined ? [0, 0] : (decodeValue(value) as readonly [number, number]);
  return { next, orderedAt };
}

export function takenValue({ next, orderedAt }: TakenSoFar): Uint8Array {
  return encodeValue([next, orderedAt]);
}
