// The thread that runs contracts: one at a time, in the order in which they come.

import { parentPort, workerData } from "node:worker_threads";
import { createEngine } from "../../contracts/engine.js";
import { runPlan } from "../../contracts/run-plan.js";
import { reasonOf } from "../../errors.js";
import type { Answered, Asked } from "./sandbox-message.js";

const engine = createEngine(workerData as Uint8Array);
let last: Promise<void> = Promise.resolve();

async function answer(asked: Asked): Promise<void> {
  const { number } = asked;
  let answered: Answered;
  try {
    const ready = await engine;
    const outcomes = "run" in asked ? [await ready.run(asked.run)] : await runPlan(ready, asked.plan);
    answered = { number, outcomes };
  } catch (error) {
    answered = { number, fault: reasonOf(error) };
  }
  parentPort?.postMessage(answered);
}

parentPort?.on("message", (asked: Asked) => {
  last = last.then(() => answer(asked));
});
