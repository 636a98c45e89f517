// A store's file without what was erased. LMDB leaves the bytes of a row in free pages, and beside the rows of pages in use, where a page
// copy takes them along: only a file into which the living rows alone are written is free of them.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { compactStore } from "./compact.js";
import { openEnvironment, PAGES_FILE } from "./lmdb.js";
import { ERASED_KEY, meta } from "./meta.js";

/**
 * Writes the store in a folder anew where something was erased in it since it was written. The caller holds the folder's lock, and
 * nobody has it open. Rejects as `compactStore`.
 */
export async function rewriteErased(folder: string): Promise<void> {
  if (!existsSync(join(folder, PAGES_FILE))) return;
  const environment = openEnvironment(folder, true);
  const isDue = environment.row(meta, ERASED_KEY) !== undefined;
  await environment.close();
  if (isDue) await compactStore(folder);
}
