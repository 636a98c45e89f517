// The thread that runs contracts: one at a time, in the order in which they come, in the state that it holds.

import { parentPort, workerData } from "node:worker_threads";
import { engineOf, type Image } from "../../contracts/engine.js";
import { runPlan } from "../../contracts/run-plan.js";
import { stateOf } from "../../contracts/run-state.js";
import { reasonOf } from "../../errors.js";
import { HeldStates } from "../../ledger/contract-states.js";
import type { RunResult } from "../../ledger/outcome.js";
import type { Answered, Asked, Told } from "./sandbox-message.js";

const engine = engineOf(workerData as Image);
const states = new HeldStates();
let last: Promise<void> = Promise.resolve();

function take(told: Told): void {
  if ("changes" in told) states.apply(told.changes);
  else if ("anew" in told) states.forget(told.anew);
  else for (const [key, value] of told.entries) states.set(told.contract, key, value);
}

async function answer(asked: Asked): Promise<void> {
  const { number } = asked;
  let answered: Answered;
  try {
    answered = { number, outcomes: await outcomesOf(asked) };
  } catch (error) {
    answered = { number, fault: reasonOf(error) };
  }
  parentPort?.postMessage(answered);
}

async function outcomesOf(asked: Asked): Promise<readonly RunResult[]> {
  if ("run" in asked) return [await engine.run({ ...asked.run, state: stateOf(asked.run.state) })];
  return runPlan(engine, { ...asked.plan, state: states });
}

parentPort?.on("message", (message: Told | Asked) => {
  last = last.then(() => ("number" in message ? answer(message) : take(message)));
});
