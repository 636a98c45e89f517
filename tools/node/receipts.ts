// Receipts of sealed records: from a block just sealed, or from the store for one that is asked for later.

import { decodeBlock } from "../../src/wire/block.js";
import type { MerkleLevels } from "../../src/wire/merkle.js";
import { receiptEncoder } from "../../src/wire/receipt.js";
import { GridsealError } from "../errors.js";
import { type Outline, outlineOf, treeOfOutline } from "./store/outline.js";
import type { Store } from "./store/store.js";

/** Trees kept of blocks that receipts were asked of. */
const TREES_KEPT = 16;

interface Tree {
  readonly outline: Outline;
  readonly tree: MerkleLevels;
}

export interface Receipts {
  /** Undefined where no such record is sealed. Throws STORE_CORRUPT where the stored block is not what was sealed. */
  find(chain: number, kid: Uint8Array, seq: number): Uint8Array | undefined;
}

export function createReceipts(network: string, store: Store): Receipts {
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
      const { height, leaf } = location;
      const { outline, tree } = treeOf(chain, height);
      const hash = outline.hashes[leaf - 1];
      if (hash === undefined) {
        throw new GridsealError("STORE_CORRUPT", `chain ${chain}: block ${height} has no leaf ${leaf}`);
      }
      return receiptEncoder({ network, chain, height, ...outline }, tree)(leaf, hash);
    },
  };
}

function readTree(store: Store, chain: number, height: number): Tree {
  const bytes = store.block(chain, height);
  const outline = bytes === undefined ? store.outline(chain, height) : outlineOf(decodeBlock(bytes));
  if (outline === undefined) throw new GridsealError("STORE_CORRUPT", `chain ${chain}: block ${height} is missing`);
  const tree = treeOfOutline(outline);
  if (tree === undefined) {
    throw new GridsealError("STORE_CORRUPT", `chain ${chain}: block ${height} is not what was sealed`);
  }
  return { outline, tree };
}
