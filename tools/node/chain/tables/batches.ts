// Tables `batches` and `acceptances`: temporary blocks that no block seals yet, with their origins' signatures, and a quorum's
// acknowledgements of each where they are known.

import { chainIn, chainRange, idIn, type NumberKey, numberIn, numberKey } from "../../store/keys.js";
import type { StoreReader } from "../../store/store.js";
import { asIs, sha256Checksum, type Table } from "../../store/table.js";
import type { Writer } from "../../store/writer.js";

export const batches: Table<NumberKey, Uint8Array> = {
  name: "batches",
  describe: (key) => `a temporary block of chain ${chainIn(key)}`,
  encode: asIs,
  decode: asIs,
  checksum: sha256Checksum,
};

export const acceptances: Table<NumberKey, Uint8Array> = {
  name: "acceptances",
  describe: (key) => `a temporary block's acceptance of chain ${chainIn(key)}`,
  encode: asIs,
  decode: asIs,
  checksum: sha256Checksum,
};

export interface StoredBatch {
  readonly origin: Uint8Array;
  readonly number: number;
  readonly bytes: Uint8Array;
  readonly acceptance: Uint8Array | undefined;
}

export function storedBatches(store: StoreReader, chain: number): StoredBatch[] {
  return store.range(batches, chainRange(chain)).map(({ key, row }) => ({
    origin: idIn(key),
    number: numberIn(key),
    bytes: row,
    acceptance: store.get(acceptances, key),
  }));
}

/** Removes a temporary block and its acceptance. */
export function deleteBatch(writer: Writer, chain: number, origin: Uint8Array, number: number): void {
  writer.delete(batches, numberKey(chain, origin, number));
  writer.delete(acceptances, numberKey(chain, origin, number));
}
