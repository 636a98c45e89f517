// Runs contracts: QuickJS in WebAssembly (quickjs-wasi), one pinned binary that counts its turns, a
// fresh instance for each run, which is a copy of one behind the prelude. Nothing of a machine reaches a run: no clock, no randomness, no locale,
// no stack of V8. What comes from outside of the guest is thrown as ENGINE_FAULT and is never an outcome.
//
// quickjs-wasi and not quickjs-emscripten: its memory limit counts every allocation, the guest
// cannot catch that it ended, and its imports are twelve with names, clock and randomness among them.

import {
  EvalFlags,
  Intrinsics,
  JSException,
  type JSValueHandle,
  QuickJS,
  type Snapshot,
  type WasiOptions,
} from "quickjs-wasi";
import { toHex } from "../../src/wire/bytes.js";
import { CONTRACT_BUDGET_MAX, CONTRACT_PAGES_MAX, CONTRACT_PAGES_MIN } from "../../src/wire/contract-order.js";
import { sha256 } from "../../src/wire/hash.js";
import { CONTRACT_OUTPUT_MAX, type Value } from "../../src/wire/value.js";
import { assertInvariant, GridsealError, reasonOf } from "../errors.js";
import { ENGINE_HASH } from "../ledger/engines.js";
import type { Failed, Failure, Outcome } from "../ledger/outcome.js";
import { COUNTER_NAME, countTurns } from "./counting.js";
import { Journal, NotAllowed } from "./journal.js";
import { type Limits, PAGE_BYTES, SOURCE_BYTES_MAX, TURNS_PER_BUDGET } from "./limits.js";
import { prelude } from "./prelude.js";
import type { State } from "./run-state.js";
import { toGuest } from "./value.js";

/** Functions that a contract may export. */
export const entries = ["operation", "message", "slot", "due"] as const;
export type Entry = (typeof entries)[number];

/** One call of a contract. `Kept` is its state, as whoever asks has it. */
export interface Run<Kept = State> {
  /** one ES module, at most SOURCE_BYTES_MAX of UTF-8 */
  readonly source: string;
  readonly entry: Entry;
  readonly argument: Value;
  readonly height: number;
  /** UTC seconds of the block */
  readonly time_s: number;
  readonly parameters: Value;
  readonly state: Kept;
  readonly limits: Limits;
  /** Is told of each call that the contract makes, for whoever looks on: it changes nothing. */
  readonly onCall?: (call: GuestCall) => void;
}

/** What a contract has asked of its context: texts as they go between guest and host (value.ts). */
export interface GuestCall {
  readonly name: string;
  readonly texts: readonly string[];
  /** undefined where it answers nothing */
  readonly answer: string | undefined;
  /** why it was not allowed; undefined where it was */
  readonly refused: string | undefined;
  /** of the budget, so far */
  readonly used: number;
}

export interface Engine {
  /** The outcome, the same on every machine. Rejects with ENGINE_FAULT where this machine is at fault. */
  run(run: Run): Promise<Outcome>;
}

/** The platform's; types of Node have its types alone. */
declare const WebAssembly: { compile(bytes: Uint8Array): Promise<WebAssembly.Module> };

const STACK_BYTES = 262_144;
/** What a call of the host counts for, in turns of the engine that take as long. */
const TURNS_PER_CALL = 1_000;
/** What a key counts for that it looks at for a list. */
const TURNS_PER_KEY = 200;
/** What a character that it moves counts for: it is encoded, looked at and decoded. */
const TURNS_PER_CHARACTER = 8;
/** characters of what a guest says about its failure */
const DETAIL_LENGTH_MAX = 500;
/** WASI's EBADF */
const BAD_FILE = 8;
/** Hands the contract's exports to the prelude. */
const glue = 'import * as contract from "contract"; hold(contract);';
const intrinsics = Intrinsics.EVAL | Intrinsics.JSON | Intrinsics.MAP_SET | Intrinsics.PROMISE | Intrinsics.BIG_INT;
/** Clock and randomness stand still; nothing of the guest is printed. */
const still: WasiOptions = (memory) => {
  const view = () => new DataView(memory.buffer);
  return {
    clock_time_get(_clock: number, _precision: bigint, result: number) {
      view().setBigUint64(result, 0n, true);
      return 0;
    },
    random_get(at: number, length: number) {
      new Uint8Array(memory.buffer, at, length).fill(0);
      return 0;
    },
    fd_write() {
      return BAD_FILE;
    },
  };
};

