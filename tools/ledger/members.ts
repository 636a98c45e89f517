// The members of a chain at one height: who may vote, acknowledge and cut temporary blocks, and how many of them are a quorum. The
// set of the first height is the genesis', or that of the order that added the chain; each block binds the next height's.

import { toHex } from "../../src/wire/bytes.js";
import { type MemberKey, memberSetHash } from "../../src/wire/genesis.js";
import type { PublicKey } from "../../src/wire/key.js";
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
  has(node: string): boolean;
  keyOf(node: string): PublicKey | undefined;
}

export function memberSetOf(members: readonly MemberKey[]): MemberSet {
  const keys = new Map(members.map((member) => [toHex(member.id), member.key]));
  return {
    members,
    ids: [...keys.keys()],
    hash: memberSetHash(members),
    quorum: quorum(members.length),
    has: (node) => keys.has(node),
    keyOf: (node) => keys.get(node),
  };
}

/** A temporary block as far as its acceptance goes. */
interface Accepted {
  readonly origin: Uint8Array;
  readonly acknowledgements: readonly { readonly node: Uint8Array }[];
}

/** What is wrong with the acceptance of a temporary block by this set: it is a member's, and a quorum acknowledged, in their order. */
export function acceptanceComplaint(set: MemberSet, { origin, acknowledgements }: Accepted): string | undefined {
  if (!set.has(toHex(origin))) return "is not of a member of the chain";
  if (acknowledgements.length < set.quorum) {
    return `has ${acknowledgements.length} acknowledgements, ${set.quorum} are needed`;
  }
  let next = 0;
  for (const { node } of acknowledgements) {
    const position = set.ids.indexOf(toHex(node), next);
    if (position < 0) return "has acknowledgements of nodes that are not members in their order";
    next = position + 1;
  }
  return undefined;
}
