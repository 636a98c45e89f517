// Runs contracts: QuickJS in WebAssembly (quickjs-wasi), one pinned binary, a fresh instance for
// each run. Nothing of a machine reaches a run: no clock, no randomness, no locale, no stack of V8.
// What comes from outside of the guest is thrown as ENGINE_FAULT and is never an outcome.
//
// quickjs-wasi and not quickjs-emscripten: its memory limit counts every allocation, the guest
// cannot catch that it ended, and its imports are twelve with names, clock and randomness among them.

import { EvalFlags, Intrinsics, JSException, type JSValueHandle, QuickJS, type WasiOptions } from "quickjs-wasi";
import { toHex } from "../../src/wire/bytes.js";
import { sha256 } from "../../src/wire/hash.js";
import type { Value } from "../../src/wire/value.js";
import { assertInvariant, GridsealError, reasonOf } from "../errors.js";
import { ENGINE_HASH } from "../ledger/engines.js";
import type { Failed, Failure, Outcome } from "../ledger/outcome.js";
import { Journal, NotAllowed, type State } from "./journal.js";
import { BUDGET_MAX, type Limits, OUTPUT_MAX, PAGE_BYTES, PAGES_MAX, PAGES_MIN, SOURCE_BYTES_MAX } from "./limits.js";
import { prelude } from "./prelude.js";
import { toGuest } from "./value.js";

/** Functions that a contract may export. */
export const entries = ["operation", "message", "slot", "due"] as const;
export type Entry = (typeof entries)[number];

/** One call of a contract. */
export interface Run {
  /** one ES module, at most SOURCE_BYTES_MAX of UTF-8 */
  readonly source: string;
  readonly entry: Entry;
  readonly argument: Value;
  readonly height: number;
  /** UTC seconds of the block */
  readonly time_s: number;
  readonly parameters: Value;
  readonly state: State;
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
/** The engine asks once in so many calls and jumps; one of them is one piece of work. */
const WORK_PER_INTERRUPT = 10_000;
/** what a call of the host counts for, beside the characters that it moves */
const WORK_PER_CALL = 500;
/** characters of what a guest says about its failure */
const DETAIL_LENGTH_MAX = 500;
/** WASI's EBADF */
const BAD_FILE = 8;
/** Hands the contract's exports to the prelude. */
const glue = 'import * as contract from "contract"; hold(contract);';
const intrinsics = Intrinsics.EVAL | Intrinsics.JSON | Intrinsics.MAP_SET | Intrinsics.PROMISE | Intrinsics.BIG_INT;
const utf8 = new TextEncoder();

/** An engine of the pinned bytes. Rejects with ENGINE_FOREIGN for others. */
export async function createEngine(wasm: Uint8Array): Promise<Engine> {
  const hash = toHex(sha256(wasm));
  if (hash !== ENGINE_HASH) {
    throw new GridsealError("ENGINE_FOREIGN", `the contract engine has hash ${hash}, not ${ENGINE_HASH}`);
  }
  const module = await WebAssembly.compile(wasm);
  return { run: (run) => new Guest(run).outcome(module) };
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
  #work = 0;
  #isOver = false;
  /** the guest's memory ended while the host made a text in it */
  #isFull = false;
  /** what the module threw while it was evaluated */
  #rejection: { readonly name: string; readonly message: string } | undefined;
  /** what went wrong in the host while the guest called it */
  #fault: unknown;

  constructor(run: Run) {
    const { budget, pages, output } = run.limits;
    assertInvariant(isWhole(budget, 1, BUDGET_MAX), "a budget is within its bounds");
    assertInvariant(isWhole(pages, PAGES_MIN, PAGES_MAX), "pages of a run are within their bounds");
    assertInvariant(isWhole(output, 0, OUTPUT_MAX), "output of a run is within its bounds");
    this.#run = run;
    this.#journal = new Journal(run.state, output);
  }

  async outcome(module: WebAssembly.Module): Promise<Outcome> {
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
      vm = await this.#start(module);
      return this.#finish(vm);
    } catch (error) {
      if (error instanceof GridsealError) throw error;
      throw new GridsealError("ENGINE_FAULT", `a contract's run stopped outside of the contract: ${reasonOf(error)}`, {
        cause: error,
      });
    } finally {
      vm?.dispose();
    }
  }

