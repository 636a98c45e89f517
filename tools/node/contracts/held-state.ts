// What the thread of contracts holds of a chain's state, as the node knows it, and what it is to be told before a plan: nothing most
// often, what the newest block has written otherwise, a contract's whole state where it has not run there yet.

import { setImmediate as nextTurn } from "node:timers/promises";
import { equalBytes } from "../../../src/wire/bytes.js";
import { GridsealError } from "../../errors.js";
import { entryBytes } from "../../ledger/contract-states.js";
import type { RunPlan } from "../../ledger/run-plan.js";
import type { Told } from "./sandbox-message.js";

/** Bytes of a contract's state that are read in one turn of the event loop. */
const CHUNK_BYTES = 262_144;
/** Entries of it. */
const CHUNK_ENTRIES = 1_024;

export class HeldState {
  /** names of contracts */
  readonly #contracts = new Set<string>();
  /** the state that it is; undefined where it holds none */
  #root: Uint8Array | undefined;

  /** Has the thread hold the state of the plan's contracts. Rejects with ENGINE_FAULT where the chain goes on meanwhile. */
  async bring({ state, contracts }: Pick<RunPlan, "state" | "contracts">, tell: (told: Told) => void): Promise<void> {
    const root = Uint8Array.from(state.root);
    this.#advance(state, tell);
    for (const { name } of contracts) {
      if (this.#contracts.has(name)) continue;
      tell({ anew: name });
      for (const entries of chunksOf(state.entriesOf(name))) {
        tell({ contract: name, entries });
        await nextTurn();
        if (!equalBytes(state.root, root)) {
          throw new GridsealError("ENGINE_FAULT", "the chain went on while the state of its contracts was read");
        }
      }
      this.#contracts.add(name);
    }
  }

  /** From one root to that of the state; all is forgotten where the way is not known. */
  #advance(state: RunPlan["state"], tell: (told: Told) => void): void {
    const changes = this.#root === undefined ? undefined : state.changesSince(this.#root);
    this.#root = Uint8Array.from(state.root);
    if (changes === undefined) return this.#contracts.clear();
    const held = [...changes].filter(([key]) => this.#contracts.has(key.slice(0, key.indexOf("/"))));
    if (held.length > 0) tell({ changes: new Map(held) });
  }
}

function* chunksOf(entries: Iterable<readonly [string, Uint8Array]>) {
  let chunk: (readonly [string, Uint8Array])[] = [];
  let bytes = 0;
  for (const entry of entries) {
    chunk.push(entry);
    bytes += entryBytes(...entry);
    if (chunk.length < CHUNK_ENTRIES && bytes < CHUNK_BYTES) continue;
    yield chunk;
    chunk = [];
    bytes = 0;
  }
  yield chunk;
}
