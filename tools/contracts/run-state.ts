// The state that a run finds: what stands behind the block before, and over it what the runs before this one have written.

import { type ContractStates, entryBytes, HeldStates, type StateSize } from "../ledger/contract-states.js";

/** A contract's own keys with their encoded values. */
export interface State {
  get(key: string): Uint8Array | undefined;
  /** Those that begin with the prefix, in no order. */
  keys(prefix: string): Listing;
  readonly size: StateSize;
}

export interface Listing {
  readonly keys: Iterable<string>;
  /** how many keys were looked at: the same wherever the state is */
  readonly looked: number;
}

/** The state of one contract among those of its chain. */
export function stateIn(states: ContractStates, contract: string): State {
  return {
    get: (key) => states.get(contract, key),
    keys(prefix) {
      const keys = [...states.keysOf(contract, prefix)];
      return { keys, looked: keys.length };
    },
    size: states.sizeOf(contract),
  };
}

/** A state of these entries alone. */
export function stateOf(entries: ReadonlyMap<string, Uint8Array>): State {
  const states = new HeldStates();
  for (const [key, value] of entries) states.set("", key, value);
  return stateIn(states, "");
}

/** A state with what is written over it; the one below stays as it is. */
export class WrittenState implements State {
  readonly #below: State;
  readonly #writes = new Map<string, Uint8Array | null>();
  #size: StateSize;

  constructor(below: State) {
    this.#below = below;
    this.#size = below.size;
  }

  /** Keys with what they get; null removes one. */
  get writes(): ReadonlyMap<string, Uint8Array | null> {
    return this.#writes;
  }

  get size(): StateSize {
    return this.#size;
  }

  get(key: string): Uint8Array | undefined {
    const written = this.#writes.get(key);
    return written === undefined ? this.#below.get(key) : (written ?? undefined);
  }

  keys(prefix: string): Listing {
    const { keys, looked } = this.#below.keys(prefix);
    const found = new Set(keys);
    for (const [key, value] of this.#writes) {
      if (!key.startsWith(prefix)) continue;
      if (value === null) found.delete(key);
      else found.add(key);
    }
    return { keys: found, looked: looked + this.#writes.size };
  }

  /** How large the state would be with this key so. */
  sizeWith(key: string, value: Uint8Array | null): StateSize {
    const before = this.get(key);
    const { keys, bytes } = this.#size;
    return {
      keys: keys - (before === undefined ? 0 : 1) + (value === null ? 0 : 1),
      bytes:
        bytes - (before === undefined ? 0 : entryBytes(key, before)) + (value === null ? 0 : entryBytes(key, value)),
    };
  }

  set(key: string, value: Uint8Array | null): void {
    this.#size = this.sizeWith(key, value);
    this.#writes.set(key, value);
  }
}
