// Table `lineage`: what proves the member set that counts from a height on (src/wire/lineage.ts), by that height.

import { type BlockKey, chainIn, chainRange } from "../../store/keys.js";
import type { StoreReader } from "../../store/store.js";
import { asIs, sha256Checksum, type Table } from "../../store/table.js";

export const lineage: Table<BlockKey, Uint8Array> = {
  name: "lineage",
  describe: (key) => `lineage of chain ${chainIn(key)}`,
  encode: asIs,
  decode: asIs,
  checksum: sha256Checksum,
};

/** What leads to the members of the chain's next height, oldest first. */
export function lineageOf(store: StoreReader, chain: number): Uint8Array[] {
  return store.range(lineage, chainRange(chain)).map(({ row }) => row);
}
