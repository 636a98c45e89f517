// A chain's state as the rules see it, read from the store.

import { decodeBlock } from "../../../src/wire/block.js";
import { fromHex } from "../../../src/wire/bytes.js";
import { sha256 } from "../../../src/wire/hash.js";
import { GridsealError } from "../../errors.js";
import type { Store } from "../store/store.js";
import type { ChainView } from "./execution.js";

export function viewOf(store: Store, chain: number): ChainView {
  /** records of the block looked into last: what is sealed again comes from one block mostly */
  let looked: { readonly height: number; readonly records: readonly Uint8Array[] } | undefined;
  const recordAt = (height: number, leaf: number): Uint8Array | undefined => {
    if (looked?.height !== height) looked = { height, records: recordsOf(store, chain, height) };
    return looked.records[leaf - 1];
  };
  return {
    meter: (kid) => store.meter(chain, idBytes(kid)),
    origin: (node) => store.origin(chain, idBytes(node)),
    faults: (node) => store.faults(chain, idBytes(node)),
    sealedHash(kid, seq) {
      const meter = idBytes(kid);
      if (seq > (store.meter(chain, meter)?.high ?? -1)) return undefined;
      const location = store.location(chain, meter, seq);
      if (location === undefined) return undefined;
      const record = recordAt(location.height, location.leaf);
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

/** A stored block's records in the order of their leaves; none where there is no such block. */
function recordsOf(store: Store, chain: number, height: number): readonly Uint8Array[] {
  const bytes = store.block(chain, height);
  return bytes === undefined ? [] : decodeBlock(bytes).batches.flatMap((batch) => batch.records);
}

function idBytes(id: string): Uint8Array {
  return fromHex(id)!;
}
