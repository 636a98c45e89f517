// Table `sealedDisclosures`: what records' digests hide, encrypted by their original nodes. Every member of the chain has all of them.

import { toHex } from "../../../../src/wire/bytes.js";
import { decodeSealed, encodeSealed, type SealedDisclosures } from "../../../../src/wire/sealed-disclosure.js";
import { chainIn, type HashKey, hashKey, idIn, numberIn } from "../../store/keys.js";
import { crc32Checksum, type Table } from "../../store/table.js";
import type { Writer } from "../../store/writer.js";

/** By meter, number and the record's hash: of a fork there are two. */
export const sealedDisclosures: Table<HashKey, SealedDisclosures> = {
  name: "sealedDisclosures",
  describe: (key) =>
    `sealed disclosures of record ${numberIn(key)} of meter ${toHex(idIn(key))} on chain ${chainIn(key)}`,
  encode: encodeSealed,
  decode: decodeSealed,
  checksum: crc32Checksum,
  isTakenOver: true,
};

export function sealedKey(
  chain: number,
  { kid, seq, recordHash }: Omit<SealedDisclosures, "envelope" | "nonce" | "ciphertext">,
): HashKey {
  return hashKey(chain, kid, seq, recordHash);
}

export function putSealed(writer: Writer, chain: number, sealed: SealedDisclosures): void {
  writer.put(sealedDisclosures, sealedKey(chain, sealed), sealed);
}
