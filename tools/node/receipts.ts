// Receipts of sealed records: from a block just sealed, or from the store for one that is asked for later.

import { decodeBlock } from "../../src/wire/block.js";
import { equalBytes } from "../../src/wire/bytes.js";
import type { MerkleLevels } from "../../src/wire/merkle.js";
import { receiptEncoder } from "../../src/wire/receipt.js";
import { GridsealError } from "../errors.js";
import { type Outline, outlineOf, treeOfOutline } from "./store/outline.js";
import type { Location } from "./store/rows.js";
import type { Store } from "./store/store.js";

export interface SealedRecord {
  readonly chain: number;
  readonly kid: Uint8Array;
  readonly seq: number;
  readonly hash: Uint8Array;
}

/** Trees kept of blocks that receipts were asked of. */
const TREES_KEPT = 16;

interface Tree {
  readonly outline: Outline;
  readonly tree: MerkleLevels;
}

/** What the chain has under a record's number. */
export type Sealing =
  /** nothing */
  | { readonly kind: "none" }
  /** another record */
  | { readonly kind: "other" }
  /** something, in a block that may not be read now */
  | { readonly kind: "unread" }
  | { readonly kind: "sealed"; readonly height: number; readonly receipt: () => Uint8Array };

export interface Receipts {
  /** As `find`, of a record with this hash. A block that is not in memory is read where `mayRead` says so: it costs milliseconds. */
  look(record: SealedRecord, mayRead: () => boolean): Sealing;
  /** Undefined where no such record is sealed. Throws STORE_CORRUPT where the stored block is not what was sealed. */
  find(chain: number, kid: Uint8Array, seq: number): Uint8Array | undefined;
}

export function createReceipts(network: string, store: Store): Receipts {
  const trees = new Map<string, Tree>();

  const treeOf = (chain: number, height: number): Tree => {
    const key = keyOf(chain, height);
    const tree = trees.get(key) ?? readTree(store, chain, height);
    trees.delete(key);
    trees.set(key, tree); // the one used last is last
    if (trees.size > TREES_KEPT) trees.delete(trees.keys().next().value!);
    return tree;
  };

  const leafOf = (chain: number, { height, leaf }: Location) => {
    const { outline, tree } = treeOf(chain, height);
    const hash = outline.hashes[leaf - 1];
    if (hash === undefined) {
      throw new GridsealError("STORE_CORRUPT", `chain ${chain}: block ${height} has no leaf ${leaf}`);
    }
    const receipt = () => receiptEncoder({ network, chain, height, ...outline }, tree)(leaf, hash);
    return { height, hash, receipt };
  };

  return {
    find(chain, kid, seq) {
      const location = store.location(chain, kid, seq);
      return location === undefined ? undefined : leafOf(chain, location).receipt();
    },
    look({ chain, kid, seq, hash }, mayRead) {
      const location = store.location(chain, kid, seq);
      if (location === undefined) return { kind: "none" };
      if (!trees.has(keyOf(chain, location.height)) && !mayRead()) return { kind: "unread" };
      const { height, hash: sealed, receipt } = leafOf(chain, location);
      return equalBytes(sealed, hash) ? { kind: "sealed", height, receipt } : { kind: "other" };
    },
  };
}

function keyOf(chain: number, height: number): string {
  return `${chain}/${height}`;
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
