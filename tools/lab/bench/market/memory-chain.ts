// A chain in memory whose contracts run in the nodes' engine, block by block, in the state that a node would keep: for months of blocks
// that nobody waits for. There are no signatures and no consensus; `npm run bench` measures these.

import type { CalledKind } from "../../../../src/wire/entry.js";
import { decodeOutput, type Value } from "../../../../src/wire/value.js";
import { createEngine, type Engine } from "../../../contracts/engine.js";
import { defaultLimits } from "../../../contracts/limits.js";
import { runPlan } from "../../../contracts/run-plan.js";
import { assertInvariant } from "../../../errors.js";
import { orderWrites, passedDue, passedWrites } from "../../../ledger/deadlines.js";
import { MemoryState } from "../../../ledger/memory-state.js";
import type { Done } from "../../../ledger/outcome.js";
import { KIND_CALLS_MAX, kindShare, type PlannedContract } from "../../../ledger/run-plan.js";
import { STATE_NODE_BYTES, updateState } from "../../../ledger/state-map.js";
import { readEngine } from "../../../node/contracts/sandbox.js";
import { bundleContract } from "../../../provisioning/contracts/bundle.js";

export interface Installed {
  readonly name: string;
  /** path of its source */
  readonly file: string;
  readonly parameters?: { readonly [name: string]: Value };
}

export interface Called {
  readonly contract: string;
  readonly entry: CalledKind;
  readonly argument: Value;
}

/** What a run has put out: an effect, or a message where `service` says to which chain. */
export interface Said {
  readonly name: string;
  readonly body: Uint8Array;
  readonly service?: number;
}

let engine: Promise<Engine> | undefined;

export class MemoryChain {
  readonly #contracts: readonly PlannedContract[];
  readonly #parameters: readonly Value[];
  readonly #state = new MemoryState();
  #height = 0;
  #sealed_bytes = 0;
  #nodes = 0;

  private constructor(contracts: readonly PlannedContract[], parameters: readonly Value[]) {
    this.#contracts = contracts;
    this.#parameters = parameters;
  }

  static async install(installed: readonly Installed[]): Promise<MemoryChain> {
    const limits = { ...defaultLimits, output: kindShare.output };
    const contracts = installed.map(async ({ name, file }) => {
      return { name, source: (await bundleContract(file)).source, limits, taken: [] };
    });
    return new MemoryChain(
      await Promise.all(contracts),
      installed.map(({ parameters = {} }) => parameters),
    );
  }

  get height(): number {
    return this.#height;
  }

  /** Bytes of effects and messages that blocks have sealed. */
  get sealed_bytes(): number {
    return this.#sealed_bytes;
  }

  /** Bytes of what the contracts keep, and of the nodes of the map over it. */
  get kept_bytes(): number {
    const own = this.#contracts.reduce((sum, { name }) => sum + this.#state.sizeOf(name).bytes, 0);
    return own + STATE_NODE_BYTES * this.#nodes;
  }

  /** Blocks for these calls and the deadlines that have passed, as many as they take. What a run denies or fails at ends the benchmark. */
  async call(time_s: number, calls: readonly Called[]): Promise<Said[]> {
    const said: Said[] = [];
    let waiting = calls;
    while (waiting.length > 0 || passedDue(this.#state, 1_000 * time_s).length > 0) {
      const done = await this.#block(time_s, waiting.slice(0, KIND_CALLS_MAX));
      said.push(...done.said);
      waiting = [...done.postponed, ...waiting.slice(KIND_CALLS_MAX)];
    }
    return said;
  }

  async #block(time_s: number, calls: readonly Called[]) {
    engine ??= readEngine().then(createEngine);
    this.#height += 1;
    const passed = passedDue(this.#state, 1_000 * time_s);
    const hidden = passedWrites(passed);
    const due = passed.map(({ contract, key, time_s: due_s, body }): Called => {
      return { contract, entry: "due", argument: { key, time_s: due_s, body } };
    });
    const all = [...calls, ...due];
    const contracts = this.#contracts.map((contract) => ({ ...contract, taken: ownKeys(hidden, contract.name) }));
    const planned = all.map(({ contract: name, entry, argument }) => {
      const contract = contracts.findIndex((each) => each.name === name);
      return { contract, entry, argument, parameters: this.#parameters[contract]!, hops: 0 };
    });
    const plan = { height: this.#height, time_s, contracts, calls: planned, state: this.#state };
    const results = await runPlan(await engine, plan);
    const writes = new Map<string, Uint8Array | undefined>(hidden);
    const said: Said[] = [];
    const postponed: Called[] = [];
    for (const [index, result] of results.entries()) {
      const call = all[index]!;
      if (result.type === "postponed") {
        assertInvariant(call.entry !== "due", "a block has room for its deadlines");
        postponed.push(call);
        continue;
      }
      assertInvariant(result.type === "done", `${call.contract} runs: ${"detail" in result ? result.detail : ""}`);
      for (const [key, value] of result.writes) writes.set(`${call.contract}/${key}`, value ?? undefined);
      said.push(...saidIn(call, result));
    }
    for (const [key, value] of orderWrites(this.#state, writes)) writes.set(key, value);
    const state = updateState(this.#state, this.#state.root, writes);
    this.#state.apply({ writes, state });
    this.#nodes += state.added.size - state.removed.size;
    for (const { name, body } of said) this.#sealed_bytes += name.length + body.length;
    return { said, postponed };
  }
}

function saidIn({ contract }: Called, { emissions }: Done): Said[] {
  return emissions.flatMap((emission): Said[] => {
    const { type, name, body } = emission;
    assertInvariant(type !== "denial", `${contract} grants all: ${name} ${JSON.stringify(decodeOutput(body))}`);
    if (type === "violation") return [];
    return [{ name, body, ...(type === "message" && { service: emission.service }) }];
  });
}

function ownKeys(hidden: ReadonlyMap<string, undefined>, name: string): string[] {
  return [...hidden.keys()].flatMap((key) => (key.startsWith(`${name}/`) ? [key.slice(name.length + 1)] : []));
}
