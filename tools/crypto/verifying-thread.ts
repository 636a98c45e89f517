// A thread that verifies signatures: takes messages of verifying-message.ts and answers each with a byte a signature, in order.

import { constants, setPriority } from "node:os";
import { parentPort, workerData } from "node:worker_threads";
import { createAnswering } from "./answering.js";
import { createPace } from "./late-pace.js";
import { nodeVerify } from "./signatures.js";
import { verificationsIn } from "./verifying-message.js";

/** What the thread is told at its start. */
export interface VerifyingThread {
  /** nobody waits for what it does */
  readonly isLate: boolean;
}

const { isLate } = workerData as VerifyingThread;
// Of Linux alone: elsewhere a process has one priority for all of its threads.
if (isLate && process.platform === "linux") setPriority(constants.priority.PRIORITY_LOW);

parentPort?.on(
  "message",
  createAnswering({
    verify(packed) {
      const results: number[] = [];
      for (const { key, message, signature } of verificationsIn(packed)) {
        results.push(nodeVerify(key, message, signature) ? 1 : 0);
      }
      return Uint8Array.from(results);
    },
    restAfter: isLate ? createPace() : () => 0,
    answer: (results) => parentPort?.postMessage(results),
  }),
);
