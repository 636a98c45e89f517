// The thread that runs contracts: one at a time, in the order in which they come.

import { parentPort, workerData } from "node:worker_threads";
import { createEngine } from "../../contracts/engine.js";
import { reasonOf } from "../../errors.js";
import type { Answered, Asked } from "./sandbox-message.js";

const engine = createEngine(workerData as Uint8Array);
let last: Promise<void> = Promise.resolve();

async function answer({ number, run }: Asked): Promise<void> {
  let answered: Answered;
  try {
    answered = { number, outcome: await (await engine).run(run) };
  } catch (error) {
    answered = { number, fault: reasonOf(error) };
  }
  parentPort?.postMessage(answered);
}

parentPort?.on("message", (asked: Asked) => {
  last = last.then(() => answer(asked));
});