/** What the prelude calls the host's functions by. */
const hostFunctions = ["read", "list", "write", "emit", "refuse"] as const;
const utf8 = new TextEncoder();

/** An engine of the pinned bytes. Rejects with ENGINE_FOREIGN for others. */
export async function createEngine(wasm: Uint8Array): Promise<Engine> {
  return engineOf(await prepareEngine(wasm));
}

/** What all engines of a process share: making it takes as long as hundreds of runs. Rejects with ENGINE_FOREIGN for other bytes. */
export async function prepareEngine(wasm: Uint8Array): Promise<Image> {
  return imageOf(await WebAssembly.compile(pinnedEngine(wasm)));
}

/** An engine of what was prepared, in this thread or in another. */
export function engineOf(image: Image): Engine {
  return { run: (run) => new Guest(run).outcome(image) };
}

/**
 * An instance behind the prelude as it lies in memory, before any contract: each run begins as a copy of it. It can be told to other
 * threads, which share the compiled code.
 */
export interface Image {
  readonly module: WebAssembly.Module;
  readonly snapshot: Snapshot;
  /** of what the prelude has answered */
  readonly guest: number;
}

/** What is the same for all runs. */
const settings = { wasi: still, intrinsics, maxStackSize: STACK_BYTES, timezoneOffset: 0 } as const;

async function imageOf(module: WebAssembly.Module): Promise<Image> {
  const vm = await QuickJS.create({ ...settings, wasm: module });
  try {
    const host = vm.newObject();
    for (const name of hostFunctions)
      vm.setProp(
        host,
        name,
        vm.newFunction(name, () => vm.undefined),
      );
    const guest = vm.callFunction(vm.evalCode(prelude, "prelude"), vm.undefined, host);
    return { module, guest: vm.exportHandle(guest), snapshot: vm.snapshot() };
  } finally {
    vm.dispose();
  }
}

/** The engine that counts, which its hash names in orders and blocks. */
function pinnedEngine(wasm: Uint8Array): Uint8Array {
  let engine: Uint8Array;
  try {
    engine = countTurns(wasm);
  } catch (cause) {
    throw new GridsealError("ENGINE_FOREIGN", `the contract engine is no module: ${reasonOf(cause)}`, { cause });
  }
  const hash = toHex(sha256(engine));
  if (hash === ENGINE_HASH) return engine;
  throw new GridsealError("ENGINE_FOREIGN", `the contract engine has hash ${hash}, not ${ENGINE_HASH}`);
}

/** What ends a run early. */
class Ended extends Error {
  readonly reason: Failure;

  constructor(reason: Failure, detail: string) {
    super(detail);
    this.reason = reason;
  }
}

/** One run in its own instance. */
class Guest {
  readonly #run: Run;
  readonly #journal: Journal;
  /** The engine's own count of turns that are left, once the contract's run begins. */
  #counter: Counter | undefined;
  /** the guest's memory ended while the host made a text in it */
  #isFull = false;
  /** what the module threw while it was evaluated */
  #rejection: { readonly name: string; readonly message: string } | undefined;
  /** what went wrong in the host while the guest called it */
  #fault: unknown;

  constructor(run: Run) {
    const { budget, pages, output } = run.limits;
    assertInvariant(isWhole(budget, 1, CONTRACT_BUDGET_MAX), "a budget is within its bounds");
    assertInvariant(isWhole(pages, CONTRACT_PAGES_MIN, CONTRACT_PAGES_MAX), "pages of a run are within their bounds");
    assertInvariant(isWhole(output, 0, CONTRACT_OUTPUT_MAX), "output of a run is within its bounds");
    this.#run = run;
    this.#journal = new Journal(run.state, output, run.time_s);
  }

