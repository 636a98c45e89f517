// The outline of a block: header, certificate, metadata with its anchors, and the records' hashes. Receipts are made of it; it is
// what stays of a block whose records a node has let go of.

import { type Block, metadataEntry } from "../../../src/wire/block.js";
import { equalBytes } from "../../../src/wire/bytes.js";
import { decodeCbor, encodeCbor } from "../../../src/wire/cbor.js";
import { type Certificate, certificateFromArray, certificateToArray } from "../../../src/wire/certificate.js";
import { sha256 } from "../../../src/wire/hash.js";
import { decodeHeader, HEADER_BYTES } from "../../../src/wire/header.js";
import { leafHash, type MerkleLevels, merkleLevels, rootOfLevels } from "../../../src/wire/merkle.js";
import { asArray, asBytes } from "../../../src/wire/shape.js";

const HASH_BYTES = 32;
const limits = { size: 4_194_304, items: 1_024 };

export interface Outline {
  readonly header: Uint8Array;
  readonly certificate: Certificate;
  /** the entry of leaf 0 */
  readonly metadata: Uint8Array;
  /** of the records, in the order of their leaves from leaf 1 on */
  readonly hashes: readonly Uint8Array[];
}

export function outlineOf(block: Block): Outline {
  const hashes = block.batches.flatMap((batch) => batch.records.map(sha256));
  return { header: block.header, certificate: block.certificate, metadata: metadataEntry(block), hashes };
}

/** The block's Merkle tree; undefined where it is not the one that the header commits to. */
export function treeOfOutline({ header, metadata, hashes }: Outline): MerkleLevels | undefined {
  const tree = merkleLevels([leafHash(metadata), ...hashes.map(leafHash)]);
  return equalBytes(rootOfLevels(tree), decodeHeader(header).merkleRoot) ? tree : undefined;
}

export function encodeOutline({ header, certificate, metadata, hashes }: Outline): Uint8Array {
  const joined = new Uint8Array(HASH_BYTES * hashes.length);
  for (const [index, hash] of hashes.entries()) joined.set(hash, HASH_BYTES * index);
  return encodeCbor([header, certificateToArray(certificate), metadata, joined]);
}

/** Throws a WireError where the bytes are no outline. */
export function decodeOutline(bytes: Uint8Array): Outline {
  const [header, certificate, metadata, joined] = asArray(decodeCbor(bytes, limits), "outline", 4);
  const hashes = asBytes(joined, "outline's hashes");
  return {
    header: asBytes(header, "outline's header", HEADER_BYTES),
    certificate: certificateFromArray(certificate),
    metadata: asBytes(metadata, "outline's metadata"),
    hashes: Array.from({ length: Math.floor(hashes.length / HASH_BYTES) }, (_, index) =>
      hashes.subarray(HASH_BYTES * index, HASH_BYTES * (index + 1)),
    ),
  };
}
