// A chain's state as the rules see it, read from the store.

import { fromHex, toHex } from "../../../src/wire/bytes.js";
import { GridsealError } from "../../errors.js";
import type { ChainView, StateView } from "../../ledger/execution.js";
import { EMPTY_STATE } from "../../ledger/state-map.js";
import { chainKey, contractRange, idKey, nodeKey, stateKeyIn } from "../store/keys.js";
import type { StoreReader } from "../store/store.js";
import { contractState } from "./tables/contract-state.js";
import { credentials } from "./tables/credentials.js";
import { heads } from "./tables/heads.js";
import { locationOf } from "./tables/runs.js";
import { stateNodes } from "./tables/state-nodes.js";
import { faults, meters, origins } from "./tables/states.js";

export function viewOf(store: StoreReader, chain: number): ChainView {
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
    *entriesOf(contract) {
      const prefix = contract.length + 1;
      for (const { key, row } of store.range(contractState, contractRange(chain, contract))) {
        yield [stateKeyIn(key).slice(prefix), row];
      }
    },
  };
}

function idBytes(id: string): Uint8Array {
  return fromHex(id)!;
}
