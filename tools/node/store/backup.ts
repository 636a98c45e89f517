// Copies of a node's store, made beside the running node, and put back. A copy forgets what the node has signed: restored, it is
// behind what the node has said since, so a node that finds it does not vote before that is safe.

import { existsSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { GridsealError, reasonOf } from "../../errors.js";
import { createFolder } from "../../files/made-once.js";
import { consensusRecords } from "../chain/tables/consensus-records.js";
import type { ChainKey } from "./keys.js";
import { openEnvironment, PAGES_FILE } from "./lmdb.js";
import { checkOwner, meta, type Owner, REPLACED_KEY, replacedMark } from "./meta.js";
import { rewriteErased } from "./rewriting.js";
import { rowsToWrite } from "./writer.js";

/**
 * Writes a copy of the store in `from`, as of one moment, into the new folder `to`, which is there whole or not at all. Rejects with
 * FILE_UNREADABLE, FILE_EXISTS, STORE_CORRUPT or FILE_UNWRITABLE.
 */
export async function backupStore(from: string, to: string): Promise<void> {
  if (!existsSync(join(from, PAGES_FILE))) throw new GridsealError("FILE_UNREADABLE", `there is no store in ${from}`);
  await createFolder(to, async (folder) => {
    const source = openEnvironment(from, true);
    try {
      await source.root.backup(folder, true);
    } catch (cause) {
      throw new GridsealError("FILE_UNWRITABLE", `store ${from} cannot be copied to ${to}: ${reasonOf(cause)}`, {
        cause,
      });
    } finally {
      await source.close();
    }
    await forgetSigned(folder);
    await rewriteErased(folder);
  });
}

/** Puts a copy where the node's store was. Rejects with STORE_FOREIGN where it is another node's, FILE_EXISTS where a store is there. */
export async function restoreStore(backup: string, to: string, owner: Owner): Promise<void> {
  if (!existsSync(join(backup, PAGES_FILE)))
    throw new GridsealError("FILE_UNREADABLE", `there is no store in ${backup}`);
  const copy = openEnvironment(backup, true);
  try {
    checkOwner(copy, backup, owner);
    if (copy.row(meta, REPLACED_KEY) === undefined) {
      throw new GridsealError("STORE_FOREIGN", `${backup} is a node's own store, not a copy that a backup made`);
    }
  } finally {
    await copy.close();
  }
  await createFolder(to, (folder) => copyFile(join(backup, PAGES_FILE), join(folder, PAGES_FILE)));
}

/** No consensus record is better than an old one: the node would take what it signed since for not signed. */
async function forgetSigned(folder: string): Promise<void> {
  const copy = openEnvironment(folder, false);
  try {
    const rows = rowsToWrite((writer) => {
      for (const { key } of copy.rows(consensusRecords, {})) writer.delete(consensusRecords, key as ChainKey);
      writer.put(meta, REPLACED_KEY, replacedMark);
    });
    await copy.commit(rows);
  } finally {
    await copy.close();
  }
}
