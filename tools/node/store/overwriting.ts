// Overwrites the free pages of a running store: LMDB never clears a page that it lets go of. Rows of a page each are written until all
// free pages are used up and the file grows, and are removed again.

import type { Database, RootDatabase } from "lmdb";

/** Rows of one transaction. */
const ROWS = 256;
/** A page's header in LMDB's format (`MDB_page_header`): the rest of it is one row. */
const HEADER_BYTES = 24;
/** Pages that a transaction has let go of are free to the second one behind it. */
const ROUNDS_MIN = 4;
/** 256 MiB of free pages; of more, the rest is overwritten as the store takes it. */
const ROUNDS_MAX = 256;

export async function overwriteFreePages(root: RootDatabase<Buffer, Buffer>): Promise<void> {
  const rows = root.openDB<Buffer, Buffer>({ name: "overwriting", keyEncoding: "binary", encoding: "binary" });
  const { pageSize } = root.getStats() as { readonly pageSize: number };
  const zeros = Buffer.alloc(pageSize - HEADER_BYTES);
  try {
    let full = 0;
    for (let round = 0; round < ROUNDS_MAX && full < 2; round += 1) {
      const before = lastPage(root);
      await root.batch(() => fill(rows, round * ROWS, zeros));
      full = round >= ROUNDS_MIN && lastPage(root) - before >= ROWS ? full + 1 : 0;
      // What reads holds on to pages until the loop has been to it.
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  } finally {
    await rows.clearAsync();
  }
}

function fill(rows: Database<Buffer, Buffer>, from: number, row: Buffer): void {
  for (let index = from; index < from + ROWS; index += 1) {
    const key = Buffer.alloc(4);
    key.writeUInt32BE(index);
    rows.put(key, row).catch(() => undefined); // what goes wrong with a row is said by its batch
  }
}

function lastPage(root: RootDatabase<Buffer, Buffer>): number {
  return (root.getStats() as { readonly lastPageNumber: number }).lastPageNumber;
}
