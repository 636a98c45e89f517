// The runs of a block's contracts before they have run: what each is called with, and what they share. An engine makes outcomes of a
// plan, one for each call; it is the same on every machine, so nothing of a machine stands here.

import type { EntryKind } from "../../src/wire/entry.js";
import type { Value } from "../../src/wire/value.js";

/** Operations in one block, whether a contract takes them or not: at some 10 ms a run they take well less than a round. */
export const BLOCK_OPERATIONS_MAX = 32;
/** What the runs of one block may take together: about a second of a slow machine. */
export const BLOCK_BUDGET = 2_000;
/** Bytes that they may put out together. */
export const BLOCK_OUTPUT_MAX = 1_048_576;
/** Effects, messages, violations and denials of them together: with an outcome a run they fit a block's leaves. */
export const BLOCK_EMISSIONS_MAX = 4_016;
/** Runs of one block: 32 operations, 16 messages, 16 deadlines, 16 of slots. */
export const BLOCK_RUNS_MAX = 80;

/** What is kept of the block's shares for each run that is still to come. */
export const runShare = { budget: 25, output: 8_192, emissions: 32 } as const;

export interface PlannedContract {
  readonly name: string;
  readonly source: string;
  /** what it may take and put out in one run */
  readonly limits: { readonly budget: number; readonly pages: number; readonly output: number };
  /** what it remembers before the block: its own keys with their encoded values */
  readonly state: ReadonlyMap<string, Uint8Array>;
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
}