  async outcome(image: Image): Promise<Outcome> {
    if (utf8.encode(this.#run.source).length > SOURCE_BYTES_MAX) {
      return {
        type: "failed",
        reason: "source",
        used: 0,
        detail: `its source has more than ${SOURCE_BYTES_MAX} bytes`,
      };
    }
    let vm: QuickJS | undefined;
    try {
      vm = await this.#start(image);
      return this.#finish(vm, vm.importHandle(image.guest));
    } catch (error) {
      if (error instanceof GridsealError) throw error;
      throw new GridsealError("ENGINE_FAULT", `a contract's run stopped outside of the contract: ${reasonOf(error)}`, {
        cause: error,
      });
    } finally {
      vm?.dispose();
    }
  }

  async #start({ module, snapshot }: Image): Promise<QuickJS> {
    const vm = await QuickJS.restore(snapshot, {
      ...settings,
      wasm: module,
      memoryLimit: this.#run.limits.pages * PAGE_BYTES,
      onUnhandledRejection: (_promise: JSValueHandle, reason: JSValueHandle) => {
        this.#rejection ??= { name: textOf(reason, "name"), message: textOf(reason, "message") };
      },
      moduleLoader: {
        load: (name: string) => {
          if (name === "contract") return this.#run.source;
          throw new NotAllowed(`a contract stands alone: it imports ${name}`);
        },
      },
    });
    this.#serve(vm);
    return vm;
  }

  get #used(): number {
    if (this.#counter === undefined) return 0;
    const spent = this.#turns - this.#counter.value;
    return Math.min(Number(spent / BigInt(TURNS_PER_BUDGET)), this.#run.limits.budget);
  }

  get #turns(): bigint {
    return BigInt(this.#run.limits.budget) * BigInt(TURNS_PER_BUDGET);
  }

  /** An engine whose counter is spent does nothing more, whatever the guest would catch. */
  get #isSpent(): boolean {
    return this.#counter !== undefined && this.#counter.value < 0n;
  }

  /** Counts what the host does for the guest. */
  #charge(turns: number): void {
    if (this.#counter !== undefined) this.#counter.value -= BigInt(turns);
  }

  #finish(vm: QuickJS, guest: JSValueHandle): Outcome {
    const ended = this.#end(vm, guest);
    if (this.#fault !== undefined) throw this.#fault;
    if (this.#isFull || ended?.reason === "memory") return this.#failed("memory", "it used up its memory");
    // The first that was refused, though the guest went on and ended otherwise.
    if (this.#isSpent) return this.#failed("budget", `it used more than ${this.#run.limits.budget} of its budget`);
    const { refused } = this.#journal;
    if (refused !== undefined) return this.#failed(refused.reason, refused.detail);
    if (ended !== undefined) return this.#failed(ended.reason, ended.message);
    return { type: "done", used: this.#used, writes: this.#journal.writes, emissions: this.#journal.emissions };
  }

  #failed(reason: Failure, detail: string): Failed {
    return { type: "failed", reason, used: this.#used, detail };
  }

  /** Runs it; why it ended early, or undefined where it came to its end. */
  #end(vm: QuickJS, guest: JSValueHandle): Ended | undefined {
    try {
      this.#call(vm, guest);
      return undefined;
    } catch (error) {
      if (error instanceof Ended) return error;
      // The engine stopped where its counter ended; wherever else it stops, it is at fault.
      if (this.#isSpent) return undefined;
      throw error;
    }
  }

  #call(vm: QuickJS, guest: JSValueHandle): void {
    const { entry, argument, height, time_s, parameters } = this.#run;
    vm.setProp(vm.global, "hold", guest.getProp("hold"));
    // From here on what runs is the contract's, its source's reading among it.
    this.#counter = counterOf(vm);
    this.#counter.value = this.#turns;
    const evaluated = this.#guest("source", () => vm.evalCode(glue, "gridseal", EvalFlags.TYPE_MODULE));
    // A module that throws while it is evaluated is a promise that is rejected; jobs are never run.
    if (evaluated.promiseState === 2) throw this.#ended("threw", this.#rejection ?? {});
    if (evaluated.promiseState === 0) throw new Ended("source", "its module awaits at the top");
    const declared = this.#guest("shape", () => vm.callFunction(guest.getProp("declared"), vm.undefined));
    this.#allowed(() => this.#journal.declare(declared.toString()));
    const block = toGuest({ height, time_s, parameters });
    const texts = [entry, toGuest(argument), block].map((text) => vm.newString(text));
    this.#guest("threw", () => vm.callFunction(guest.getProp("run"), vm.undefined, ...texts));
  }

  /** What the guest answers. Throws Ended where the guest throws; anything else is the host's. */
  #guest<T>(reason: Failure, call: () => T): T {
    try {
      return call();
    } catch (error) {
      if (error instanceof JSException) throw this.#ended(reason, error);
      throw error;
    }
  }

  #ended(reason: Failure, { name = "", message = "" }: { readonly name?: string; readonly message?: string }): Ended {
    return new Ended(
      isOutOfMemory({ name, message }) ? "memory" : reason,
      `${name}: ${message}`.slice(0, DETAIL_LENGTH_MAX),
    );
  }

