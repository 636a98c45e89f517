// Overwrites the free pages of a running store: LMDB never clears a page that it lets go of. Rows of a page each are written until the
// pages that were free before are used up, and are removed again. The file does not grow for it.

import type { Database, RootDatabase } from "lmdb";

/** Rows of one transaction. */
const ROWS = 256;
/** A page's header in LMDB's format (`MDB_page_header`): the rest of it is one row. */
const HEADER_BYTES = 24;
/** Pages that a transaction takes for its own trees. */
const TREE_PAGES = 8;
/** Small transactions first: what was let go of is free to the second one behind it. */
const SMALL_ROUNDS = 4;
/** 256 MiB of free pages; of more, the rest is overwritten as the store takes it. */
const ROUNDS_MAX = 256;
/** The two metas. */
const META_PAGES = 2;

type Rows = Database<Buffer, Buffer>;

/** What LMDB counts of a tree. */
interface Tree {
  readonly treeBranchPageCount: number;
  readonly treeLeafPageCount: number;
  readonly overflowPages: number;
}

/** Of an environment whose databases are these, all of them. Ends early where it is stopped. */
export async function overwriteFreePages(
  root: RootDatabase<Buffer, Buffer>,
  databases: readonly Rows[],
  isStopped: () => boolean,
): Promise<void> {
  const rows: Rows = root.openDB({ name: "overwriting", keyEncoding: "binary", encoding: "binary" });
  const all = [...databases, rows];
  const { pageSize } = root.getStats() as { readonly pageSize: number };
  const zeros = Buffer.alloc(pageSize - HEADER_BYTES);
  let written = 0;
  try {
    for (let round = 0; round < ROUNDS_MAX && !isStopped(); round += 1) {
      const before = lastPage(root);
      const count = Math.min(round < SMALL_ROUNDS ? 1 : ROWS, freePages(root, all) - TREE_PAGES);
      if (count <= 0) break;
      await root.batch(() => fill(rows, { from: written, count }, zeros));
      written += count;
      // Nothing but new pages: somebody reads what was there, and holds on to it.
      if (round >= SMALL_ROUNDS && lastPage(root) - before >= count) break;
      // What reads holds on to pages until the loop has been to it.
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  } finally {
    // In pieces: LMDB notes what one transaction lets go of in pages that follow each other, and the file would grow for many.
    for (let from = 0; from < written && !isStopped(); from += ROWS) await root.batch(() => empty(rows, from));
    await rows.clearAsync();
  }
}

function fill(rows: Rows, { from, count }: { readonly from: number; readonly count: number }, row: Buffer): void {
  // What goes wrong with a row is said by its batch.
  for (let index = from; index < from + count; index += 1) rows.put(keyOf(index), row).catch(() => undefined);
}

function empty(rows: Rows, from: number): void {
  for (let index = from; index < from + ROWS; index += 1) rows.remove(keyOf(index)).catch(() => undefined);
}

function keyOf(index: number): Buffer {
  const key = Buffer.alloc(4);
  key.writeUInt32BE(index);
  return key;
}

/** Pages of the file that no tree has. */
function freePages(root: RootDatabase<Buffer, Buffer>, databases: readonly Rows[]): number {
  const { root: names, free } = root.getStats() as { readonly root: Tree; readonly free: Tree };
  const trees = [names, free, ...databases.map((database) => database.getStats() as Tree)];
  const used = trees.reduce(
    (sum, tree) => sum + tree.treeBranchPageCount + tree.treeLeafPageCount + tree.overflowPages,
    0,
  );
  return lastPage(root) + 1 - META_PAGES - used;
}

function lastPage(root: RootDatabase<Buffer, Buffer>): number {
  return (root.getStats() as { readonly lastPageNumber: number }).lastPageNumber;
}
