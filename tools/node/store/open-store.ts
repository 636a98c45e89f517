// Opening the store in a node's data folder, to run the node or to read its chains.

import { existsSync } from "node:fs";
import { GridsealError } from "../../errors.js";
import { openEnvironment } from "./lmdb.js";
import { checkOwner, identityOf, meta, OWNER_KEY, type Owner, REPLACED_KEY, replacedMark } from "./meta.js";
import { type Medium, type Store, storeOver } from "./store.js";
import { rowsToWrite } from "./writer.js";

/**
 * Opens the store of a node in a folder, made where it is absent. The folder belongs to one node and genesis for ever. Where it
 * is made although `keyHasSigned`, the one before is lost, and the new one says so from then on.
 * Throws STORE_FOREIGN, STORE_CORRUPT or FILE_UNREADABLE; nothing is overwritten then.
 */
export async function openStore(path: string, owner: Owner, keyHasSigned: boolean): Promise<Store> {
  const environment = openEnvironment(path, false);
  if (environment.row(meta, OWNER_KEY) === undefined) {
    const rows = rowsToWrite((writer) => {
      if (keyHasSigned) writer.put(meta, REPLACED_KEY, replacedMark);
      writer.put(meta, OWNER_KEY, identityOf(owner));
    });
    await environment.commit(rows);
  }
  try {
    checkOwner(environment, path, owner);
  } catch (error) {
    await environment.close();
    throw error;
  }
  return storeOver(environment, { path, isReplaced: isReplaced(environment), isOnlyWriter: true });
}

/** Opens a node's store to read its chains, beside the running node too. */
export function openStoreReadOnly(path: string): Store {
  if (!existsSync(path)) throw new GridsealError("FILE_UNREADABLE", `there is no store in ${path}`);
  const environment = openEnvironment(path, true);
  return storeOver(environment, { path, isReplaced: isReplaced(environment), isOnlyWriter: false });
}

function isReplaced(medium: Medium): boolean {
  return medium.row(meta, REPLACED_KEY) !== undefined;
}
