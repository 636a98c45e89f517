// A chain's state as the rules see it, read from the store.

import { fromHex, toHex } from "../../../src/wire/bytes.js";
import { decodeValue } from "../../../src/wire/value.js";
import { GridsealError } from "../../errors.js";
import { entryBytes } from "../../ledger/contract-states.js";
import type { ChainView, StateView } from "../../ledger/execution.js";
import { chainSentTo, SENT_PREFIX } from "../../ledger/reserved-keys.js";
import type { SettlementView } from "../../ledger/settlement/settle.js";
import { StateHistory } from "../../ledger/state-history.js";
import { EMPTY_STATE, type StateChanges } from "../../ledger/state-map.js";
import {
  chainKey,
  chainRange,
  idIn,
  idKey,
  type KeyRange,
  keyBehind,
  nodeKey,
  prefixRange,
  slotKey,
  stateKey,
  stateKeyIn,
} from "../store/keys.js";
import type { StoreReader } from "../store/store.js";
import { contractState } from "./tables/contract-state.js";
import { credentials } from "./tables/credentials.js";
import { heads } from "./tables/heads.js";
import { locationOf } from "./tables/runs.js";
import { counters, settlements, slots } from "./tables/settlement.js";
import { stateNodes } from "./tables/state-nodes.js";
import { faults, meters, origins } from "./tables/states.js";

/** Entries of a contract's state that are read at once. */
const ENTRIES_READ = 256;
/** Counters of meters that are read at once. */
const COUNTERS_READ = 500;

export function viewOf(store: StoreReader, chain: number): ChainView & { readonly state: StoredState } {
  return {
    meter: (kid) => store.get(meters, idKey(chain, idBytes(kid))),
    origin: (node) => store.get(origins, idKey(chain, idBytes(node))),
    faults: (node) => store.get(faults, idKey(chain, idBytes(node))) ?? [],
    sealedHash(kid, seq) {
      const meter = idBytes(kid);
      if (seq > (store.get(meters, idKey(chain, meter))?.high ?? -1)) return undefined;
      return locationOf(store, chain, meter, seq)?.hash;
    },
    credential: (kid) => store.get(credentials, idKey(chain, idBytes(kid))),
    state: stateOf(store, chain),
    settlement: settlementOf(store, chain),
  };
}

/** Where the chain's settlement stands. */
export function settlementOf(store: StoreReader, chain: number): SettlementView {
  return {
    get head() {
      return store.get(settlements, chainKey(chain));
    },
    counters: (meter) => store.get(counters, idKey(chain, idBytes(meter))),
    *all() {
      for (let range: KeyRange = chainRange(chain); ; ) {
        const rows = store.range(counters, { ...range, limit: COUNTERS_READ });
        for (const { key, row } of rows) yield [toHex(idIn(key)), row];
        const last = rows.at(-1);
        if (last === undefined || rows.length < COUNTERS_READ) return;
        range = { ...range, start: keyBehind(last.key) };
      }
    },
    rows(start_s) {
      const row = store.get(slots, slotKey(chain, start_s));
      if (row !== undefined) return row.rows;
      throw new GridsealError("STORE_CORRUPT", `chain ${chain}: rows of slot ${start_s} are missing`);
    },
  };
}

/** What the chain's contracts remember. Whoever seals blocks notes what each has written. */
export interface StoredState extends StateView {
  note(before: Uint8Array, after: Uint8Array, changes: StateChanges): void;
}

export function stateOf(store: StoreReader, chain: number): StoredState {
  const history = new StateHistory();
  const rootOf = () => store.get(heads, chainKey(chain))?.stateRoot ?? EMPTY_STATE;
  return {
    get root() {
      return rootOf();
    },
    node(hash) {
      const node = store.get(stateNodes, nodeKey(chain, hash));
      if (node !== undefined) return node;
      throw new GridsealError("STORE_CORRUPT", `chain ${chain}: node ${toHex(hash)} of its state is missing`);
    },
    get: (contract, key) => store.get(contractState, stateKey(chain, `${contract}/${key}`)),
    *keysOf(contract, prefix) {
      for (const [key] of entriesUnder(store, chain, { contract, prefix })) yield key;
    },
    sizeOf(contract) {
      const size = { keys: 0, bytes: 0 };
      for (const entry of entriesUnder(store, chain, { contract, prefix: "" })) {
        size.keys += 1;
        size.bytes += entryBytes(...entry);
      }
      return size;
    },
    entriesOf: (contract) => entriesUnder(store, chain, { contract, prefix: "" }),
    changesSince: (root) => history.changesSince(root, rootOf()),
    note: (before, after, changes) => history.note(before, after, changes),
  };
}

/** How many messages a chain has sent to another. */
export interface Sent {
  readonly target: number;
  readonly sent: number;
}

/** To which chains a chain has sent messages, and how many. */
export function sentFrom(store: StoreReader, chain: number): Sent[] {
  return store.range(contractState, prefixRange(chain, SENT_PREFIX)).map(({ key, row }) => ({
    target: chainSentTo(stateKeyIn(key)),
    sent: Number(decodeValue(row)),
  }));
}

/** A contract's own keys under the prefix with their values, ascending; read some at a time. */
function* entriesUnder(
  store: StoreReader,
  chain: number,
  { contract, prefix }: { readonly contract: string; readonly prefix: string },
): Generator<readonly [string, Uint8Array]> {
  const range = prefixRange(chain, `${contract}/${prefix}`);
  for (let start = range.start; ; ) {
    const rows = store.range(contractState, { ...range, start, limit: ENTRIES_READ });
    for (const { key, row } of rows) yield [stateKeyIn(key).slice(contract.length + 1), row];
    if (rows.length < ENTRIES_READ) return;
    start = keyBehind(rows.at(-1)!.key);
  }
}

function idBytes(id: string): Uint8Array {
  return fromHex(id)!;
}
