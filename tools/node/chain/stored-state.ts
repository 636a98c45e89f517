// A chain's state as the rules see it, read from the store.

import { decodeBlockViews } from "../../../src/wire/block.js";
import { fromHex } from "../../../src/wire/bytes.js";
import { sha256 } from "../../../src/wire/hash.js";
import { GridsealError } from "../../errors.js";
import type { ChainView } from "../../ledger/execution.js";
import { blockKey, idKey } from "../store/keys.js";
import type { StoreReader } from "../store/store.js";
import { blocks, outlines } from "./tables/blocks.js";
import { locationOf } from "./tables/runs.js";
import { faults, meters, origins } from "./tables/states.js";

export function viewOf(store: StoreReader, chain: number): ChainView {
  /** the block looked into last: what is sealed again comes from one block mostly */
  let looked: { readonly height: number; readonly hashAt: (leaf: number) => Uint8Array | undefined } | undefined;
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
      if (looked?.height !== height) looked = { height, hashAt: hashesOf(store, chain, height) };
      const hash = looked.hashAt(leaf);
      if (hash !== undefined) return hash;
      throw new GridsealError("STORE_CORRUPT", `chain ${chain}: block ${height} has no leaf ${leaf}`);
    },
  };
}

/** Hashes of a stored block's records by their leaves, whether the records are still here or not. */
function hashesOf(store: StoreReader, chain: number, height: number): (leaf: number) => Uint8Array | undefined {
  const key = blockKey(chain, height);
  const bytes = store.get(blocks, key);
  if (bytes === undefined) {
    const hashes = store.get(outlines, key)?.hashes ?? [];
    return (leaf) => hashes[leaf - 1];
  }
  const records = decodeBlockViews(bytes).batches.flatMap((batch) => batch.records);
  return (leaf) => {
    const record = records[leaf - 1];
    return record === undefined ? undefined : sha256(record);
  };
}

function idBytes(id: string): Uint8Array {
  return fromHex(id)!;
}
