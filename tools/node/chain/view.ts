// A chain's state as the rules see it, read from the store.

import { decodeBlock } from "../../../src/wire/block.js";
import { fromHex } from "../../../src/wire/bytes.js";
import { sha256 } from "../../../src/wire/hash.js";
import { GridsealError } from "../../errors.js";
import type { Store } from "../store/store.js";
import type { ChainView } from "./execution.js";

export function viewOf(store: Store, chain: number): ChainView {
  return {
    meter: (kid) => store.meter(chain, idBytes(kid)),
    origin: (node) => store.origin(chain, idBytes(node)),
    sealedHash(kid, seq) {
      const location = store.location(chain, idBytes(kid), seq);
      if (location === undefined) return undefined;
      const record = recordAt(store, chain, location.height, location.leaf);
      if (record === undefined) {
        throw new GridsealError(
          "STORE_CORRUPT",
          `chain ${chain}: block ${location.height} has no leaf ${location.leaf}`,
        );
      }
      return sha256(record);
    },
  };
}

/** The record at a leaf of a stored block. */
export function recordAt(store: Store, chain: number, height: number, leaf: number): Uint8Array | undefined {
  const bytes = store.block(chain, height);
  if (bytes === undefined) return undefined;
  let first = 1;
  for (const batch of decodeBlock(bytes).batches) {
    if (leaf < first + batch.records.length) return batch.records[leaf - first];
    first += batch.records.length;
  }
  return undefined;
}

function idBytes(id: string): Uint8Array {
  return fromHex(id)!;
}
