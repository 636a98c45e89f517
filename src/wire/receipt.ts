// The receipt: record hash, Merkle path, block header and commit certificate. With the genesis alone it proves a record sealed, and
// where members have changed since, with what leads to those of its height (lineage.ts).

import { CODE_MAX, LEAVES_MAX } from "./bounds.js";
import { equalBytes } from "./bytes.js";
import { type CborValue, decodeCbor, encodeCbor } from "./cbor.js";
import { byteStringHeadLength, encodeItems, writeByteStringHead } from "./cbor-pieces.js";
import { type Certificate, certificateFromArray, certificateToArray, verifyCertificate } from "./certificate.js";
import { WireError } from "./error.js";
import type { Genesis, MemberKey } from "./genesis.js";
import { guardCborPrefix } from "./guard.js";
import { HASH_BYTES } from "./hash.js";
import { decodeHeader, HEADER_BYTES, headerHash } from "./header.js";
import type { Verify } from "./key.js";
import { memberSets, membersAt, splitLineage } from "./lineage.js";
import { leafCount, leafHash, type MerkleLevels, rootFromInclusion, visitPath } from "./merkle.js";
import { asArray, asBytes, asHeight, asService, asText, asUint } from "./shape.js";

export const RECEIPT_BYTES_MAX = 16_384;
/** Of a proof of a state's value, whose end is as a receipt's (tools/ledger/state-proof.ts). */
export const STATE_PROOF_BYTES_MAX = 65_536;
const limits = { size: RECEIPT_BYTES_MAX, items: 1_024 };

export interface Receipt {
  readonly network: string;
  readonly chain: number;
  readonly height: number;
  /** SHA-256 of the record without its disclosures */
  readonly recordHash: Uint8Array;
  /** the record's leaf; leaf 0 is the block's metadata */
  readonly leaf: number;
  /** leaves of the tree */
  readonly size: number;
  readonly path: readonly Uint8Array[];
  readonly header: Uint8Array;
  readonly certificate: Certificate;
}

export function encodeReceipt(receipt: Receipt): Uint8Array {
  const { network, chain, height, recordHash, leaf, size, path, header, certificate } = receipt;
  return encodeCbor([1, network, chain, height, recordHash, leaf, size, path, header, certificateToArray(certificate)]);
}

/** Encodes receipts of one block's records: what they have in common, the most of each, is encoded once. */
export function receiptEncoder(
  block: Pick<Receipt, "network" | "chain" | "height" | "header" | "certificate">,
  tree: MerkleLevels,
): (leaf: number, recordHash: Uint8Array) => Uint8Array {
  const size = leafCount(tree);
  const before = encodeItems([1, block.network, block.chain, block.height]);
  const after = encodeItems([block.header, certificateToArray(block.certificate)]);
  const path = new Uint8Array(1 + tree.length * (2 + HASH_BYTES));
  return (leaf, recordHash) => {
    const own = encodeItems([recordHash, leaf, size]);
    const path_bytes = writePath(tree, leaf, path);
    const bytes = new Uint8Array(1 + before.length + own.length + path_bytes + after.length);
    bytes[0] = RECEIPT_HEAD;
    bytes.set(before, 1);
    bytes.set(own, 1 + before.length);
    bytes.set(path.subarray(0, path_bytes), 1 + before.length + own.length);
    bytes.set(after, bytes.length - after.length);
    return bytes;
  };
}

/** Writes the leaf's path as it is encoded and returns its length: an array for each of its hashes would cost more than the receipt. */
function writePath(tree: MerkleLevels, leaf: number, bytes: Uint8Array): number {
  let end = 1;
  visitPath(tree, leaf, (level, offset) => {
    bytes[end] = HASH_HEAD;
    bytes[end + 1] = HASH_BYTES;
    for (let index = 0; index < HASH_BYTES; index += 1) bytes[end + 2 + index] = level[offset + index]!;
    end += 2 + HASH_BYTES;
  });
  bytes[0] = ARRAY_HEAD | Math.floor(end / (2 + HASH_BYTES));
  return end;
}

/** Head of an array of so few items that it says their number: ten, or a path, which no tree makes longer than 23. */
const ARRAY_HEAD = 0x80;
const RECEIPT_HEAD = ARRAY_HEAD | 10;
/** Before the length of a byte string, where that takes a byte. */
const HASH_HEAD = 0x58;

export function decodeReceipt(bytes: Uint8Array): Receipt {
  const fields: readonly (CborValue | undefined)[] = asArray(decodeCbor(bytes, limits), "receipt", 10);
  const [version, network, chain, height, recordHash, leaf, size, path, header, certificate] = fields;
  if (asUint(version, "receipt version", CODE_MAX) !== 1) {
    throw new WireError("unsupported", `receipt format version ${String(version)} is not supported`);
  }
  return {
    network: asText(network, "receipt network", 32),
    chain: asService(chain, "receipt chain"),
    height: asHeight(height, "receipt height"),
    recordHash: asBytes(recordHash, "receipt record hash", 32),
    leaf: asUint(leaf, "receipt leaf", LEAVES_MAX - 1),
    size: asUint(size, "receipt tree size", LEAVES_MAX),
    path: asArray(path, "receipt path").map((hash) => asBytes(hash, "receipt path hash", 32)),
    header: asBytes(header, "receipt header", HEADER_BYTES),
    certificate: certificateFromArray(certificate),
  };
}

