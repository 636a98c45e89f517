// A thread that verifies signatures: takes messages of verifying-message.ts and answers each with a byte a signature, in order.

import { parentPort } from "node:worker_threads";
import { nodeVerify } from "./signatures.js";
import { verificationsIn } from "./verifying-message.js";

parentPort?.on("message", (packed: Uint8Array) => {
  const results: number[] = [];
  for (const { key, message, signature } of verificationsIn(packed)) {
    results.push(nodeVerify(key, message, signature) ? 1 : 0);
  }
  parentPort?.postMessage(Uint8Array.from(results));
});
