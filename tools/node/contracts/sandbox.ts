// Contracts on Node: the engine in a thread with a stack of 64 MB, so that the guest's own limit is
// always met before V8's. A thread that is lost or takes too long is this machine's fault.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { Worker } from "node:worker_threads";
import type { Engine, Run } from "../../contracts/engine.js";
import { GridsealError, reasonOf } from "../../errors.js";
import type { Outcome } from "../../ledger/outcome.js";
import type { RunPlan } from "../../ledger/run-plan.js";
import { startThread } from "../../thread.js";
import type { Answered } from "./sandbox-message.js";

/** Far above what any budget takes: it is for a machine that stands still. */
const RUN_MS_MAX = 60_000;
const STACK_MB = 64;

interface Waiting {
  readonly resolve: (outcomes: readonly Outcome[]) => void;
  readonly reject: (error: GridsealError) => void;
  readonly timer: NodeJS.Timeout;
}

export interface Sandbox extends Engine {
  /** All runs of a block: an outcome for each call. Rejects as a run does. */
  plan(plan: RunPlan): Promise<readonly Outcome[]>;
  close(): Promise<void>;
}

/** The bytes of the engine, as the package brings them. Rejects with ENGINE_FOREIGN where there are none. */
export async function readEngine(): Promise<Uint8Array> {
  try {
    return new Uint8Array(await readFile(createRequire(import.meta.url).resolve("quickjs-wasi/quickjs.wasm")));
  } catch (cause) {
    throw new GridsealError("ENGINE_FOREIGN", `the contract engine cannot be read: ${reasonOf(cause)}`, { cause });
  }
}

/** Opens the sandbox. A run rejects with ENGINE_FAULT; the thread is started again for the next one. */
export async function openSandbox(runMsMax = RUN_MS_MAX): Promise<Sandbox> {
  return new ThreadSandbox(await readEngine(), runMsMax);
}

class ThreadSandbox implements Sandbox {
  readonly #wasm: Uint8Array;
  readonly #runMsMax: number;
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #number = 0;

  constructor(wasm: Uint8Array, runMsMax: number) {
    this.#wasm = wasm;
    this.#runMsMax = runMsMax;
  }

  async run(run: Run): Promise<Outcome> {
    return (await this.#ask({ run }))[0]!;
  }

  plan(plan: RunPlan): Promise<readonly Outcome[]> {
    return this.#ask({ plan });
  }

  #ask(work: { readonly run: Run } | { readonly plan: RunPlan }): Promise<readonly Outcome[]> {
    return new Promise((resolve, reject) => {
      const worker = this.#thread();
      this.#number += 1;
      const number = this.#number;
      const late = () => this.#lose(worker, `a contract ran for more than ${this.#runMsMax} ms`);
      this.#waiting.set(number, { resolve, reject, timer: setTimeout(late, this.#runMsMax) });
      worker.postMessage({ number, ...work });
    });
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    if (worker === undefined) return;
    this.#lose(worker, "the sandbox was closed");
    await worker.terminate();
  }

  #thread(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const worker = startThread("node/contracts/sandbox-thread", {
      workerData: this.#wasm,
      resourceLimits: { stackSizeMb: STACK_MB },
    });
    worker.on("message", (answered: Answered) => this.#settle(answered));
    worker.on("error", (error) => this.#lose(worker, `the thread of contracts ended: ${reasonOf(error)}`));
    worker.on("exit", () => this.#lose(worker, "the thread of contracts ended"));
    this.#worker = worker;
    return worker;
  }

  #settle(answered: Answered): void {
    const waiting = this.#waiting.get(answered.number);
    if (waiting === undefined) return;
    this.#waiting.delete(answered.number);
    clearTimeout(waiting.timer);
    if ("fault" in answered) waiting.reject(new GridsealError("ENGINE_FAULT", answered.fault));
    else waiting.resolve(answered.outcomes);
  }

  /** Gives the thread up with all that waits for it; who asked decides whether to ask again. */
  #lose(worker: Worker, reason: string): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(new GridsealError("ENGINE_FAULT", reason));
    }
    this.#waiting.clear();
    void worker.terminate();
  }
}
