// What crosses between a node and the thread that runs its contracts.

import type { Run } from "../../contracts/engine.js";
import type { Outcome } from "../../ledger/outcome.js";
import type { RunPlan } from "../../ledger/run-plan.js";

/** One run, or all runs of a block. */
export type Asked = { readonly number: number } & ({ readonly run: Run } | { readonly plan: RunPlan });

export type Answered =
  | { readonly number: number; readonly outcomes: readonly Outcome[] }
  /** the machine was at fault */
  | { readonly number: number; readonly fault: string };
