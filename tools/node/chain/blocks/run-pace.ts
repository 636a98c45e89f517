// How many calls of contracts this node's next proposal has, pure: as many as its machine makes in a short while, and fewer where
// rounds have passed without a block, for others may be slower. So a slow machine's blocks hold less, and the chain goes on.

import type { CalledKind } from "../../../../src/wire/entry.js";
import { BLOCK_CALLS_MAX, KIND_CALLS_MAX, type RunPlan } from "../../../ledger/run-plan.js";

/** Within which all runs of a proposal are to end: a voter then runs them once more, long before their time is too old. */
const AIM_MS = 4_000;
/** Of what a call has taken, so much counts after the next runs that took less. */
const REMEMBERED = 0.8;
/** After so many rounds a proposal has one call of each kind. */
const HALVINGS_MAX = Math.ceil(Math.log2(BLOCK_CALLS_MAX));
const KINDS = 4;
/** For the start of a thread and what it is told of the state. */
const BEGIN_MS = 250;

export interface RunPace {
  /** So many calls have taken so long, or were given up after so long. */
  note(calls: number, taken_ms: number): void;
  /** A block was sealed in this round. */
  onSealed(round: number): void;
  /** Of all kinds together, in a proposal of this round. */
  callsIn(round: number): number;
  /** What runs of a proposal that keeps this pace take at most, in milliseconds. */
  readonly most_ms: number;
}

export function createRunPace(): RunPace {
  let each_ms = 0;
  let halvings = 0;
  return {
    note(calls, taken_ms) {
      if (calls > 0) each_ms = Math.max((taken_ms - BEGIN_MS) / calls, REMEMBERED * each_ms);
    },
    onSealed(round) {
      halvings = Math.min(HALVINGS_MAX, Math.max(round, halvings - 1));
    },
    callsIn(round) {
      const feasible = each_ms === 0 ? BLOCK_CALLS_MAX : AIM_MS / each_ms;
      const share = Math.min(BLOCK_CALLS_MAX, feasible) / 2 ** Math.min(HALVINGS_MAX, Math.max(round, halvings));
      return Math.max(1, Math.floor(share));
    },
    get most_ms() {
      return Math.max(AIM_MS, KINDS * each_ms);
    },
  };
}

/** The most calls for each kind of entry with which a plan has no more than these; one in any case. */
export function callsOfKind({ calls }: Pick<RunPlan, "calls">, most: number): number {
  const counts = new Map<CalledKind, number>();
  for (const { entry } of calls) counts.set(entry, (counts.get(entry) ?? 0) + 1);
  const within = (each: number) => [...counts.values()].reduce((sum, count) => sum + Math.min(count, each), 0);
  let each = KIND_CALLS_MAX;
  while (each > 1 && within(each) > most) each -= 1;
  return each;
}
