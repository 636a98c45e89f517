// The proof of what a chain's contracts remember under a key, or that they remember nothing: PROTOCOL.md, section 14. The path of the
// state leads to the root in leaf 0 of a block, from there on it is as a receipt is. Pure: a browser verifies it as well.

import { boundMembers } from "../../src/wire/block.js";
import { CODE_MAX, LEAVES_MAX } from "../../src/wire/bounds.js";
import { equalBytes } from "../../src/wire/bytes.js";
import { type CborValue, decodeCbor, encodeCbor } from "../../src/wire/cbor.js";
import { type Certificate, certificateFromArray, certificateToArray } from "../../src/wire/certificate.js";
import { WireError } from "../../src/wire/error.js";
import type { Genesis } from "../../src/wire/genesis.js";
import { guardCborPrefix } from "../../src/wire/guard.js";
import { HASH_BYTES } from "../../src/wire/hash.js";
import { decodeHeader, HEADER_BYTES } from "../../src/wire/header.js";
import type { Verify } from "../../src/wire/key.js";
import { splitLineage } from "../../src/wire/lineage.js";
import { leafHash, rootFromInclusion } from "../../src/wire/merkle.js";
import { STATE_PROOF_BYTES_MAX, verifySealBehind } from "../../src/wire/receipt.js";
import { asArray, asBytes, asHeight, asService, asText, asUint } from "../../src/wire/shape.js";
import { provesState, STATE_DEPTH_MAX, type StateLeaf, type StatePath } from "./state-map.js";

const limits = { size: STATE_PROOF_BYTES_MAX, items: 1_024 };
const metadataLimits = { size: 8_192, items: 512 };
/** Characters of a whole key: a contract's name, a slash, 256 bytes of its own. */
export const STATE_KEY_MAX = 289;
/** Bytes of an encoded value. */
const VALUE_BYTES_MAX = 16_384;
/** Among the items of a block's metadata. */
const STATE_ROOT_PLACE = 14;

export interface StateProof {
  readonly network: string;
  readonly chain: number;
  /** of the block after which the state is this */
  readonly height: number;
  /** the contract's name, a slash, its own key */
  readonly key: string;
  /** as the contract has encoded it; undefined where there is none */
  readonly value: Uint8Array | undefined;
  readonly path: StatePath;
  /** the entry of leaf 0 of the block's tree */
  readonly metadata: Uint8Array;
  /** leaves of the tree */
  readonly size: number;
  /** of leaf 0 */
  readonly inclusion: readonly Uint8Array[];
  readonly header: Uint8Array;
  readonly certificate: Certificate;
}

/** A proof with what leads to the members of its height, as in a receipt's file. */
export interface StateProofFile {
  readonly proof: StateProof;
  readonly lineage: readonly Uint8Array[];
}

export function encodeStateProof(proof: StateProof): Uint8Array {
  const { siblings, other } = proof.path;
  return encodeCbor([
    ...[1, proof.network, proof.chain, proof.height, proof.key, proof.value ?? null],
    ...[siblings, other === undefined ? null : [other.keyHash, other.valueHash]],
    ...[proof.metadata, proof.size, proof.inclusion, proof.header, certificateToArray(proof.certificate)],
  ]);
}

/** Throws a WireError where the bytes are no proof of a state. */
export function decodeStateProof(bytes: Uint8Array): StateProof {
  const fields: readonly (CborValue | undefined)[] = asArray(decodeCbor(bytes, limits), "state proof", 13);
  const [version, network, chain, height, key, value, siblings, other, metadata, size, inclusion, header, certificate] =
    fields;
  if (asUint(version, "state proof version", CODE_MAX) !== 1) {
    throw new WireError("unsupported", `state proof format version ${String(version)} is not supported`);
  }
  return {
    network: asText(network, "state proof network", 32),
    chain: asService(chain, "state proof chain"),
    height: asHeight(height, "state proof height"),
    key: asText(key, "state proof key", STATE_KEY_MAX),
    value: value === null ? undefined : valueFrom(value),
    path: { siblings: siblingsFrom(siblings), other: other === null ? undefined : leafFrom(other) },
    metadata: asBytes(metadata, "state proof metadata"),
    size: asUint(size, "state proof tree size", LEAVES_MAX),
    inclusion: asArray(inclusion, "state proof inclusion").map((hash) => asBytes(hash, "inclusion hash", HASH_BYTES)),
    header: asBytes(header, "state proof header", HEADER_BYTES),
    certificate: certificateFromArray(certificate),
  };
}

/** Reads a proof that may be followed by its lineage. */
export function decodeStateProofFile(bytes: Uint8Array): StateProofFile {
  const length = guardCborPrefix(bytes, limits);
  return { proof: decodeStateProof(bytes.subarray(0, length)), lineage: splitLineage(bytes.subarray(length)) };
}

/**
 * Throws a WireError unless a chain of this genesis, whose members have the lineage, has sealed that the key has this value, or none,
 * after the block of the height.
 */
export function verifyStateProof(
  proof: StateProof,
  genesis: Genesis,
  verify: Verify,
  lineage: readonly Uint8Array[] = [],
): void {
  const { network, chain, height, metadata } = proof;
  if (network !== genesis.network) {
    throw new WireError("unproven", `state proof is of network ${network}, not ${genesis.network}`);
  }
  const root = rootFromInclusion(leafHash(metadata), 0, proof.size, proof.inclusion);
  if (root === undefined || !equalBytes(root, decodeHeader(proof.header).merkleRoot)) {
    throw new WireError("unproven", "state proof's metadata does not lead to the header's Merkle root");
  }
  const bound = boundMembers(metadata);
  if (bound.network !== network || bound.chain !== chain || bound.height !== height) {
    throw new WireError("unproven", "state proof's metadata is of another block");
  }
  if (!provesState(stateRootIn(metadata), proof, proof.path)) {
    throw new WireError("unproven", "state proof's path does not lead to the block's state root");
  }
  verifySealBehind(proof, genesis, verify, lineage);
}

/** The root of the state after the block with this metadata. */
function stateRootIn(metadata: Uint8Array): Uint8Array {
  const items = asArray(decodeCbor(metadata, metadataLimits), "metadata", 16);
  return asBytes(items[STATE_ROOT_PLACE], "metadata state root", HASH_BYTES);
}

function valueFrom(value: CborValue | undefined): Uint8Array {
  const bytes = asBytes(value, "state proof value");
  if (bytes.length <= VALUE_BYTES_MAX) return bytes;
  throw new WireError("limit", `state proof's value has ${bytes.length} bytes`);
}

function siblingsFrom(value: CborValue | undefined): Uint8Array[] {
  const siblings = asArray(value, "state proof siblings");
  if (siblings.length > STATE_DEPTH_MAX) throw new WireError("limit", "state proof has too many siblings");
  return siblings.map((hash) => asBytes(hash, "sibling", HASH_BYTES));
}

function leafFrom(value: CborValue | undefined): StateLeaf {
  const [keyHash, valueHash] = asArray(value, "state proof leaf", 2);
  return {
    keyHash: asBytes(keyHash, "leaf's key", HASH_BYTES),
    valueHash: asBytes(valueHash, "leaf's value", HASH_BYTES),
  };
}
