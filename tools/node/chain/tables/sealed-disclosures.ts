// Table `sealedDisclosures`: what records' digests hide, as nodes have encrypted it whose temporary blocks hold them. Every member of the
// chain has all of them. Which one of a record opens nobody can tell before it is opened, so that one makes no other's go.

import { toHex } from "../../../../src/wire/bytes.js";
import { decodeSealed, encodeSealed, type SealedDisclosures } from "../../../../src/wire/sealed-disclosure.js";
import { chainIn, type HashKey, hashKey, idIn, makerKey, makersRange, numberIn } from "../../store/keys.js";
import type { StoreReader } from "../../store/store.js";
import { crc32Checksum, type Table } from "../../store/table.js";
import type { Writer } from "../../store/writer.js";

/** By meter, number, the record's hash and who has encrypted it: of a fork there are two, and of a record that two nodes have taken. */
export const sealedDisclosures: Table<HashKey, SealedDisclosures> = {
  name: "sealedDisclosures",
  describe: (key) =>
    `sealed disclosures of record ${numberIn(key)} of meter ${toHex(idIn(key))} on chain ${chainIn(key)}`,
  encode: encodeSealed,
  decode: decodeSealed,
  checksum: crc32Checksum,
  isTakenOver: true,
  takeOver(key, row, { self, encrypted, put }) {
    put(sealedDisclosures, key, row);
    const chain = chainIn(key);
    if (sealedKey({ chain, origin: self }, row).equals(key)) encrypted.add(toHex(row.recordHash));
  },
};

/** Whose they are. */
export interface SealedPlace {
  readonly chain: number;
  /** id of the node that has encrypted them */
  readonly origin: Uint8Array;
}

export function sealedKey(
  { chain, origin }: SealedPlace,
  { kid, seq, recordHash }: Pick<SealedDisclosures, "kid" | "seq" | "recordHash">,
): HashKey {
  return makerKey(hashKey(chain, kid, seq, recordHash), origin);
}

export function putSealed(writer: Writer, place: SealedPlace, sealed: SealedDisclosures): void {
  writer.put(sealedDisclosures, sealedKey(place, sealed), sealed);
}

/** What nodes have encrypted of a record, by its `hashKey`. Throws STORE_CORRUPT. */
export function sealedOf(store: StoreReader, record: HashKey) {
  return store.range(sealedDisclosures, makersRange(record));
}
