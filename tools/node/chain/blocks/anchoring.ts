// Anchors of a proposal: the newest sealed headers of other chains, each with the certificate that proves it. So a voter believes no
// proposer, waits for no other chain, and need not follow the one that is named.

import { type Anchor, decodeBlock, headerOfBlock } from "../../../../src/wire/block.js";
import { equalBytes, toHex } from "../../../../src/wire/bytes.js";
import { verifyCertificate } from "../../../../src/wire/certificate.js";
import { WireError } from "../../../../src/wire/error.js";
import { headerHash } from "../../../../src/wire/header.js";
import { membersAt } from "../../../ledger/governance.js";
import type { ProvedAnchor } from "../../../ledger/proposal.js";
import { blockKey } from "../../store/keys.js";
import type { StoreReader } from "../../store/store.js";
import type { ChainPorts } from "../ports.js";
import { blocks, outlines } from "../tables/blocks.js";

/** The newest anchors of the chains other than `service`, ascending. */
export function anchorsBeside(
  service: number,
  chains: ReadonlyMap<number, { readonly newest: ProvedAnchor | undefined }>,
): ProvedAnchor[] {
  return [...chains]
    .flatMap(([other, { newest }]) => (other === service || newest === undefined ? [] : [newest]))
    .sort((left, right) => left.chain - right.chain);
}

/** The anchor of a sealed block in the store; undefined before the first. */
export function storedAnchor(store: StoreReader, chain: number, height: number): ProvedAnchor | undefined {
  const bytes = height === 0 ? undefined : store.get(blocks, blockKey(chain, height));
  if (bytes === undefined) return undefined;
  const { header, certificate } = decodeBlock(bytes);
  return { chain, height, headerHash: headerHash(header), certificate };
}

/**
 * What speaks against an anchor of a proposal that is judged at this contracts height: another block at its height here, or no quorum
 * of members who can have sealed it. Its chain is one that the network has by then.
 */
export function anchorComplaint(
  ports: Pick<ChainPorts, "genesis" | "store" | "governor" | "verify" | "anchors">,
  anchor: ProvedAnchor,
  judgedAt: number,
): string | undefined {
  const { chain, height } = anchor;
  const name = `anchor ${toHex(anchor.headerHash).slice(0, 16)} of block ${height} of chain ${chain}`;
  const known = headerHere(ports, anchor);
  if (known === undefined) return isProved(ports, anchor, judgedAt) ? undefined : `${name} is not proved`;
  if (equalBytes(known, anchor.headerHash)) return undefined;
  return `${name} contradicts the block ${toHex(known).slice(0, 16)} that is here`;
}

/** The hash of the header that this node has at the anchor's height. */
function headerHere({ anchors, store }: Pick<ChainPorts, "anchors" | "store">, { chain, height }: Anchor) {
  const newest = anchors().find((own) => own.chain === chain);
  if (newest !== undefined && height >= newest.height) return height === newest.height ? newest.headerHash : undefined;
  const key = blockKey(chain, height);
  const bytes = store.get(blocks, key);
  const header = bytes === undefined ? store.get(outlines, key)?.header : headerOfBlock(bytes);
  return header === undefined ? undefined : headerHash(header);
}

/** Whether a quorum has sealed it, of the members by one of the orders that count at its height. */
function isProved(
  { genesis, governor, verify }: Pick<ChainPorts, "genesis" | "governor" | "verify">,
  { certificate, ...anchor }: ProvedAnchor,
  judgedAt: number,
): boolean {
  return membersAt(governor.current, anchor.chain, anchor.height, judgedAt).some((members) => {
    try {
      verifyCertificate(certificate, { genesisHash: genesis.hash, ...anchor }, members, verify);
      return true;
    } catch (error) {
      if (error instanceof WireError) return false;
      throw error;
    }
  });
}