  /** What the journal may refuse, on the host's own account: the refusal stands in the journal. */
  #allowed(act: () => void): void {
    try {
      act();
    } catch (error) {
      if (error instanceof NotAllowed) throw new Ended("threw", error.message);
      throw error;
    }
  }

  /** Answers the functions that the guest's side calls; texts go both ways. */
  #serve(vm: QuickJS): void {
    const journal = this.#journal;
    const add = (name: (typeof hostFunctions)[number], answer: HostFunction) => {
      const { onCall } = this.#run;
      const act = onCall === undefined ? answer : told(name, answer, (call) => onCall({ ...call, used: this.#used }));
      const call = (...handles: JSValueHandle[]) => {
        const texts = handles.map(String);
        const length = texts.reduce((sum, text) => sum + text.length, 0);
        this.#charge(TURNS_PER_CALL + TURNS_PER_CHARACTER * length);
        return this.#answer(vm, () => act(...texts));
      };
      vm.registerHostCallback(name, call);
    };
    const nothing = (act: () => void): undefined => act() as undefined;
    add("read", (key = "") => journal.read(key));
    add("list", (prefix = "") => {
      const { text, looked } = journal.list(prefix);
      this.#charge(TURNS_PER_KEY * looked);
      return text;
    });
    add("write", (key = "", value = "") => nothing(() => journal.write(key, value)));
    add("emit", (type = "", name = "", body = "", about = "") => nothing(() => journal.emit(type, name, body, about)));
    add("refuse", (reason = "", detail = "") => journal.refuse(reason as Failure, detail.slice(0, DETAIL_LENGTH_MAX)));
  }

  /** What is wrong in the host while the guest waits becomes a fault, not something that the guest sees. */
  #answer(vm: QuickJS, act: () => string | undefined): JSValueHandle {
    if (this.#isSpent) throw new NotAllowed("the run is over");
    try {
      const text = act();
      this.#charge(TURNS_PER_CHARACTER * (text?.length ?? 0));
      if (this.#isSpent) throw new NotAllowed("the run is over");
      return text === undefined ? vm.undefined : vm.newString(text);
    } catch (error) {
      if (error instanceof NotAllowed || this.#isSpent) throw error;
      // Thrown again it would be caught by the guest: its counter ends instead.
      this.#counter!.value = -1n;
      if (error instanceof JSException && isOutOfMemory(error)) this.#isFull = true;
      else this.#fault ??= error;
      throw new NotAllowed("the run is over");
    }
  }
}

/** A global of the engine. */
interface Counter {
  value: bigint;
}

function counterOf(vm: QuickJS): Counter {
  return (vm._getExports() as unknown as { readonly [COUNTER_NAME]: Counter })[COUNTER_NAME];
}

type HostFunction = (...texts: string[]) => string | undefined;

/** The same, of which each call is told. */
function told(name: string, act: HostFunction, tell: (call: Omit<GuestCall, "used">) => void): HostFunction {
  return (...texts) => {
    try {
      const answer = act(...texts);
      tell({ name, texts, answer, refused: undefined });
      return answer;
    } catch (error) {
      tell({ name, texts, answer: undefined, refused: reasonOf(error) });
      throw error;
    }
  };
}

/** A guest may imitate it; then its run has failed for a reason that it chose. */
function isOutOfMemory({ name, message }: { readonly name?: string; readonly message?: string }): boolean {
  return name === "InternalError" && message === "out of memory";
}

function textOf(thrown: JSValueHandle, name: string): string {
  if (!thrown.isObject) return name === "name" ? "thrown" : thrown.toString();
  const property = thrown.getOwnPropertyDescriptor(name)?.value ?? (name === "name" ? thrown.getProp(name) : undefined);
  return property?.isString ? property.toString() : "";
}

function isWhole(value: number, least: number, most: number): boolean {
  return Number.isSafeInteger(value) && value >= least && value <= most;
}
