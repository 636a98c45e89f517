// Runs the calls of a plan, one behind the other, each in the state that those before it have left. What they share has a limit: a run
// gets what is left, less a share for each that is still to come.

import type { Done, Failed, Outcome } from "../ledger/outcome.js";
import { BLOCK_BUDGET, BLOCK_EMISSIONS_MAX, BLOCK_OUTPUT_MAX, type RunPlan, runShare } from "../ledger/run-plan.js";
import type { Engine } from "./engine.js";

/** An outcome for each call. Rejects with ENGINE_FAULT where this machine is at fault. */
export async function runPlan(engine: Engine, plan: RunPlan): Promise<Outcome[]> {
  const { height, time_s, contracts, calls } = plan;
  const states = contracts.map(({ state }) => new Map(state));
  const left = { budget: BLOCK_BUDGET, output: BLOCK_OUTPUT_MAX, emissions: BLOCK_EMISSIONS_MAX };
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
    const outcome = bounded(ran, left.emissions - runShare.emissions * behind);
    outcomes.push(outcome);
    left.budget -= outcome.used;
    if (outcome.type === "failed") continue;
    left.output -= outputOf(outcome);
    left.emissions -= outcome.emissions.length;
    for (const [key, value] of outcome.writes) {
      if (value === null) state.delete(key);
      else state.set(key, value);
    }
  }
  return outcomes;
}

function bounded(outcome: Outcome, emissions: number): Outcome {
  if (outcome.type === "failed" || outcome.emissions.length <= emissions) return outcome;
  const failed: Failed = {
    type: "failed",
    reason: "output",
    used: outcome.used,
    detail: `it says more than the ${emissions} things that the block has left for it`,
  };
  return failed;
}

const utf8 = new TextEncoder();

/** Bytes that stay of what a run has put out. */
function outputOf({ writes, emissions }: Done): number {
  let bytes = 0;
  for (const [key, value] of writes) bytes += utf8.encode(key).length + (value?.length ?? 0);
  for (const { name, body } of emissions) bytes += name.length + body.length;
  return bytes;
}
