// The handover: what proves with a chain's members of one height alone who its members are from the next height on. Every block binds
// the next height's member set in leaf 0 of its tree; the blocks that change it are handed on to whoever verifies receipts.

import { boundMembers } from "./block.js";
import { CODE_MAX, LEAVES_MAX } from "./bounds.js";
import { equalBytes } from "./bytes.js";
import { decodeCbor, encodeCbor } from "./cbor.js";
import { type Certificate, certificateFromArray, certificateToArray, verifyCertificate } from "./certificate.js";
import { WireError } from "./error.js";
import { type MemberKey, memberSetFromArray, memberSetHash, memberSetToArray } from "./genesis.js";
import { decodeHeader, HEADER_BYTES, headerHash } from "./header.js";
import type { Verify } from "./key.js";
import { leafHash, rootFromInclusion } from "./merkle.js";
import { asArray, asBytes, asHeight, asService, asText, asUint } from "./shape.js";

export const HANDOVER_BYTES_MAX = 32_768;
export const handoverLimits = { size: HANDOVER_BYTES_MAX, items: 2_048 };

export interface Handover {
  readonly network: string;
  readonly chain: number;
  /** of the block that changes the set; the new one counts from the next height on */
  readonly height: number;
  /** the entry of leaf 0 of the block's tree */
  readonly metadata: Uint8Array;
  /** leaves of the tree */
  readonly size: number;
  /** of leaf 0 */
  readonly path: readonly Uint8Array[];
  readonly header: Uint8Array;
  readonly certificate: Certificate;
  /** the new members in the order in which they propose */
  readonly members: readonly MemberKey[];
}

export function encodeHandover(handover: Handover): Uint8Array {
  return encodeCbor([
    1,
    handover.network,
    handover.chain,
    handover.height,
    handover.metadata,
    handover.size,
    handover.path,
    handover.header,
    certificateToArray(handover.certificate),
    memberSetToArray(handover.members),
  ]);
}

export function decodeHandover(bytes: Uint8Array): Handover {
  const fields = asArray(decodeCbor(bytes, handoverLimits), "handover", 10);
  const [version, network, chain, height, metadata, size, path, header, certificate, members] = fields;
  if (asUint(version, "handover version", CODE_MAX) !== 1) {
    throw new WireError("unsupported", `handover format version ${String(version)} is not supported`);
  }
  return {
    network: asText(network, "handover network", 32),
    chain: asService(chain, "handover chain"),
    height: asHeight(height, "handover height"),
    metadata: asBytes(metadata, "handover metadata"),
    size: asUint(size, "handover tree size", LEAVES_MAX),
    path: asArray(path, "handover path").map((hash) => asBytes(hash, "handover path hash", 32)),
    header: asBytes(header, "handover header", HEADER_BYTES),
    certificate: certificateFromArray(certificate),
    members: memberSetFromArray(members),
  };
}

/** Throws a WireError unless a quorum of `members`, those of the handover's own height, has sealed the new set. */
export function verifyHandover(
  handover: Handover,
  network: { readonly network: string; readonly hash: Uint8Array },
  members: readonly MemberKey[],
  verify: Verify,
): void {
  const { chain, height, metadata, header } = handover;
  if (handover.network !== network.network) {
    throw new WireError("unproven", `handover is of network ${handover.network}, not ${network.network}`);
  }
  const root = rootFromInclusion(leafHash(metadata), 0, handover.size, handover.path);
  if (root === undefined || !equalBytes(root, decodeHeader(header).merkleRoot)) {
    throw new WireError("unproven", "handover's path does not lead to the header's Merkle root");
  }
  const bound = boundMembers(metadata);
  if (bound.network !== handover.network || bound.chain !== chain || bound.height !== height) {
    throw new WireError("unproven", "handover's metadata is of another block");
  }
  if (!equalBytes(bound.memberSet, memberSetHash(members))) {
    throw new WireError("unproven", "handover's block was not for these members to seal");
  }
  if (!equalBytes(bound.nextMemberSet, memberSetHash(handover.members))) {
    throw new WireError("unproven", "handover's members are not those that the block binds");
  }
  const named = { genesisHash: network.hash, chain, height, headerHash: headerHash(header) };
  verifyCertificate(handover.certificate, named, members, verify);
}
