// The order of a verifying thread's answers: who asks tells them apart by nothing else.

import { setTimeout as sleep } from "node:timers/promises";
import type { Pace } from "./late-pace.js";

export interface Answering {
  /** A byte for each signature of a message, in their order. */
  verify(packed: Uint8Array): Uint8Array;
  readonly restAfter: Pace;
  answer(results: Uint8Array): void;
}

/** Takes messages and answers them in the order in which they came. A message waits until the thread has rested from the one before. */
export function createAnswering({ verify, restAfter, answer }: Answering): (packed: Uint8Array) => void {
  let before: Promise<void> = Promise.resolve();
  const take = async (packed: Uint8Array): Promise<void> => {
    const begun_ms = performance.now();
    const results = verify(packed);
    const rest_ms = restAfter(results.length, performance.now() - begun_ms);
    if (rest_ms > 0) await sleep(rest_ms);
    answer(results);
  };
  return (packed) => {
    before = before.then(() => take(packed));
  };
}