/** Headers of the blocks right before a receipt's that a node sends with it; at most these. */
export const LINKS_MAX = 16;

/** What a node sends a meter: the receipt, and in one byte string the headers before its own, the newest first. */
export interface SentReceipt {
  readonly receipt: Receipt;
  /** the receipt's own bytes */
  readonly bytes: Uint8Array;
  readonly links: Uint8Array;
}

/** A receipt with the headers before its own, the newest first; alone where there are none, or the whole would be too long. */
export function encodeSentReceipt(receipt: Uint8Array, links: readonly Uint8Array[]): Uint8Array {
  const length = links.length * HEADER_BYTES;
  const whole = receipt.length + byteStringHeadLength(length) + length;
  if (length === 0 || whole > RECEIPT_BYTES_MAX) return receipt;
  const bytes = new Uint8Array(whole);
  bytes.set(receipt);
  let end = writeByteStringHead(bytes, receipt.length, length);
  for (const header of links) {
    bytes.set(header, end);
    end += HEADER_BYTES;
  }
  return bytes;
}

/** Reads what a node sends. Whether the links lead anywhere is not looked at. */
export function decodeSentReceipt(sent: Uint8Array): SentReceipt {
  const bytes = sent.subarray(0, guardCborPrefix(sent, limits));
  const rest = sent.subarray(bytes.length);
  const links = rest.length === 0 ? rest : decodeCbor(rest, limits);
  if (!(links instanceof Uint8Array) || links.length % HEADER_BYTES !== 0 || links.length > LINKS_MAX * HEADER_BYTES)
    throw new WireError("shape", `behind a receipt stand 1 to ${LINKS_MAX} headers`);
  if (rest.length > 0 && links.length === 0) throw new WireError("shape", "behind a receipt stand no headers");
  return { receipt: decodeReceipt(bytes), bytes, links };
}

/** A receipt with what leads to the members of its height: a CBOR sequence (RFC 8742) of the one and the other. */
export interface ReceiptFile {
  readonly receipt: Receipt;
  readonly lineage: readonly Uint8Array[];
}

/** Reads a receipt that may be followed by its lineage. */
export function decodeReceiptFile(bytes: Uint8Array): ReceiptFile {
  const length = guardCborPrefix(bytes, limits);
  return { receipt: decodeReceipt(bytes.subarray(0, length)), lineage: splitLineage(bytes.subarray(length)) };
}

/** Throws a WireError unless the receipt proves that its record is sealed in a chain of this genesis, whose members have the lineage. */
export function verifyReceipt(
  receipt: Receipt,
  genesis: Genesis,
  verify: Verify,
  lineage: readonly Uint8Array[] = [],
): void {
  verifyInclusionOf(receipt, genesis);
  verifySealBehind(receipt, genesis, verify, lineage);
}

/** A header with its certificate, and where it stands: of a receipt, or of a proof of a state's value. */
export type Sealed = Pick<Receipt, "chain" | "height" | "header" | "certificate">;

/** Throws a WireError unless a quorum of the members that the lineage leads to at the height has signed the header. */
export function verifySealBehind(
  sealed: Sealed,
  genesis: Genesis,
  verify: Verify,
  lineage: readonly Uint8Array[],
): void {
  const members = membersAt(memberSets(genesis, sealed.chain, lineage, verify), sealed.height);
  if (members === undefined) throw new WireError("unproven", "it is of height 0, which no block has");
  verifySealOf(sealed, genesis, members, verify);
}

/** The half without signatures: the record's leaf leads to the header's Merkle root. */
export function verifyInclusionOf(receipt: Receipt, genesis: Genesis): void {
  if (receipt.network !== genesis.network) {
    throw new WireError("unproven", `receipt is of network ${receipt.network}, not ${genesis.network}`);
  }
  if (receipt.leaf === 0) throw new WireError("unproven", "receipt's leaf 0 is the block's metadata, not a record");
  const root = rootFromInclusion(leafHash(receipt.recordHash), receipt.leaf, receipt.size, receipt.path);
  if (root === undefined || !equalBytes(root, decodeHeader(receipt.header).merkleRoot)) {
    throw new WireError("unproven", "receipt's path does not lead to the header's Merkle root");
  }
}

/** The half with signatures, the same for every receipt of a block: a quorum of the members of its height signed the header. */
export function verifySealOf(receipt: Sealed, genesis: Genesis, members: readonly MemberKey[], verify: Verify): void {
  const block = {
    genesisHash: genesis.hash,
    chain: receipt.chain,
    height: receipt.height,
    headerHash: headerHash(receipt.header),
  };
  // A call in tail position takes no stack in XS, and what follows is the deepest that a meter goes.
  return verifyCertificate(receipt.certificate, block, members, verify);
}
