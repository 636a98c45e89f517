// The signature predicate off the event loop: threads that take many signatures at a time. A task of libuv's pool for each costs
// the event loop a quarter of what the verification itself takes, and the store's writes would wait in the same queue.

import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { PublicKey } from "../../src/wire/key.js";
import { modulePath } from "../module-path.js";
import { isWellFormed, nodeVerify } from "./crypto.js";
import { packVerifications, type Verification } from "./verifying-message.js";

const THREADS_MAX = 4;
/** Signatures that cross together: some milliseconds of work, so that the threads share what comes at once. */
const SIGNATURES_PER_MESSAGE = 64;
/** Messages with one thread: the next one is there when it has done the first. */
const MESSAGES_PER_THREAD = 2;

interface Waiting extends Verification {
  readonly resolve: (valid: boolean) => void;
}

interface Thread {
  readonly worker: Worker;
  /** what it has been given and not answered, in order */
  readonly given: Waiting[][];
}

const threads: Thread[] = [];
let waiting: Waiting[] = [];
let firstWaiting = 0;
let isHandingOut = false;

/** `nodeVerify` in a thread; resolves, never rejects. The bytes must stay as they are until then. Begun in the order of the calls. */
export function verifyAsync(key: PublicKey, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  if (!isWellFormed(key, signature)) return Promise.resolve(false);
  return new Promise((resolve) => {
    waiting.push({ key, message, signature, resolve });
    if (isHandingOut) return;
    isHandingOut = true;
    setImmediate(handOut); // what this turn of the event loop reads crosses together
  });
}

function handOut(): void {
  isHandingOut = false;
  while (firstWaiting < waiting.length) {
    const thread = leastBusy();
    if (thread === undefined) return;
    const taken = waiting.slice(firstWaiting, firstWaiting + SIGNATURES_PER_MESSAGE);
    firstWaiting += taken.length;
    const packed = packVerifications(taken);
    if (thread.given.length === 0) thread.worker.ref();
    thread.given.push(taken);
    thread.worker.postMessage(packed, [packed.buffer as ArrayBuffer]);
  }
  waiting = [];
  firstWaiting = 0;
}

/** A thread with room, a new one where all have work; undefined where none has room. */
function leastBusy(): Thread | undefined {
  const [first] = threads.toSorted((left, right) => left.given.length - right.given.length);
  const mayStart = threads.length < Math.min(THREADS_MAX, availableParallelism());
  if (first === undefined || (first.given.length > 0 && mayStart)) return startThread();
  return first.given.length < MESSAGES_PER_THREAD ? first : undefined;
}

function startThread(): Thread {
  const thread: Thread = { worker: new Worker(modulePath("node/verifying-thread")), given: [] };
  threads.push(thread);
  thread.worker.unref(); // a thread without work holds no process
  thread.worker.on("message", (results: Uint8Array) => {
    const answered = thread.given.shift() ?? [];
    if (thread.given.length === 0) thread.worker.unref();
    for (const [index, { resolve }] of answered.entries()) resolve(results[index] === 1);
    handOut();
  });
  // A thread that could not be started or ran out of memory says nothing of the signatures that it had.
  thread.worker.on("error", () => undefined);
  thread.worker.on("exit", () => {
    threads.splice(threads.indexOf(thread), 1);
    for (const { key, message, signature, resolve } of thread.given.flat())
      resolve(nodeVerify(key, message, signature));
    handOut();
  });
  return thread;
}
