// What a chain's contracts remember, in memory: for whoever replays a chain without a store.

import { compareBytes, toHex } from "../../src/wire/bytes.js";
import { assertInvariant } from "../errors.js";
import type { EntriesResult } from "./entries.js";
import type { StateView } from "./execution.js";
import { DUE_PREFIX } from "./reserved-keys.js";
import { EMPTY_STATE } from "./state-map.js";

export class MemoryState implements StateView {
  readonly #entries = new Map<string, Uint8Array>();
  /** keys of deadlines, ascending */
  readonly #due: string[] = [];
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

  value(key: string): Uint8Array | undefined {
    return this.#entries.get(key);
  }

  firstDue(limit: number): readonly string[] {
    return this.#due.slice(0, limit);
  }

  /** All entries, by their whole keys. */
  get entries(): ReadonlyMap<string, Uint8Array> {
    return this.#entries;
  }

  /** Takes what a block has written. */
  apply({ writes, state }: Pick<EntriesResult, "writes" | "state">): void {
    for (const [key, value] of writes) {
      if (key.startsWith(DUE_PREFIX)) this.#order(key, value !== undefined);
      if (value === undefined) this.#entries.delete(key);
      else this.#entries.set(key, value);
    }
    for (const hash of state.removed) this.#nodes.delete(hash);
    for (const [hash, node] of state.added) this.#nodes.set(hash, node);
    this.#root = state.root;
  }

  #order(key: string, isThere: boolean): void {
    let low = 0;
    let high = this.#due.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareUtf8(this.#due[middle]!, key) < 0) low = middle + 1;
      else high = middle;
    }
    const isKnown = this.#due[low] === key;
    if (isThere && !isKnown) this.#due.splice(low, 0, key);
    if (!isThere && isKnown) this.#due.splice(low, 1);
  }
}

const utf8 = new TextEncoder();

/** As a store has its keys in order: by their bytes. */
function compareUtf8(one: string, other: string): number {
  return compareBytes(utf8.encode(one), utf8.encode(other));
}
