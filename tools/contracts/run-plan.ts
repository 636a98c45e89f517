// Runs the calls of a plan, one behind the other, each in the state that those before it have left. What they share has a limit: a run
// gets what is left, less a share for each that is still to come.

import { assertInvariant } from "../errors.js";
import type { ContractStates } from "../ledger/contract-states.js";
import type { Done, Outcome } from "../ledger/outcome.js";
import {
  BLOCK_BUDGET,
  BLOCK_CALLS_MAX,
  BLOCK_EMISSIONS_MAX,
  BLOCK_OUTPUT_MAX,
  BLOCK_WRITES_MAX,
  type RunPlan,
  runShare,
} from "../ledger/run-plan.js";
import type { Engine } from "./engine.js";
import { stateIn, WrittenState } from "./run-state.js";

/** A plan where the state is at hand. */
export interface StatedPlan extends Omit<RunPlan, "state"> {
  readonly state: ContractStates;
}

/** An outcome for each call. Rejects with ENGINE_FAULT where this machine is at fault. */
export async function runPlan(engine: Engine, plan: StatedPlan): Promise<Outcome[]> {
  const { height, time_s, contracts, calls } = plan;
  assertInvariant(calls.length <= BLOCK_CALLS_MAX, `a block calls contracts at most ${BLOCK_CALLS_MAX} times`);
  const states = contracts.map(({ name, taken }) => {
    const state = new WrittenState(stateIn(plan.state, name));
    for (const key of taken) state.set(key, null);
    return state;
  });
  const left = {
    budget: BLOCK_BUDGET,
    output: BLOCK_OUTPUT_MAX,
    emissions: BLOCK_EMISSIONS_MAX,
    writes: BLOCK_WRITES_MAX,
  };
  const outcomes: Outcome[] = [];
  for (const [index, { contract: place, entry, argument, parameters }] of calls.entries()) {
    const { source, limits: own } = contracts[place]!;
    const state = states[place]!;
    const behind = calls.length - index - 1;
    const limits = {
      budget: Math.min(own.budget, left.budget - runShare.budget * behind),
      pages: own.pages,
      output: Math.min(own.output, left.output - runShare.output * behind),
    };
    const ran = await engine.run({ source, entry, argument, height, time_s, parameters, state, limits });
    const outcome = bounded(ran, {
      emissions: left.emissions - runShare.emissions * behind,
      writes: left.writes - runShare.writes * behind,
    });
    outcomes.push(outcome);
    left.budget -= outcome.used;
    if (outcome.type === "failed") continue;
    left.output -= outputOf(outcome);
    left.emissions -= outcome.emissions.length;
    left.writes -= outcome.writes.length;
    for (const [key, value] of outcome.writes) state.set(key, value);
  }
  return outcomes;
}

/** A run that says or writes more than the block has left for it has failed. */
function bounded(outcome: Outcome, most: { readonly emissions: number; readonly writes: number }): Outcome {
  if (outcome.type === "failed") return outcome;
  const { used } = outcome;
  if (outcome.emissions.length > most.emissions) {
    const detail = `it says more than the ${most.emissions} things that the block has left for it`;
    return { type: "failed", reason: "output", used, detail };
  }
  if (outcome.writes.length > most.writes) {
    const detail = `it writes more than the ${most.writes} keys that the block has left for it`;
    return { type: "failed", reason: "state", used, detail };
  }
  return outcome;
}

const utf8 = new TextEncoder();

/** Bytes that stay of what a run has put out. */
function outputOf({ writes, emissions }: Done): number {
  let bytes = 0;
  for (const [key, value] of writes) bytes += utf8.encode(key).length + (value?.length ?? 0);
  for (const { name, body } of emissions) bytes += name.length + body.length;
  return bytes;
}
