// The commit certificate: precommits of a quorum for one block in one round (Tendermint, arXiv 1807.04938, line 49).

import { NODES_MAX, ROUND_MAX } from "./bounds.js";
import { equalBytes, toHex } from "./bytes.js";
import { type CborValue, encodeCbor } from "./cbor.js";
import { WireError } from "./error.js";
import type { MemberKey } from "./genesis.js";
import type { Verify } from "./key.js";
import { quorum } from "./quorum.js";
import { asArray, asBytes, asList, asUint } from "./shape.js";

export interface Certificate {
  readonly round: number;
  /** in the order of the members, each at most once */
  readonly signatures: readonly { readonly node: Uint8Array; readonly signature: Uint8Array }[];
}

/** What a precommit signs: network by its genesis hash, chain, height, round and header hash; null is a vote for no block. */
export function precommitBytes(
  genesisHash: Uint8Array,
  chain: number,
  height: number,
  round: number,
  headerHash: Uint8Array | null,
): Uint8Array {
  return encodeCbor(["gs1/precommit", genesisHash, chain, height, round, headerHash]);
}

export function certificateToArray(certificate: Certificate): CborValue {
  return [certificate.round, certificate.signatures.map(({ node, signature }) => [node, signature])];
}

export function certificateFromArray(value: CborValue | undefined): Certificate {
  const [round, signatures] = asArray(value, "certificate", 2);
  return {
    round: asUint(round, "certificate round", ROUND_MAX),
    signatures: asList(signatures, "certificate signatures", NODES_MAX).map((item) => {
      const [node, signature] = asArray(item, "certificate signature", 2);
      return {
        node: asBytes(node, "certificate signer", 8),
        signature: asBytes(signature, "certificate signature", 64),
      };
    }),
  };
}

/** Throws a WireError unless a quorum of the members has signed this block of this chain and height. */
export function verifyCertificate(
  certificate: Certificate,
  block: {
    readonly genesisHash: Uint8Array;
    readonly chain: number;
    readonly height: number;
    readonly headerHash: Uint8Array;
  },
  members: readonly MemberKey[],
  verify: Verify,
): void {
  const needed = quorum(members.length);
  if (certificate.signatures.length < needed) {
    throw new WireError(
      "unproven",
      `certificate has ${certificate.signatures.length} signatures, ${needed} are needed`,
    );
  }
  const message = precommitBytes(block.genesisHash, block.chain, block.height, certificate.round, block.headerHash);
  let next = 0;
  for (let index = 0; index < certificate.signatures.length; index += 1) {
    const { node, signature } = certificate.signatures[index]!;
    while (next < members.length && !equalBytes(members[next]!.id, node)) next += 1;
    const member = members[next];
    if (member === undefined) throw new WireError("unproven", "certificate's signers are not members in their order");
    if (!verify(member.key, message, signature)) {
      throw new WireError("unproven", `certificate's signature of ${toHex(node)} does not verify`);
    }
    next += 1;
  }
}