  #start(module: WebAssembly.Module): Promise<QuickJS> {
    return QuickJS.create({
      wasm: module,
      wasi: still,
      intrinsics,
      memoryLimit: this.#run.limits.pages * PAGE_BYTES,
      maxStackSize: STACK_BYTES,
      timezoneOffset: 0,
      interruptHandler: () => {
        this.#charge(WORK_PER_INTERRUPT);
        return this.#isOver;
      },
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
  }

  get #used(): number {
    return Math.floor(this.#work / WORK_PER_INTERRUPT);
  }

  /** Counts work, of the guest's own loops or of the engine on its behalf. */
  #charge(work: number): void {
    this.#work += work;
    this.#isOver ||= this.#used > this.#run.limits.budget;
  }

  #finish(vm: QuickJS): Outcome {
    const ended = this.#end(vm);
    if (this.#fault !== undefined) throw this.#fault;
    if (this.#isFull || ended?.reason === "memory") return this.#failed("memory", "it used up its memory");
    // The first that was refused, though the guest went on and ended otherwise.
    if (this.#isOver) return this.#failed("budget", `it used more than ${this.#run.limits.budget} of its budget`);
    const { refused } = this.#journal;
    if (refused !== undefined) return this.#failed(refused.reason, refused.detail);
    if (ended !== undefined) return this.#failed(ended.reason, ended.message);
    return { type: "done", used: this.#used, writes: this.#journal.writes, emissions: this.#journal.emissions };
  }

  #failed(reason: Failure, detail: string): Failed {
    return { type: "failed", reason, used: Math.min(this.#used, this.#run.limits.budget), detail };
  }

  /** Runs it; why it ended early, or undefined where it came to its end. */
  #end(vm: QuickJS): Ended | undefined {
    try {
      this.#call(vm);
      return undefined;
    } catch (error) {
      if (error instanceof Ended) return error;
      throw error;
    }
  }

  #call(vm: QuickJS): void {
    const { entry, argument, height, time_s, parameters } = this.#run;
    const guest = this.#prepared(vm);
    vm.setProp(vm.global, "hold", guest.getProp("hold"));
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

  /** The prelude's answer. It is ours: that it throws is no failure of the contract. */
  #prepared(vm: QuickJS): JSValueHandle {
    try {
      return vm.callFunction(vm.evalCode(prelude, "prelude"), vm.undefined, this.#host(vm));
    } catch (error) {
      if (this.#isOver) throw new Ended("budget", "the prelude alone takes more than the budget");
      throw error;
    }
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

  /** The functions that the guest's side calls; texts go both ways. */
  #host(vm: QuickJS): JSValueHandle {
    const journal = this.#journal;
    const host = vm.newObject();
    const add = (name: string, answer: HostFunction) => {
      const { onCall } = this.#run;
      const act = onCall === undefined ? answer : told(name, answer, (call) => onCall({ ...call, used: this.#used }));
      const call = (...handles: JSValueHandle[]) => {
        const texts = handles.map(String);
        const length = texts.reduce((sum, text) => sum + text.length, 0);
        return this.#answer(vm, WORK_PER_CALL + length, () => act(...texts));
      };
      vm.setProp(host, name, vm.newFunction(name, call));
    };
    vm.setProp(
      host,
      "spend",
      vm.newFunction("spend", (work) => this.#answer(vm, work?.toNumber() ?? 0, () => undefined)),
    );
    const nothing = (act: () => void): undefined => act() as undefined;
    add("read", (key = "") => journal.read(key));
    add("list", (prefix = "") => journal.list(prefix));
    add("write", (key = "", value = "") => nothing(() => journal.write(key, value)));
    add("emit", (type = "", name = "", body = "", about = "") => nothing(() => journal.emit(type, name, body, about)));
    add("refuse", (reason = "", detail = "") => journal.refuse(reason as Failure, detail.slice(0, DETAIL_LENGTH_MAX)));
    return host;
  }

  /** What is wrong in the host while the guest waits becomes a fault, not something that the guest sees. */
  #answer(vm: QuickJS, work: number, act: () => string | undefined): JSValueHandle {
    this.#charge(work);
    if (this.#isOver) throw new NotAllowed("the run is over");
    try {
      const text = act();
      this.#charge(text?.length ?? 0);
      return text === undefined ? vm.undefined : vm.newString(text);
    } catch (error) {
      if (error instanceof NotAllowed) throw error;
      // Thrown again it would be caught by the guest: the run ends at the next interrupt instead.
      this.#isOver = true;
      if (error instanceof JSException && isOutOfMemory(error)) this.#isFull = true;
      else this.#fault ??= error;
      throw new NotAllowed("the run is over");
    }
  }
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
