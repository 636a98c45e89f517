// Gives the disk back what pages of a store are free: LMDB never makes its file smaller, but copies the pages in use. The copy takes
// the file's place whole, so a cut at any moment leaves the one or the other.

import { chmod, mkdir, open, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { GridsealError, reasonOf } from "../../errors.js";
import { PRIVATE_FOLDER, SECRET } from "../../files/private-files.js";
import { openEnvironment, PAGES_FILE } from "./lmdb.js";

const COPY = "compacted.unfinished";
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
      await source.root.backup(copy, true);
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

async function sync(path: string): Promise<void> {
  const file = await open(path, "r");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
