// That a point has taken and given so much in a slot: its row, the path to the root that the slot's leaf states, the leaf, and the
// leaf's receipt. Whoever has the genesis verifies it without a node.

import { CODE_MAX, WORD_MAX } from "./bounds.js";
import { equalBytes } from "./bytes.js";
import { decodeCbor, encodeCbor } from "./cbor.js";
import { WireError } from "./error.js";
import type { Genesis } from "./genesis.js";
import { guardCborPrefix } from "./guard.js";
import { HASH_BYTES, sha256 } from "./hash.js";
import type { Verify } from "./key.js";
import { splitLineage } from "./lineage.js";
import { inclusionPath, leafHash, rootFromInclusion } from "./merkle.js";
import { decodeReceipt, type Receipt, verifyReceipt } from "./receipt.js";
import { asArray, asBytes, asList, asUint } from "./shape.js";
import { decodePointRow, decodeSlotItem, type PointRow, type SealedSlot, slotTree } from "./slot.js";

export const SLOT_PROOF_BYTES_MAX = 24_576;
const limits = { size: SLOT_PROOF_BYTES_MAX, items: 64 };
/** Of a tree of 2^32 rows. */
const PATH_MAX = 32;
const VERSION = 1;
const ARRAY_OF_SIX = 0x86;

export interface SlotProof {
  /** encoded */
  readonly row: Uint8Array;
  readonly index: number;
  readonly path: readonly Uint8Array[];
  /** what the slot's leaf stands for */
  readonly leaf: Uint8Array;
  readonly receipt: Uint8Array;
}

/** A proof with what leads to the members of its height. */
export interface SlotProofFile {
  readonly proof: SlotProof;
  readonly lineage: readonly Uint8Array[];
}

/** What a proof proves. */
export interface ProvedRow {
  readonly row: PointRow;
  readonly slot: SealedSlot;
  readonly receipt: Receipt;
}

/** The proof of one of a slot's encoded rows. */
export function proofOfRow(
  rows: readonly Uint8Array[],
  index: number,
  sealed: { readonly leaf: Uint8Array; readonly receipt: Uint8Array },
): Uint8Array {
  const path = inclusionPath(slotTree(rows), index);
  return encodeCbor([VERSION, rows[index]!, index, path, sealed.leaf, sealed.receipt]);
}

/** Whether a file holds a proof of a row, and no receipt. */
export function isSlotProof(bytes: Uint8Array): boolean {
  return bytes[0] === ARRAY_OF_SIX;
}

/** Reads a proof that may be followed by its lineage; throws a WireError where it is none. */
export function decodeSlotProofFile(bytes: Uint8Array): SlotProofFile {
  const length = guardCborPrefix(bytes, limits);
  return { proof: decodeSlotProof(bytes.subarray(0, length)), lineage: splitLineage(bytes.subarray(length)) };
}

function decodeSlotProof(bytes: Uint8Array): SlotProof {
  const [version, row, index, path, leaf, receipt] = asArray(decodeCbor(bytes, limits), "proof of a slot", 6);
  if (asUint(version, "proof version", CODE_MAX) !== VERSION) {
    throw new WireError("unsupported", `proof format version ${String(version)} is not supported`);
  }
  return {
    row: asBytes(row, "proof row"),
    index: asUint(index, "proof index", WORD_MAX),
    path: asList(path, "proof path", PATH_MAX).map((hash) => asBytes(hash, "proof path hash", HASH_BYTES)),
    leaf: asBytes(leaf, "proof leaf"),
    receipt: asBytes(receipt, "proof receipt"),
  };
}

/** What the proof proves; throws a WireError where it proves nothing in a chain of this genesis. */
export function verifySlotProof({ proof, lineage }: SlotProofFile, genesis: Genesis, verify: Verify): ProvedRow {
  const row = decodePointRow(proof.row);
  const { chain, height, ...slot } = decodeSlotItem(proof.leaf);
  const root = rootFromInclusion(leafHash(proof.row), proof.index, slot.points, proof.path);
  if (root === undefined || !equalBytes(root, slot.root)) {
    throw new WireError("unproven", "the row's path does not lead to the slot's root");
  }
  const receipt = decodeReceipt(proof.receipt);
  if (receipt.chain !== chain || receipt.height !== height || !equalBytes(receipt.recordHash, sha256(proof.leaf))) {
    throw new WireError("unproven", "the receipt is of something else than the slot's leaf");
  }
  verifyReceipt(receipt, genesis, verify, lineage);
  return { row, slot, receipt };
}
