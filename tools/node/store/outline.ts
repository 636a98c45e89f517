// The outline of a block: header, certificate, metadata with its anchors, and the hashes of its records and effects. Receipts are made of it; it is
// what stays of a block whose records a node has let go of.

import { type Block, effectHashes, metadataEntry } from "../../../src/wire/block.js";
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
  /** of outcomes and effects, in the order of their leaves behind the records */
  readonly effects: readonly Uint8Array[];
}

export function outlineOf(block: Block): Outline {
  const hashes = block.batches.flatMap((batch) => batch.records.map(sha256));
  const { header, certificate } = block;
  return { header, certificate, metadata: metadataEntry(block), hashes, effects: effectHashes(block) };
}

/** The block's Merkle tree; undefined where it is not the one that the header commits to. */
export function treeOfOutline({ header, metadata, hashes, effects }: Outline): MerkleLevels | undefined {
  const tree = merkleLevels([leafHash(metadata), ...hashes.map(leafHash), ...effects.map(leafHash)]);
  return equalBytes(rootOfLevels(tree), decodeHeader(header).merkleRoot) ? tree : undefined;
}

export function encodeOutline({ header, certificate, metadata, hashes, effects }: Outline): Uint8Array {
  return encodeCbor([header, certificateToArray(certificate), metadata, joined(hashes), joined(effects)]);
}

function joined(hashes: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(HASH_BYTES * hashes.length);
  for (const [index, hash] of hashes.entries()) bytes.set(hash, HASH_BYTES * index);
  return bytes;
}

function apart(bytes: Uint8Array): Uint8Array[] {
  return Array.from({ length: Math.floor(bytes.length / HASH_BYTES) }, (_, index) =>
    bytes.subarray(HASH_BYTES * index, HASH_BYTES * (index + 1)),
  );
}

/** Throws a WireError where the bytes are no outline. */
export function decodeOutline(bytes: Uint8Array): Outline {
  const [header, certificate, metadata, hashes, effects] = asArray(decodeCbor(bytes, limits), "outline", 5);
  return {
    header: asBytes(header, "outline's header", HEADER_BYTES),
    certificate: certificateFromArray(certificate),
    metadata: asBytes(metadata, "outline's metadata"),
    hashes: apart(asBytes(hashes, "outline's hashes")),
    effects: apart(asBytes(effects, "outline's effects")),
  };
}
