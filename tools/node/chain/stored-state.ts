// A chain's state as the rules see it, read from the store.

import { decodeBlockViews } from "../../../src/wire/block.js";
import { fromHex } from "../../../src/wire/bytes.js";
import { sha256 } from "../../../src/wire/hash.js";
import { GridsealError } from "../../errors.js";
import type { ChainView } from "../../ledger/execution.js";
import type { Store } from "../store/store.js";

export function viewOf(store: Store, chain: number): ChainView {
  /** the block looked into last: what is sealed again comes from one block mostly */
  let looked: { readonly height: number; readonly hashAt: (leaf: number) => Uint8Array | undefined } | undefined;
  return {
    meter: (kid) => store.meter(chain, idBytes(kid)),
    origin: (node) => store.origin(chain, idBytes(node)),
    faults: (node) => store.faults(chain, idBytes(node)),
    sealedHash(kid, seq) {
      const meter = idBytes(kid);
      if (seq > (store.meter(chain, meter)?.high ?? -1)) return undefined;
      const location = store.location(chain, meter, seq);
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
function hashesOf(store: Store, chain: number, height: number): (leaf: number) => Uint8Array | undefined {
  const bytes = store.block(chain, height);
  if (bytes === undefined) {
    const hashes = store.outline(chain, height)?.hashes ?? [];
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
