// Gives the disk back what pages of a store are free: LMDB never makes its file smaller, but copies the pages in use. The copy takes
// the file's place whole, so a cut at any moment leaves the one or the other. Where something was erased the rows are copied instead:
// pages in use have bytes of rows that were there before.

import { chmod, mkdir, open, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { GridsealError, reasonOf } from "../../errors.js";
import { PRIVATE_FOLDER, SECRET } from "../../files/private-files.js";
import { keyBehind } from "./keys.js";
import { type Environment, openEnvironment, PAGES_FILE } from "./lmdb.js";
import { ERASED_KEY, meta } from "./meta.js";
import { tables } from "./tables.js";

const COPY = "compacted.unfinished";
const ROWS_AT_ONCE = 1_000;
const LOCK_FILE = "lock.mdb";

export interface Compacted {
  /** of the file of pages */
  readonly before_bytes: number;
  readonly after_bytes: number;
}

/**
 * Compacts the store in a folder whose lock the caller holds, and that nobody has open. Rejects with STORE_FULL where the disk has no
 * room for the copy, or FILE_UNWRITABLE; the store is as it was then.
 */
export async function compactStore(folder: string): Promise<Compacted> {
  const pages = join(folder, PAGES_FILE);
  const copy = join(folder, COPY);
  await rm(copy, { recursive: true, force: true }); // of a compaction that was cut off
  const before_bytes = (await stat(pages)).size;
  try {
    await mkdir(copy, { mode: PRIVATE_FOLDER });
    const source = openEnvironment(folder, true);
    try {
      if (source.row(meta, ERASED_KEY) === undefined) await source.root.backup(copy, true);
      else await copyRows(source, copy);
    } finally {
      await source.close();
    }
    await chmod(join(copy, PAGES_FILE), SECRET);
    await sync(join(copy, PAGES_FILE));
    await rename(join(copy, PAGES_FILE), pages);
    // Who still reads the old file has its readers there: the new one gets its own.
    await rm(join(folder, LOCK_FILE), { force: true });
    await sync(folder);
  } catch (cause) {
    const message = `store ${folder} cannot be compacted: ${reasonOf(cause)}`;
    const isFull = /ENOSPC|No space/i.test(reasonOf(cause));
    throw new GridsealError(isFull ? "STORE_FULL" : "FILE_UNWRITABLE", message, { cause });
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
  return { before_bytes, after_bytes: (await stat(pages)).size };
}

/** Copies the living rows of all tables into a new store. */
async function copyRows(source: Environment, to: string): Promise<void> {
  const copy = openEnvironment(to, false);
  try {
    for (const table of tables) {
      let start: Buffer | undefined;
      for (;;) {
        const found = [...source.rows(table, { ...(start !== undefined && { start }), limit: ROWS_AT_ONCE })];
        const living = found.filter(({ key }) => table !== meta || !key.equals(ERASED_KEY));
        await copy.commit(living.map(({ key, value }) => ({ table, key, row: value, kept: undefined })));
        if (found.length < ROWS_AT_ONCE) break;
        start = keyBehind(found.at(-1)!.key);
      }
    }
  } finally {
    await copy.close();
  }
}

async function sync(path: string): Promise<void> {
  const file = await open(path, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
