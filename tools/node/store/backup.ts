// Copies of a node's store, made beside the running node, and put back. A copy forgets what the node has signed: restored, it is
// behind what the node has said since, so a node that finds it does not vote before that is safe.

import { existsSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { GridsealError, reasonOf } from "../../errors.js";
import { createFolder } from "../../files/made-once.js";
import { codecs } from "./codecs.js";
import { checkOwner, type Owner, REPLACED_KEY } from "./store.js";
import { openTables } from "./tables.js";

const PAGES = "data.mdb";

/**
 * Writes a copy of the store in `from`, as of one moment, into the new folder `to`, which is there whole or not at all. Rejects with
 * FILE_UNREADABLE, FILE_EXISTS, STORE_CORRUPT or FILE_UNWRITABLE.
 */
export async function backupStore(from: string, to: string): Promise<void> {
  if (!existsSync(join(from, PAGES))) throw new GridsealError("FILE_UNREADABLE", `there is no store in ${from}`);
  await createFolder(to, async (folder) => {
    const source = openTables(from, true);
    try {
      await source.root.backup(folder, true);
    } catch (cause) {
      throw new GridsealError("FILE_UNWRITABLE", `store ${from} cannot be copied to ${to}: ${reasonOf(cause)}`, {
        cause,
      });
    } finally {
      await source.root.close();
    }
    await forgetSigned(folder);
  });
}

/** Puts a copy where the node's store was. Rejects with STORE_FOREIGN where it is another node's, FILE_EXISTS where a store is there. */
export async function restoreStore(backup: string, to: string, owner: Owner): Promise<void> {
  if (!existsSync(join(backup, PAGES))) throw new GridsealError("FILE_UNREADABLE", `there is no store in ${backup}`);
  const copy = openTables(backup, true);
  try {
    checkOwner(copy, backup, owner);
    if (copy.meta.get(REPLACED_KEY) === undefined) {
      throw new GridsealError("STORE_FOREIGN", `${backup} is a node's own store, not a copy that a backup made`);
    }
  } finally {
    await copy.root.close();
  }
  await createFolder(to, (folder) => copyFile(join(backup, PAGES), join(folder, PAGES)));
}

/** No consensus record is better than an old one: the node would take what it signed since for not signed. */
async function forgetSigned(folder: string): Promise<void> {
  const copy = openTables(folder, false);
  try {
    await copy.root.batch(() => {
      for (const key of [...copy.consensus.getKeys()]) void copy.consensus.remove(key);
      void copy.meta.put(REPLACED_KEY, codecs.meta.encode(Buffer.of(1)));
    });
  } finally {
    await copy.root.close();
  }
}
