// Contracts on Node: the engine in a thread with a stack of 64 MB, so that the guest's own limit is
// always met before V8's. A thread that is lost or takes too long is this machine's fault.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { Worker } from "node:worker_threads";
import type { Image, Run } from "../../contracts/engine.js";
import { assertInvariant, GridsealError, reasonOf } from "../../errors.js";
import type { Outcome, RunResult } from "../../ledger/outcome.js";
import type { RunPlan } from "../../ledger/run-plan.js";
import { startThread } from "../../thread.js";
import { HeldState } from "./held-state.js";
import type { Answered, Asked, Told } from "./sandbox-message.js";

/** Far above what any budget takes: it is for a machine that stands still. */
const RUN_MS_MAX = 60_000;
/** What nobody waits for any more may take so long before its thread is given up with it: a new one starts in some 50 ms. */
const UNWANTED_MS_MAX = 2_000;
const STACK_MB = 64;

interface Waiting {
  readonly resolve: (outcomes: readonly RunResult[]) => void;
  readonly reject: (error: GridsealError) => void;
}

/** A thread with what it holds of the state. */
interface Thread {
  readonly worker: Worker;
  readonly held: HeldState;
  /** under way there */
  asked: Waiting | undefined;
}

export interface Sandbox {
  /** One run, in a state of its own. Rejects with ENGINE_FAULT where this machine is at fault. */
  run(run: Run<ReadonlyMap<string, Uint8Array>>): Promise<Outcome>;
  /** All runs of a block: an outcome for each call. Rejects as a run does, and where it is `unwanted` before it has ended. */
  plan(plan: RunPlan, unwanted?: AbortSignal): Promise<readonly RunResult[]>;
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

/** What the threads of this process run contracts with: made once, as it takes longer than starting one. */
let image: Promise<Image> | undefined;

/** Makes it in a thread of its own. Rejects with ENGINE_FAULT; the next call tries again. */
function imageOf(wasm: Uint8Array): Promise<Image> {
  image ??= new Promise<Image>((resolve, reject) => {
    const worker = startThread("node/contracts/engine-thread", { workerData: wasm });
    worker.once("message", resolve);
    const fail = (reason: string) => {
      reject(new GridsealError("ENGINE_FAULT", `the contract engine cannot be made ready: ${reason}`));
    };
    worker.once("error", (error) => fail(reasonOf(error)));
    worker.once("exit", () => fail("its thread ended"));
  }).catch((error: unknown) => {
    image = undefined;
    throw error;
  });
  return image;
}

/** How long the thread may be busy, in milliseconds of the clock. */
export interface Patience {
  /** with one question */
  readonly runMs: number;
  /** with one that nobody waits for any more */
  readonly unwantedMs: number;
}

/** Opens the sandbox. A run rejects with ENGINE_FAULT; the thread is started again for the next one. */
export async function openSandbox(patience: Partial<Patience> = {}): Promise<Sandbox> {
  const asked = { runMs: RUN_MS_MAX, unwantedMs: UNWANTED_MS_MAX, ...patience };
  return new ThreadSandbox(await readEngine(), asked);
}

class ThreadSandbox implements Sandbox {
  readonly #wasm: Uint8Array;
  readonly #patience: Patience;
  #thread: Thread | undefined;
  #number = 0;
  /** one at a time is in the thread */
  #last: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(wasm: Uint8Array, patience: Patience) {
    this.#wasm = wasm;
    this.#patience = patience;
  }

  async run(run: Run<ReadonlyMap<string, Uint8Array>>): Promise<Outcome> {
    const [outcome] = await this.#inTurn((thread) => this.#ask(thread, { run }, undefined));
    assertInvariant(outcome !== undefined && outcome.type !== "postponed", "a run that stands alone has an outcome");
    return outcome;
  }

  plan(plan: RunPlan, unwanted?: AbortSignal): Promise<readonly RunResult[]> {
    return this.#inTurn(async (thread) => {
      if (unwanted?.aborted) throw new GridsealError("ENGINE_FAULT", "nobody waits for the contracts any more");
      const { state: _, ...stated } = plan;
      await thread.held.bring(plan, (told: Told) => thread.worker.postMessage(told));
      return this.#ask(thread, { plan: stated }, unwanted);
    });
  }

  /** Behind all that was asked for before. */
  #inTurn<T>(work: (thread: Thread) => Promise<T>): Promise<T> {
    const turn = this.#last.then(async () => {
      const image = await imageOf(this.#wasm);
      if (this.#isClosed) throw new GridsealError("ENGINE_FAULT", "the sandbox was closed");
      return work(this.#started(image));
    });
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #ask(
    thread: Thread,
    work: Pick<Extract<Asked, { run: unknown }>, "run"> | Pick<Extract<Asked, { plan: unknown }>, "plan">,
    unwanted: AbortSignal | undefined,
  ): Promise<readonly RunResult[]> {
    if (this.#thread !== thread) throw new GridsealError("ENGINE_FAULT", "the thread of contracts ended");
    const { runMs, unwantedMs } = this.#patience;
    const late = setTimeout(() => this.#lose(thread, `a contract ran for more than ${runMs} ms`), runMs);
    let soon: NodeJS.Timeout | undefined;
    const giveUp = () => {
      soon = setTimeout(() => this.#lose(thread, "nobody waits for the contracts any more"), unwantedMs);
    };
    unwanted?.addEventListener("abort", giveUp);
    try {
      return await new Promise((resolve, reject) => {
        thread.asked = { resolve, reject };
        this.#number += 1;
        thread.worker.postMessage({ number: this.#number, ...work } satisfies Asked);
      });
    } finally {
      thread.asked = undefined;
      unwanted?.removeEventListener("abort", giveUp);
      clearTimeout(late);
      clearTimeout(soon);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const thread = this.#thread;
    if (thread === undefined) return;
    this.#lose(thread, "the sandbox was closed");
    await thread.worker.terminate();
  }

  #started(image: Image): Thread {
    if (this.#thread !== undefined) return this.#thread;
    const worker = startThread("node/contracts/sandbox-thread", {
      workerData: image,
      resourceLimits: { stackSizeMb: STACK_MB },
    });
    const thread: Thread = { worker, held: new HeldState(), asked: undefined };
    worker.on("message", (answered: Answered) => this.#settle(thread, answered));
    worker.on("error", (error) => this.#lose(thread, `the thread of contracts ended: ${reasonOf(error)}`));
    worker.on("exit", () => this.#lose(thread, "the thread of contracts ended"));
    this.#thread = thread;
    return thread;
  }

  #settle({ asked }: Thread, answered: Answered): void {
    if (asked === undefined || answered.number !== this.#number) return;
    if ("fault" in answered) asked.reject(new GridsealError("ENGINE_FAULT", answered.fault));
    else asked.resolve(answered.outcomes);
  }

  /** Gives the thread up with what is under way there; who asked decides whether to ask again. */
  #lose(thread: Thread, reason: string): void {
    if (this.#thread !== thread) return;
    this.#thread = undefined;
    thread.asked?.reject(new GridsealError("ENGINE_FAULT", reason));
    void thread.worker.terminate();
  }
}
