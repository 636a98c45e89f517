// The tables of a node's store: one LMDB environment, a table for each kind of row.

import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Database, open, type RootDatabase } from "lmdb";
import { GridsealError, reasonOf } from "../../errors.js";
import { PRIVATE_FOLDER, SECRET } from "../../files/private-files.js";
import { checkPageFile } from "./page-file.js";

export type Table = Database<Buffer, Buffer>;

/** What LMDB makes in a folder: they hold what the meters confided. */
const FILES = ["data.mdb", "lock.mdb"];

export interface Tables {
  readonly root: RootDatabase<Buffer, Buffer>;
  readonly meta: Table;
  readonly heads: Table;
  readonly blocks: Table;
  readonly outlines: Table;
  readonly index: Table;
  readonly meters: Table;
  readonly origins: Table;
  readonly credentials: Table;
  readonly consensus: Table;
  readonly batches: Table;
  readonly acceptances: Table;
  readonly faults: Table;
  readonly orders: Table;
  readonly rulings: Table;
  readonly lineage: Table;
  readonly admitted: Table;
  readonly disclosures: Table;
}

/** Opens or makes the tables in a folder. Throws STORE_CORRUPT; nothing is overwritten then. */
export function openTables(path: string, readOnly: boolean): Tables {
  checkPageFile(path);
  try {
    if (!readOnly) mkdirSync(path, { recursive: true, mode: PRIVATE_FOLDER });
    const root = open<Buffer, Buffer>({
      path,
      readOnly,
      noSubdir: false, // lmdb takes a name with a dot for a file
      overlappingSync: false,
      maxDbs: 32,
      keyEncoding: "binary",
      encoding: "binary",
    });
    if (!readOnly) for (const file of FILES) chmodSync(join(path, file), SECRET);
    const table = (name: string) => root.openDB<Buffer, Buffer>({ name, keyEncoding: "binary", encoding: "binary" });
    return {
      root,
      meta: table("meta"),
      heads: table("heads"),
      blocks: table("blocks"),
      outlines: table("outlines"),
      index: table("index"),
      meters: table("meters"),
      origins: table("origins"),
      credentials: table("credentials"),
      consensus: table("consensus"),
      batches: table("batches"),
      acceptances: table("acceptances"),
      faults: table("faults"),
      orders: table("orders"),
      rulings: table("rulings"),
      lineage: table("lineage"),
      admitted: table("admitted"),
      disclosures: table("disclosures"),
    };
  } catch (error) {
    throw new GridsealError("STORE_CORRUPT", `store ${path} cannot be opened: ${reasonOf(error)}`, { cause: error });
  }
}
