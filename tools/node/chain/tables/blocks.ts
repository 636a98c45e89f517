// Tables `blocks` and `outlines`: the sealed chain, a block whole or what is left of it once the node has let go of its records.

import { type BlockKey, blockKey, chainIn, heightIn } from "../../store/keys.js";
import { decodeOutline, encodeOutline, type Outline } from "../../store/outline.js";
import { asIs, sha256Checksum, type Table } from "../../store/table.js";
import type { Writer } from "../../store/writer.js";

export const blocks: Table<BlockKey, Uint8Array> = {
  name: "blocks",
  describe: (key) => `block ${heightIn(key)} of chain ${chainIn(key)}`,
  encode: asIs,
  decode: asIs,
  checksum: sha256Checksum,
};

export const outlines: Table<BlockKey, Outline> = {
  name: "outlines",
  describe: (key) => `outline of block ${heightIn(key)} of chain ${chainIn(key)}`,
  encode: encodeOutline,
  decode: decodeOutline,
  checksum: sha256Checksum,
};

/** Puts a block's outline in its place, and lets go of the block. */
export function putOutline(writer: Writer, chain: number, height: number, outline: Outline): void {
  writer.put(outlines, blockKey(chain, height), outline);
  writer.delete(blocks, blockKey(chain, height));
}
