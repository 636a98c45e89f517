// What crosses between a node and the thread that runs its contracts.

import type { Run } from "../../contracts/engine.js";
import type { Outcome } from "../../contracts/outcome.js";

export interface Asked {
  readonly number: number;
  readonly run: Run;
}

export type Answered =
  | { readonly number: number; readonly outcome: Outcome }
  /** the machine was at fault */
  | { readonly number: number; readonly fault: string };
