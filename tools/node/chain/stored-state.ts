// A chain's state as the rules see it, read from the store.

import { decodeBlockViews } from "../../../src/wire/block.js";
import { fromHex, toHex } from "../../../src/wire/bytes.js";
import { sha256 } from "../../../src/wire/hash.js";
import { decodeValue } from "../../../src/wire/value.js";
import { BoundedMap } from "../../bounded-map.js";
import { GridsealError } from "../../errors.js";
import type { ChainView, StateView } from "../../ledger/execution.js";
import { chainSentTo } from "../../ledger/reserved-keys.js";
import { EMPTY_STATE } from "../../ledger/state-map.js";
import {
  blockKey,
  chainKey,
  contractRange,
  dueRange,
  idKey,
  nodeKey,
  sentRange,
  stateKey,
  stateKeyIn,
} from "../store/keys.js";
import type { StoreReader } from "../store/store.js";
import { blocks, outlines } from "./tables/blocks.js";
import { contractState } from "./tables/contract-state.js";
import { credentials } from "./tables/credentials.js";
import { heads } from "./tables/heads.js";
import { locationOf } from "./tables/runs.js";
import { stateNodes } from "./tables/state-nodes.js";
import { faults, meters, origins } from "./tables/states.js";

/** Blocks whose hashes are kept, of 4,000 records at most each. */
const LOOKED_KEPT = 32;

export function viewOf(store: StoreReader, chain: number): ChainView {
  /** by height, of the blocks looked into last: what is sealed again comes from few, and whoever means harm takes turns between them */
  const looked = new BoundedMap<number, readonly Uint8Array[]>(LOOKED_KEPT);
  return {
    meter: (kid) => store.get(meters, idKey(chain, idBytes(kid))),
    origin: (node) => store.get(origins, idKey(chain, idBytes(node))),
    faults: (node) => store.get(faults, idKey(chain, idBytes(node))) ?? [],
    sealedHash(kid, seq) {
      const meter = idBytes(kid);
      if (seq > (store.get(meters, idKey(chain, meter))?.high ?? -1)) return undefined;
      const location = locationOf(store, chain, meter, seq);
      if (location === undefined) return undefined;
      const { height, leaf } = location;
      const hashes = looked.get(height) ?? hashesOf(store, chain, height);
      if (!looked.has(height)) looked.set(height, hashes);
      const hash = hashes[leaf - 1];
      if (hash !== undefined) return hash;
      throw new GridsealError("STORE_CORRUPT", `chain ${chain}: block ${height} has no leaf ${leaf}`);
    },
    credential: (kid) => store.get(credentials, idKey(chain, idBytes(kid))),
    state: stateOf(store, chain),
  };
}

/** What the chain's contracts remember. */
export function stateOf(store: StoreReader, chain: number): StateView {
  return {
    get root() {
      return store.get(heads, chainKey(chain))?.stateRoot ?? EMPTY_STATE;
    },
    node(hash) {
      const node = store.get(stateNodes, nodeKey(chain, hash));
      if (node !== undefined) return node;
      throw new GridsealError("STORE_CORRUPT", `chain ${chain}: node ${toHex(hash)} of its state is missing`);
    },
    value: (key) => store.get(contractState, stateKey(chain, key)),
    firstDue: (limit) => store.range(contractState, { ...dueRange(chain), limit }).map(({ key }) => stateKeyIn(key)),
    *entriesOf(contract) {
      const prefix = contract.length + 1;
      for (const { key, row } of store.range(contractState, contractRange(chain, contract))) {
        yield [stateKeyIn(key).slice(prefix), row];
      }
    },
  };
}

/** How many messages a chain has sent to another. */
export interface Sent {
  readonly target: number;
  readonly sent: number;
}

/** To which chains a chain has sent messages, and how many. */
export function sentFrom(store: StoreReader, chain: number): Sent[] {
  return store.range(contractState, sentRange(chain)).map(({ key, row }) => ({
    target: chainSentTo(stateKeyIn(key)),
    sent: Number(decodeValue(row)),
  }));
}

/** Hashes of a stored block's records in the order of their leaves, from leaf 1 on, whether the records are still here or not. */
function hashesOf(store: StoreReader, chain: number, height: number): readonly Uint8Array[] {
  const key = blockKey(chain, height);
  const bytes = store.get(blocks, key);
  if (bytes === undefined) return store.get(outlines, key)?.hashes ?? [];
  return decodeBlockViews(bytes).batches.flatMap(({ records }) => records.map(sha256));
}

function idBytes(id: string): Uint8Array {
  return fromHex(id)!;
}
