// The members of a chain at one height: who may vote, acknowledge and cut temporary blocks, and how many of them are a quorum. The
// set of the first height is the genesis', or that of the order that added the chain; each block binds the next height's.

import { type Acknowledgement, acknowledgementBytes, type BatchName } from "../../src/wire/batch.js";
import { toHex } from "../../src/wire/bytes.js";
import { type MemberKey, memberSetHash } from "../../src/wire/genesis.js";
import type { PublicKey, Verify } from "../../src/wire/key.js";
import { quorum } from "../../src/wire/quorum.js";

export interface MemberSet {
  /** in the order in which they propose */
  readonly members: readonly MemberKey[];
  /** the same by their ids as hex */
  readonly ids: readonly string[];
  /** what blocks bind */
  readonly hash: Uint8Array;
  /** members whose agreement is binding */
  readonly quorum: number;
  /** how many members are to verify a temporary block */
  readonly verifiers: number;
  /** how many of a quorum's acknowledgements say at least that they have: who fails cannot stop a chain where all are to verify */
  readonly verifiedNeeded: number;
  has(node: string): boolean;
  keyOf(node: string): PublicKey | undefined;
}

export function memberSetOf(members: readonly MemberKey[], verifiers: number): MemberSet {
  const keys = new Map(members.map((member) => [toHex(member.id), member.key]));
  return {
    members,
    ids: [...keys.keys()],
    hash: memberSetHash(members),
    quorum: quorum(members.length),
    verifiers,
    verifiedNeeded: Math.min(verifiers, quorum(members.length)),
    has: (node) => keys.has(node),
    keyOf: (node) => keys.get(node),
  };
}

/** A temporary block as far as its acceptance goes. */
interface Accepted {
  readonly origin: Uint8Array;
  readonly acknowledgements: readonly Pick<Acknowledgement, "node" | "verified">[];
}

/**
 * What is wrong with the acceptance of a temporary block by this set: it is a member's, a quorum acknowledged, in their order, and as
 * many of them as are to verify say that they have. Signatures are not checked.
 */
export function acceptanceComplaint(set: MemberSet, { origin, acknowledgements }: Accepted): string | undefined {
  if (!set.has(toHex(origin))) return "is not of a member of the chain";
  if (acknowledgements.length < set.quorum) {
    return `has ${acknowledgements.length} acknowledgements, ${set.quorum} are needed`;
  }
  const verified = acknowledgements.filter((acknowledgement) => acknowledgement.verified).length;
  if (verified < set.verifiedNeeded) {
    return `was verified by ${verified} of those who acknowledged it, ${set.verifiedNeeded} are needed`;
  }
  let next = 0;
  for (const { node } of acknowledgements) {
    const position = set.ids.indexOf(toHex(node), next);
    if (position < 0) return "has acknowledgements of nodes that are not members in their order";
    next = position + 1;
  }
  return undefined;
}

/** A node whose acknowledgement of the temporary block is not signed by it, or that is no member; undefined where all are good. */
export function falseSignerOf(
  set: MemberSet,
  place: { readonly genesisHash: Uint8Array; readonly chain: number },
  batch: BatchName & { readonly acknowledgements: readonly Acknowledgement[] },
  verify: Verify,
): string | undefined {
  for (const { node, signature, verified } of batch.acknowledgements) {
    const key = set.keyOf(toHex(node));
    const message = acknowledgementBytes(place.genesisHash, place.chain, batch, verified);
    if (key === undefined || !verify(key, message, signature)) return toHex(node);
  }
  return undefined;
}
