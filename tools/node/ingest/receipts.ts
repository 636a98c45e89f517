// Receipts of sealed records: from a block just sealed, or from the store for one that is asked for later.

import { equalBytes } from "../../../src/wire/bytes.js";
import { receiptEncoder } from "../../../src/wire/receipt.js";
import { BoundedMap } from "../../bounded-map.js";
import { GridsealError } from "../../errors.js";
import { blocks, outlines } from "../chain/tables/blocks.js";
import { type Location, locationOf } from "../chain/tables/runs.js";
import { type BlockTree, type StoredBlock, treeOf, treeSoon } from "../store/block-trees.js";
import { blockKey } from "../store/keys.js";
import { encodeOutline } from "../store/outline.js";
import type { Store } from "../store/store.js";

export interface SealedRecord {
  readonly chain: number;
  readonly kid: Uint8Array;
  readonly seq: number;
  readonly hash: Uint8Array;
}

/** Trees kept of blocks that receipts were asked of. */
const TREES_KEPT = 16;

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
  /** The same for whoever asks, without holding up the event loop with a block that is hashed for it. */
  findSoon(chain: number, kid: Uint8Array, seq: number): Promise<Uint8Array | undefined>;
}

export function createReceipts(network: string, store: Store): Receipts {
  /** by chain and height; the one made last is last */
  const trees = new BoundedMap<string, BlockTree>(TREES_KEPT);
  const underWay = new Map<string, Promise<BlockTree>>();

  const keep = (chain: number, height: number, found: BlockTree | undefined): BlockTree => {
    if (found === undefined) {
      throw new GridsealError("STORE_CORRUPT", `chain ${chain}: block ${height} is not what was sealed`);
    }
    trees.set(`${chain}/${height}`, found);
    return found;
  };
  const makeSoon = (chain: number, height: number): Promise<BlockTree> => {
    const key = `${chain}/${height}`;
    const made =
      underWay.get(key) ??
      treeSoon(() => readBlock(store, chain, height))
        .then((found) => keep(chain, height, found))
        .finally(() => underWay.delete(key));
    underWay.set(key, made);
    return made;
  };
  const receipt = (chain: number, { height, leaf, hash }: Location, { outline, tree }: BlockTree): Uint8Array => {
    const inBlock = outline.hashes[leaf - 1];
    if (inBlock !== undefined && equalBytes(inBlock, hash)) {
      return receiptEncoder({ network, chain, height, ...outline }, tree)(leaf, hash);
    }
    throw new GridsealError(
      "STORE_CORRUPT",
      `chain ${chain}: leaf ${leaf} of block ${height} is not what its index says`,
    );
  };

  return {
    find(chain, kid, seq) {
      const location = locationOf(store, chain, kid, seq);
      if (location === undefined) return undefined;
      const { height } = location;
      const kept = trees.get(`${chain}/${height}`) ?? keep(chain, height, treeOf(readBlock(store, chain, height)));
      return receipt(chain, location, kept);
    },
    async findSoon(chain, kid, seq) {
      const location = locationOf(store, chain, kid, seq);
      if (location === undefined) return undefined;
      const { height } = location;
      return receipt(chain, location, trees.get(`${chain}/${height}`) ?? (await makeSoon(chain, height)));
    },
    look({ chain, kid, seq, hash }, mayRead) {
      const location = locationOf(store, chain, kid, seq);
      if (location === undefined) return { kind: "none" };
      if (!equalBytes(location.hash, hash)) return { kind: "other" };
      const { height } = location;
      const kept = trees.get(`${chain}/${height}`);
      if (kept === undefined && !mayRead()) return { kind: "unread" };
      const found = kept ?? keep(chain, height, treeOf(readBlock(store, chain, height)));
      return { kind: "sealed", height, receipt: () => receipt(chain, location, found) };
    },
  };
}

function readBlock(store: Store, chain: number, height: number): StoredBlock {
  const key = blockKey(chain, height);
  const bytes = store.get(blocks, key);
  if (bytes !== undefined) return { isOutline: false, bytes };
  const outline = store.get(outlines, key);
  if (outline === undefined) throw new GridsealError("STORE_CORRUPT", `chain ${chain}: block ${height} is missing`);
  return { isOutline: true, bytes: encodeOutline(outline) };
}
