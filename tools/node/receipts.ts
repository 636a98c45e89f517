// Receipts of sealed records: from a block just sealed, or from the store for one that is asked for later.

import { type Block, blockTree, decodeBlock } from "../../src/wire/block.js";
import { equalBytes } from "../../src/wire/bytes.js";
import { sha256 } from "../../src/wire/hash.js";
import { decodeHeader } from "../../src/wire/header.js";
import { inclusionPath, leafHash, type MerkleLevels, rootOfLevels } from "../../src/wire/merkle.js";
import { encodeReceipt } from "../../src/wire/receipt.js";
import { GridsealError } from "../errors.js";
import type { Store } from "./store/store.js";

/** Trees kept of blocks that receipts were asked of. */
const TREES_KEPT = 16;

interface Tree {
  readonly block: Block;
  readonly tree: MerkleLevels;
  readonly hashes: readonly Uint8Array[];
}

/** The encoded receipt of the record at a leaf of the block. */
export function receiptOf(block: Block, tree: MerkleLevels, leaf: number, recordHash: Uint8Array): Uint8Array {
  return encodeReceipt({
    network: block.network,
    chain: block.chain,
    height: block.height,
    recordHash,
    leaf,
    size: tree[0]!.length,
    path: inclusionPath(tree, leaf),
    header: block.header,
    certificate: block.certificate,
  });
}

export interface Receipts {
  /** Undefined where no such record is sealed. Throws STORE_CORRUPT where the stored block is not what was sealed. */
  find(chain: number, kid: Uint8Array, seq: number): Uint8Array | undefined;
}

export function createReceipts(store: Store): Receipts {
  const trees = new Map<string, Tree>();

  const treeOf = (chain: number, height: number): Tree => {
    const key = `${chain}/${height}`;
    const kept = trees.get(key);
    if (kept !== undefined) return kept;
    const tree = readTree(store, chain, height);
    trees.set(key, tree);
    if (trees.size > TREES_KEPT) trees.delete(trees.keys().next().value!);
    return tree;
  };

  return {
    find(chain, kid, seq) {
      const location = store.location(chain, kid, seq);
      if (location === undefined) return undefined;
      const { block, tree, hashes } = treeOf(chain, location.height);
      const hash = hashes[location.leaf - 1];
      if (hash === undefined) {
        throw new GridsealError(
          "STORE_CORRUPT",
          `chain ${chain}: block ${location.height} has no leaf ${location.leaf}`,
        );
      }
      return receiptOf(block, tree, location.leaf, hash);
    },
  };
}

function readTree(store: Store, chain: number, height: number): Tree {
  const bytes = store.block(chain, height);
  if (bytes === undefined) throw new GridsealError("STORE_CORRUPT", `chain ${chain}: block ${height} is missing`);
  const block = decodeBlock(bytes);
  const hashes = block.batches.flatMap((batch) => batch.records.map(sha256));
  const tree = blockTree(block, hashes.map(leafHash));
  if (!equalBytes(rootOfLevels(tree), decodeHeader(block.header).merkleRoot)) {
    throw new GridsealError("STORE_CORRUPT", `chain ${chain}: block ${height} is not what was sealed`);
  }
  return { block, tree, hashes };
}
