// What a chain's contracts remember, in memory: for whoever replays a chain without a store.

import { toHex } from "../../src/wire/bytes.js";
import { assertInvariant } from "../errors.js";
import type { EntriesResult } from "./entries.js";
import type { StateView } from "./execution.js";
import { EMPTY_STATE } from "./state-map.js";

export class MemoryState implements StateView {
  readonly #entries = new Map<string, Uint8Array>();
  readonly #nodes = new Map<string, Uint8Array>();
  #root: Uint8Array = EMPTY_STATE;

  get root(): Uint8Array {
    return this.#root;
  }

  node(hash: Uint8Array): Uint8Array {
    const node = this.#nodes.get(toHex(hash));
    assertInvariant(node !== undefined, "a state in memory has all its nodes");
    return node;
  }

  *entriesOf(contract: string): Generator<readonly [string, Uint8Array]> {
    const prefix = `${contract}/`;
    for (const [key, value] of this.#entries) if (key.startsWith(prefix)) yield [key.slice(prefix.length), value];
  }

  /** All entries, by their whole keys. */
  get entries(): ReadonlyMap<string, Uint8Array> {
    return this.#entries;
  }

  /** Takes what a block has written. */
  apply({ writes, state }: Pick<EntriesResult, "writes" | "state">): void {
    for (const [key, value] of writes) {
      if (value === undefined) this.#entries.delete(key);
      else this.#entries.set(key, value);
    }
    for (const hash of state.removed) this.#nodes.delete(hash);
    for (const [hash, node] of state.added) this.#nodes.set(hash, node);
    this.#root = state.root;
  }
}
