// Effects of a contract in sealed blocks, each with its place; held to the blocks' seals where the genesis is named.

import { type Block, blockTree, decodeBlock } from "../../../src/wire/block.js";
import { equalBytes } from "../../../src/wire/bytes.js";
import type { Genesis } from "../../../src/wire/genesis.js";
import { decodeHeader } from "../../../src/wire/header.js";
import { lineageUpTo } from "../../../src/wire/lineage.js";
import { rootOfLevels } from "../../../src/wire/merkle.js";
import { outcomesIn } from "../../../src/wire/outcome.js";
import { verifySealBehind } from "../../../src/wire/receipt.js";
import { decodeOutput, type Value } from "../../../src/wire/value.js";
import { nodeVerify } from "../../crypto/signatures.js";
import { GridsealError, reasonOf } from "../../errors.js";
import type { ReceiptSource } from "../../sources/source.js";

export interface SealedEffect {
  readonly height: number;
  /** among the block's outcomes and effects: `receipt get --effect HEIGHT/INDEX` proves it */
  readonly index: number;
  readonly name: string;
  readonly body: Value;
}

export interface EffectsAsked {
  readonly service: number;
  readonly contract: string;
  readonly from: number;
  readonly to: number;
  /** blocks are believed where absent */
  readonly genesis: Genesis | undefined;
}

/**
 * What the contract has put out in the blocks from one height to another, messages left out. Rejects with CHAIN_INVALID where a block is
 * not sealed, with BLOCK_PRUNED where the source has let go of one.
 */
export async function* sealedEffects(source: ReceiptSource, asked: EffectsAsked): AsyncGenerator<SealedEffect> {
  const { service, contract, from, to, genesis } = asked;
  const lineage = genesis === undefined ? [] : await source.lineage(service);
  let height = from;
  for await (const bytes of source.blocks(service, from)) {
    if (height > to) return;
    const block = decodeBlock(bytes);
    if (block.chain !== service || block.height !== height) {
      throw new GridsealError("CHAIN_INVALID", `${source.origin} gives another block than ${height}`);
    }
    if (genesis !== undefined) checkSeal(block, { genesis, lineage, origin: source.origin });
    yield* effectsOf(block, contract);
    height += 1;
  }
}

function* effectsOf(block: Block, contract: string): Generator<SealedEffect> {
  let index = 0;
  for (const outcome of outcomesIn(block.results)) {
    index += 1;
    for (const { name, body, to } of "effects" in outcome ? outcome.effects : []) {
      const isIts = "contract" in outcome && outcome.contract === contract && to === undefined;
      if (isIts) yield { height: block.height, index, name, body: decodeOutput(body) };
      index += 1;
    }
  }
}

function checkSeal(
  block: Block,
  {
    genesis,
    lineage,
    origin,
  }: { readonly genesis: Genesis; readonly lineage: readonly Uint8Array[]; readonly origin: string },
): void {
  try {
    if (block.network !== genesis.network) throw new Error("it is of another network");
    verifySealBehind(block, genesis, nodeVerify, lineageUpTo(lineage, block.height));
    if (!equalBytes(rootOfLevels(blockTree(block)), decodeHeader(block.header).merkleRoot)) {
      throw new Error("its content is not what its members have sealed");
    }
  } catch (cause) {
    const what = `${origin}: block ${block.height} is not sealed`;
    throw new GridsealError("CHAIN_INVALID", `${what}: ${reasonOf(cause)}`, { cause });
  }
}
