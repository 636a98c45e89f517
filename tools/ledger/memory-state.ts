// What a chain's contracts remember, in memory: for whoever replays a chain without a store.

import { toHex } from "../../src/wire/bytes.js";
import { assertInvariant } from "../errors.js";
import { HeldStates, type StateSize } from "./contract-states.js";
import type { EntriesResult } from "./entries.js";
import type { StateView } from "./execution.js";
import { StateHistory } from "./state-history.js";
import { EMPTY_STATE, type StateChanges } from "./state-map.js";

export class MemoryState implements StateView {
  readonly #held = new HeldStates();
  readonly #nodes = new Map<string, Uint8Array>();
  readonly #history = new StateHistory();
  #root: Uint8Array = EMPTY_STATE;

  get root(): Uint8Array {
    return this.#root;
  }

  node(hash: Uint8Array): Uint8Array {
    const node = this.#nodes.get(toHex(hash));
    assertInvariant(node !== undefined, "a state in memory has all its nodes");
    return node;
  }

  get(contract: string, key: string): Uint8Array | undefined {
    return this.#held.get(contract, key);
  }

  keysOf(contract: string, prefix: string): Iterable<string> {
    return this.#held.keysOf(contract, prefix);
  }

  sizeOf(contract: string): StateSize {
    return this.#held.sizeOf(contract);
  }

  entriesOf(contract: string): Iterable<readonly [string, Uint8Array]> {
    return this.#held.entriesOf(contract);
  }

  changesSince(root: Uint8Array): StateChanges | undefined {
    return this.#history.changesSince(root, this.#root);
  }

  /** Takes what a block has written. */
  apply({ writes, state }: Pick<EntriesResult, "writes" | "state">): void {
    this.#held.apply(writes);
    this.#history.note(this.#root, state.root, writes);
    for (const hash of state.removed) this.#nodes.delete(hash);
    for (const [hash, node] of state.added) this.#nodes.set(hash, node);
    this.#root = state.root;
  }
}
