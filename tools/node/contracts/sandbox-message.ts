// What crosses between a node and the thread that runs its contracts. The thread holds the state of the contracts that it has run, as it
// is at one root; what is missing, or what has changed, goes before the plan that needs it.

import type { Run } from "../../contracts/engine.js";
import type { RunResult } from "../../ledger/outcome.js";
import type { RunPlan } from "../../ledger/run-plan.js";
import type { StateChanges } from "../../ledger/state-map.js";

/** Entries of a contract's state. */
export type StateEntries = readonly (readonly [key: string, value: Uint8Array])[];

export type Told =
  /** what has been written since the state that is held */
  | { readonly changes: StateChanges }
  /** the contract's entries from here on: those that are held are of another state */
  | { readonly anew: string }
  | { readonly contract: string; readonly entries: StateEntries };

/** One run, or all runs of a block in the state that is held. */
export type Asked = { readonly number: number } & (
  | { readonly run: Run<ReadonlyMap<string, Uint8Array>> }
  | { readonly plan: Omit<RunPlan, "state"> }
);

export type Answered =
  | { readonly number: number; readonly outcomes: readonly RunResult[] }
  /** the machine was at fault */
  | { readonly number: number; readonly fault: string };
