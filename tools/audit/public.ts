// The audit of what anybody may have of a chain: its headers follow each other from the genesis on, and the members of each height have
// signed them. What the blocks hold it cannot see, and says so.

import { equalBytes } from "../../src/wire/bytes.js";
import { verifyCertificate } from "../../src/wire/certificate.js";
import { WireError } from "../../src/wire/error.js";
import type { Genesis } from "../../src/wire/genesis.js";
import { decodeHeader, headerHash } from "../../src/wire/header.js";
import { type MembersFrom, memberSets, membersAt } from "../../src/wire/lineage.js";
import { decodePublicBlock, type PublicBlock, type PublicHead } from "../../src/wire/public-chain.js";
import { nodeVerify } from "../crypto/signatures.js";
import { Incomplete } from "../sources/incomplete.js";
import { type AuditReport, reportOfHeaders } from "./audit.js";
import type { Problem } from "./problem.js";

/**
 * Audits the blocks of a public chain, from height 1 on; `onBlock` is told the height of each that is good. The verdict is never better
 * than incomplete. Rejects only with what `blocks` throw, other than WireErrors.
 */
export async function auditPublic(
  genesis: Genesis,
  { network, chain, lineage }: PublicHead,
  blocks: AsyncIterable<Uint8Array>,
  onBlock: (height: number) => void = () => {},
): Promise<AuditReport> {
  let height = 0;
  let previous = genesis.hash;
  let time_s: number | undefined;
  const found = (problem: Problem) => reportOfHeaders(genesis, chain, { height, header: previous, time_s }, problem);
  try {
    if (network !== genesis.network) throw new WireError("unproven", `it is of network ${network}`);
    const sets = memberSets(genesis, chain, lineage, nodeVerify);
    for await (const bytes of blocks) {
      const block = decodePublicBlock(bytes);
      checkBlock({ genesis, chain, sets }, block, { height: height + 1, previous });
      height += 1;
      previous = headerHash(block.header);
      ({ time_s } = decodeHeader(block.header));
      onBlock(height);
    }
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    const lacks = error instanceof Incomplete ? error.lacks : undefined;
    return found({ height: height + 1, what: error.message, ...(lacks !== undefined && { lacks }) });
  }
  const what = "headers and certificates are good: what the blocks hold is not in the file";
  return found({ height: height + 1, what, lacks: "public" });
}

interface Sealing {
  readonly genesis: Genesis;
  readonly chain: number;
  readonly sets: readonly MembersFrom[];
}

/** Throws a WireError where the header does not follow, or the members of the height have not signed it. */
function checkBlock(
  { genesis, chain, sets }: Sealing,
  { header, certificate }: PublicBlock,
  { height, previous }: { readonly height: number; readonly previous: Uint8Array },
): void {
  if (!equalBytes(decodeHeader(header).previous, previous)) {
    throw new WireError("unproven", "the header does not name the one before it");
  }
  const named = { genesisHash: genesis.hash, chain, height, headerHash: headerHash(header) };
  verifyCertificate(certificate, named, membersAt(sets, height) ?? [], nodeVerify);
}
