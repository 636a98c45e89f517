// Whether everything is at hand that a block rests on. What is wrong with a block is so whatever is at hand: a block that its chain's
// members have not sealed is never merely incomplete.

import { type Block, blockTree } from "../../src/wire/block.js";
import { equalBytes } from "../../src/wire/bytes.js";
import { verifyCertificate } from "../../src/wire/certificate.js";
import { WireError } from "../../src/wire/error.js";
import { chainOf } from "../../src/wire/genesis.js";
import { decodeHeader, headerHash } from "../../src/wire/header.js";
import { rootOfLevels } from "../../src/wire/merkle.js";
import { nodeVerify } from "../crypto/signatures.js";
import { type ChainTip, judgedAtComplaint } from "../ledger/compose.js";
import { CONTRACTS_SERVICE } from "../ledger/governance.js";
import { rulesOf, UnknownScript } from "../ledger/scripts.js";
import { Incomplete } from "../sources/incomplete.js";

/** Throws Incomplete where something is missing; the contracts chain is good and at hand up to `contractsHeight`. */
export function checkInput(tip: ChainTip, block: Block, contractsHeight: number): void {
  const { genesis } = tip;
  if (block.network !== genesis.network || block.chain !== tip.chain.service) return;
  if (tip.height === 1 && block.height > 1) {
    throw new Incomplete("start", `it begins at block ${block.height}: the blocks before are missing`);
  }
  if (rulesOf(block.script) === undefined && isSealedNext(tip, block)) {
    throw new Incomplete("rules", `block ${block.height}: ${new UnknownScript(block.script).message}`);
  }
  const hasOrders = block.chain !== CONTRACTS_SERVICE && chainOf(genesis, CONTRACTS_SERVICE) !== undefined;
  const isUnknown = judgedAtComplaint(tip, block.judgedAt) === "unknown" && block.judgedAt > contractsHeight;
  if (!hasOrders || !isUnknown || !isSealedNext(tip, block)) return;
  const atHand =
    contractsHeight === 0
      ? "the contracts chain is not at hand"
      : `what is at hand of the contracts chain ends at ${contractsHeight}`;
  throw new Incomplete(
    "contracts",
    `block ${block.height}: contracts height ${block.judgedAt} is not known: ${atHand}`,
  );
}

/** Throws a WireError where the members of the height have not signed the block. */
export function checkCertificate({ genesis, members }: ChainTip, block: Block, hash: Uint8Array): void {
  const named = { genesisHash: genesis.hash, chain: block.chain, height: block.height, headerHash: hash };
  verifyCertificate(block.certificate, named, members.members, nodeVerify);
}

/** Whether the members of this height have sealed the block behind the one before. */
function isSealedNext(tip: ChainTip, block: Block): boolean {
  const header = decodeHeader(block.header);
  if (block.height !== tip.height || !equalBytes(header.previous, tip.previous)) return false;
  if (!equalBytes(rootOfLevels(blockTree(block)), header.merkleRoot)) return false;
  try {
    checkCertificate(tip, block, headerHash(block.header));
    return true;
  } catch (error) {
    if (error instanceof WireError) return false;
    throw error;
  }
}
