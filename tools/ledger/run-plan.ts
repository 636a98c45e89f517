// The runs of a block's contracts before they have run: what each is called with, and what they share. An engine makes outcomes of a
// plan, one for each call; it is the same on every machine, so nothing of a machine stands here.

import type { CalledKind } from "../../src/wire/entry.js";
import type { Value } from "../../src/wire/value.js";
import type { StateView } from "./execution.js";

/** Operations in one block, whether a contract takes them or not: a run begins in some 3 ms. */
export const BLOCK_OPERATIONS_MAX = 32;
/** Calls for one kind of entry in one block: the proposer may let it have fewer, where its machine is slow. */
export const KIND_CALLS_MAX = BLOCK_OPERATIONS_MAX;
/** Calls of contracts in one block: 32 operations, 16 messages, 16 deadlines, 16 of slots. */
export const BLOCK_CALLS_MAX = 80;

/**
 * What the runs of one block for one kind of entry share. No run may take more by itself, so the first of each kind has always room.
 * - `budget`: some 150 ms of a machine that does nothing else, at worst some 1 s
 * - `output`: bytes
 * - `emissions`: effects, messages, violations and denials; with an outcome a run, closed slots and what the rules tell (told.ts) those of all kinds fit a block's leaves
 * - `writes`: keys, each some 10 nodes of the state's map, made on the loop of the node in some 50 us
 */
export const kindShare = { budget: 1_000, output: 262_144, emissions: 987, writes: 256 } as const;

export interface PlannedContract {
  readonly name: string;
  readonly source: string;
  /** what it may take and put out in one run */
  readonly limits: { readonly budget: number; readonly pages: number; readonly output: number };
  /** its own keys that no run of the block sees: those of deadlines that have passed, though some be postponed */
  readonly taken: readonly string[];
}

export interface PlannedCall {
  /** place among the plan's contracts */
  readonly contract: number;
  /** the function that is called */
  readonly entry: CalledKind;
  readonly argument: Value;
  readonly parameters: Value;
  /** of the messages that it says: how many before them led to them */
  readonly hops: number;
}

export interface RunPlan {
  readonly height: number;
  readonly time_s: number;
  readonly contracts: readonly PlannedContract[];
  /** in the order in which they run: each finds what those before it have written */
  readonly calls: readonly PlannedCall[];
  /** what all contracts of the chain remember before the block: it is read until the chain goes on */
  readonly state: StateView;
}
