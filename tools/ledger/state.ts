// What a chain remembers of each meter and of each original node: small, bounded, and a function of the blocks alone, so that a
// replay of the chain gives the same bytes.

import { BATCH_NUMBER_MAX, SEQ_MAX, TIME_S_MAX } from "../../src/wire/bounds.js";
import { type CborValue, decodeCbor, encodeCbor } from "../../src/wire/cbor.js";
import { asArray, asBytes, asInteger, asUint } from "../../src/wire/shape.js";

export interface MeterState {
  /** highest sealed sequence number; -1 before the first record */
  readonly high: number;
  /** hash of the record with that number */
  readonly head: Uint8Array;
  /** ranges below `high` that are not sealed, both ends included, ascending; behind the window they are closed */
  readonly gaps: readonly (readonly [number, number])[];
  /** numbers with a recorded fork, `FORKS_MAX` at most */
  readonly forks: readonly number[];
  /** UTC seconds: its newest credential on the chain is valid from then */
  readonly from_s: number;
  /** UTC seconds: and until then, itself excluded */
  readonly until_s: number;
}

/** Numbers of a meter with a fork that a chain records. More would prove nothing new: such a meter wants a new key. */
export const FORKS_MAX = 8;

/** Whether a fork of this number would be recorded: each is once. */
export function recordsFork({ forks }: MeterState, seq: number): boolean {
  return forks.length < FORKS_MAX && !forks.includes(seq);
}

/** Of a meter whose credential never ends. */
export const emptyMeterState: MeterState = {
  ...{ high: -1, head: new Uint8Array(0), gaps: [], forks: [] },
  ...{ from_s: 0, until_s: TIME_S_MAX },
};

/** Numbers of an original node's temporary blocks: all below `next` are sealed or closed, and those in `beyond` are sealed. */
export interface OriginState {
  readonly next: number;
  readonly beyond: readonly number[];
}

/** A temporary block may be sealed so far ahead of an earlier one of its origin that is not; one further ahead closes all before it. */
export const BATCH_WINDOW = 1_024;

/**
 * The state with this number sealed; undefined where it is sealed or closed already. An origin that does not know what it has signed,
 * because its disk was lost, may have used a number twice, so that no quorum accepts either: it goes beyond the window, once nothing
 * else of it is under way.
 */
export function sealNumber(state: OriginState | undefined, number: number): OriginState | undefined {
  const { next, beyond } = state ?? { next: 0, beyond: [] };
  if (number < next || beyond.includes(number)) return undefined;
  if (number >= next + BATCH_WINDOW) return { next: number + 1, beyond: [] };
  if (number > next) return { next, beyond: [...beyond, number].sort((left, right) => left - right) };
  let reached = next + 1;
  let index = 0;
  while (beyond[index] === reached) {
    reached += 1;
    index += 1;
  }
  return { next: reached, beyond: beyond.slice(index) };
}

export function encodeMeterState(state: MeterState): Uint8Array {
  return encodeCbor([state.high, state.head, state.gaps, state.forks, state.from_s, state.until_s]);
}

export function decodeMeterState(bytes: Uint8Array): MeterState {
  const [high, head, gaps, forks, from, until] = asArray(decodeCbor(bytes), "meter state", 6);
  return {
    high: Number(asInteger(high, "meter state high")),
    head: asBytes(head, "meter state head"),
    gaps: asArray(gaps, "meter state gaps").map((gap) => {
      const [from, to] = asArray(gap, "meter state gap", 2);
      return [asUint(from, "gap start", SEQ_MAX), asUint(to, "gap end", SEQ_MAX)] as const;
    }),
    forks: asArray(forks, "meter state forks").map((seq) => asUint(seq, "fork number", SEQ_MAX)),
    from_s: asUint(from, "credential nbf", TIME_S_MAX),
    until_s: asUint(until, "credential exp", TIME_S_MAX),
  };
}

export function encodeOriginState(state: OriginState): Uint8Array {
  return encodeCbor([state.next, state.beyond]);
}

export function decodeOriginState(bytes: Uint8Array): OriginState {
  const [next, beyond] = asArray(decodeCbor(bytes), "origin state", 2);
  return {
    next: asUint(next, "origin next", BATCH_NUMBER_MAX + 1),
    beyond: asArray(beyond, "origin beyond").map((number: CborValue) =>
      asUint(number, "origin number", BATCH_NUMBER_MAX),
    ),
  };
}
