// What a faulty proposer says of other chains: a next block that is made up, a far one, another
// hash for one that is sealed. It adds certificates of other blocks, or its own signature alone.

import { fromHex } from "../../../../src/wire/bytes.js";
import { precommitBytes } from "../../../../src/wire/certificate.js";
import type { Genesis } from "../../../../src/wire/genesis.js";
import type { ProvedAnchor } from "../../../ledger/proposal.js";
import type { Random } from "../../rig/random.js";
import type { Membership } from "../checks/membership.js";

export interface Misanchoring {
  readonly genesis: Genesis;
  readonly membership: Membership;
  readonly self: string;
  readonly random: Random;
  sign(bytes: Uint8Array): Uint8Array;
}

const FAR_HEIGHTS = [1_000, 2 ** 31, 2 ** 40 - 1] as const;

/**
 * The anchors of one of its blocks, some of them changed; one of a chain that it has nothing of may
 * be added.
 */
export function misanchored(by: Misanchoring, own: number, honest: readonly ProvedAnchor[]): ProvedAnchor[] {
  const { random, membership } = by;
  const others = membership.chains.map(({ service }) => service).filter((service) => service !== own);
  const absent = others.filter((service) => !honest.some(({ chain }) => chain === service));
  const changed = honest.map((anchor) => (random.chance(0.7) ? misanchor(by, anchor) : anchor));
  const added = absent.filter(() => random.chance(0.3)).map((chain) => madeUp(by, chain, 1));
  return [...changed, ...added].sort((left, right) => left.chain - right.chain);
}

function misanchor(by: Misanchoring, anchor: ProvedAnchor): ProvedAnchor {
  const { random } = by;
  const { chain, height, certificate } = anchor;
  switch (random.below(5)) {
    case 0: // the certificate of another block
      return { ...anchor, height: height + 1, headerHash: random.bytes(32) };
    case 1:
      return { ...anchor, height: height + 1 };
    case 2:
      return { ...anchor, headerHash: random.bytes(32) };
    case 3: // genuine signatures of another block, and one of its own
      return withOwn(by, { ...anchor, height: height + 1, headerHash: random.bytes(32), certificate });
    default:
      return madeUp(by, chain, random.chance(0.7) ? height + 1 : random.pick(FAR_HEIGHTS));
  }
}

/** Signed by itself, as often as a quorum wants signatures. */
function madeUp(by: Misanchoring, chain: number, height: number): ProvedAnchor {
  const headerHash = by.random.bytes(32);
  const node = fromHex(by.self)!;
  const signature = by.sign(precommitBytes(by.genesis.hash, chain, height, 0, headerHash));
  const members = by.membership.current(chain).length;
  const signatures = Array.from({ length: members }, () => ({ node, signature }));
  return { chain, height, headerHash, certificate: { round: 0, signatures } };
}

function withOwn(by: Misanchoring, anchor: ProvedAnchor): ProvedAnchor {
  const { chain, height, headerHash, certificate } = anchor;
  const { round } = certificate;
  const signature = by.sign(precommitBytes(by.genesis.hash, chain, height, round, headerHash));
  const node = fromHex(by.self)!;
  const rest = certificate.signatures.filter((signed) => !Buffer.from(signed.node).equals(node));
  return { ...anchor, certificate: { round, signatures: [...rest, { node, signature }] } };
}
