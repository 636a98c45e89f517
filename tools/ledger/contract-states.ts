// What a chain's contracts remember, as their runs read it: each contract its own keys, in order, with how much it keeps.

import { OrderedKeys } from "./ordered-keys.js";
import type { StateChanges } from "./state-map.js";

/** Keys that one contract may keep. */
export const STATE_KEYS_MAX = 65_536;
/** Bytes of them with their encoded values. */
export const STATE_BYTES_MAX = 16_777_216;

/** What a contract keeps: its own keys, without its name, and their encoded values. */
export interface StateSize {
  readonly keys: number;
  /** of keys and values */
  readonly bytes: number;
}

export interface ContractStates {
  get(contract: string, key: string): Uint8Array | undefined;
  /** The contract's keys that begin with the prefix, ascending in the order of their UTF-8. */
  keysOf(contract: string, prefix: string): Iterable<string>;
  sizeOf(contract: string): StateSize;
}

interface Kept {
  readonly values: Map<string, Uint8Array>;
  readonly keys: OrderedKeys;
  bytes: number;
}

const utf8 = new TextEncoder();

/** Bytes that an entry counts for. */
export function entryBytes(key: string, value: Uint8Array): number {
  return utf8.encode(key).length + value.length;
}

/** In memory. */
export class HeldStates implements ContractStates {
  readonly #contracts = new Map<string, Kept>();

  get(contract: string, key: string): Uint8Array | undefined {
    return this.#contracts.get(contract)?.values.get(key);
  }

  keysOf(contract: string, prefix: string): Iterable<string> {
    return this.#contracts.get(contract)?.keys.under(prefix) ?? [];
  }

  sizeOf(contract: string): StateSize {
    const kept = this.#contracts.get(contract);
    return { keys: kept?.values.size ?? 0, bytes: kept?.bytes ?? 0 };
  }

  *entriesOf(contract: string): Generator<readonly [string, Uint8Array]> {
    const kept = this.#contracts.get(contract);
    if (kept !== undefined) for (const key of kept.keys.under("")) yield [key, kept.values.get(key)!];
  }

  set(contract: string, key: string, value: Uint8Array | undefined): void {
    const kept = this.#contracts.get(contract) ?? { values: new Map(), keys: new OrderedKeys(), bytes: 0 };
    this.#contracts.set(contract, kept);
    const before = kept.values.get(key);
    if (before !== undefined) kept.bytes -= entryBytes(key, before);
    if (value === undefined) {
      kept.values.delete(key);
      kept.keys.delete(key);
      return;
    }
    kept.values.set(key, value);
    kept.keys.add(key);
    kept.bytes += entryBytes(key, value);
  }

  /** Takes what a block has written, by whole keys: the contract's name, a slash, its own key. */
  apply(changes: StateChanges): void {
    for (const [whole, value] of changes) {
      const slash = Math.max(0, whole.indexOf("/"));
      this.set(whole.slice(0, slash), whole.slice(slash + 1), value);
    }
  }

  /** Forgets a contract's entries. */
  forget(contract: string): void {
    this.#contracts.delete(contract);
  }
}
