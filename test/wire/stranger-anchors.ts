// A stranger holds the anchors of chains that it has verified against each other's headers: PROTOCOL.md, section 18, step 15.

/** What a block names of another chain, and who answers for that. */
export interface StrangerAnchor {
  readonly block: number;
  readonly round: number;
  /** ids as hex */
  readonly proposer: string;
  readonly signers: readonly string[];
  readonly chain: number;
  readonly height: number;
  /** header hash as hex */
  readonly hash: string;
}

interface Anchored {
  readonly chain: number;
  /** header hashes as hex by height, from 1 */
  readonly headers: readonly string[];
  readonly anchors: readonly StrangerAnchor[];
}

/** The anchors that name another header than their chain has, each beside the chain whose block holds it. */
export function contradictedAnchors(chains: readonly Anchored[]): (StrangerAnchor & { readonly by: number })[] {
  return chains.flatMap(({ chain: by, anchors }) =>
    anchors.flatMap((anchor) => {
      const header = chains.find(({ chain }) => chain === anchor.chain)?.headers[anchor.height - 1];
      return header === undefined || header === anchor.hash ? [] : [{ ...anchor, by }];
    }),
  );
}
