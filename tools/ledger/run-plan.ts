// The runs of a block's contracts before they have run: what each is called with, and what they share. An engine makes outcomes of a
// plan, one for each call; it is the same on every machine, so nothing of a machine stands here.

import type { EntryKind } from "../../src/wire/entry.js";
import type { Value } from "../../src/wire/value.js";
import type { StateView } from "./execution.js";

/** Operations in one block, whether a contract takes them or not: a run begins in some 3 ms. */
export const BLOCK_OPERATIONS_MAX = 32;
/** Calls of contracts in one block, each with its share of the rest: 32 operations, 16 messages, 16 deadlines, 16 of slots. */
export const BLOCK_CALLS_MAX = 80;
/** What the runs of one block may take together: some 300 ms of a machine that does nothing else, at worst some 2 s. */
export const BLOCK_BUDGET = 2_000;
/** Bytes that they may put out together. */
export const BLOCK_OUTPUT_MAX = 1_048_576;
/** Effects, messages, violations and denials of them together: with an outcome a run and closed slots they fit a block's leaves. */
export const BLOCK_EMISSIONS_MAX = 4_012;

/** Keys that they may write together: each is some 10 nodes of the state's map, made on the loop of the node in some 50 us. */
export const BLOCK_WRITES_MAX = 256;

/** What is kept of the block's shares for each run that is still to come. */
export const runShare = { budget: 20, output: 8_192, emissions: 32, writes: 2 } as const;

export interface PlannedContract {
  readonly name: string;
  readonly source: string;
  /** what it may take and put out in one run */
  readonly limits: { readonly budget: number; readonly pages: number; readonly output: number };
  /** its own keys that the block takes out of its state before anything runs: those of deadlines that have passed */
  readonly taken: readonly string[];
}

export interface PlannedCall {
  /** place among the plan's contracts */
  readonly contract: number;
  /** the function that is called */
  readonly entry: EntryKind;
  readonly argument: Value;
  readonly parameters: Value;
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
