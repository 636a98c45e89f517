// The tables of a node's store in a folder: one LMDB environment, a database for each table of the list.

import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Database, open, type RootDatabase } from "lmdb";
import { assertInvariant, GridsealError, reasonOf } from "../../errors.js";
import { checkPageFile } from "../../files/page-file.js";
import { PRIVATE_FOLDER, SECRET } from "../../files/private-files.js";
import { overwriteFreePages } from "./overwriting.js";
import type { Medium } from "./store.js";
import type { AnyTable } from "./table.js";
import { tables } from "./tables.js";
import type { NotedRow } from "./writer.js";

/** What LMDB makes in a folder: they hold what the meters confided. */
export const PAGES_FILE = "data.mdb";
const FILES = [PAGES_FILE, "lock.mdb"];

type Rows = Database<Buffer, Buffer>;

export interface Environment extends Medium {
  readonly root: RootDatabase<Buffer, Buffer>;
}

/** Opens or makes the tables in a folder. Throws STORE_CORRUPT; nothing is overwritten then. */
export function openEnvironment(path: string, readOnly: boolean): Environment {
  checkPageFile(path);
  try {
    if (!readOnly) mkdirSync(path, { recursive: true, mode: PRIVATE_FOLDER });
    const root = open<Buffer, Buffer>({
      path,
      readOnly,
      noSubdir: false, // lmdb takes a name with a dot for a file
      overlappingSync: false,
      maxDbs: tables.length + 1, // and the one that overwrites free pages
      keyEncoding: "binary",
      encoding: "binary",
    });
    if (!readOnly) for (const file of FILES) chmodSync(join(path, file), SECRET);
    const database = (name: string) => root.openDB<Buffer, Buffer>({ name, keyEncoding: "binary", encoding: "binary" });
    return environmentOver(path, root, new Map(tables.map((table) => [table, database(table.name)])));
  } catch (error) {
    throw new GridsealError("STORE_CORRUPT", `store ${path} cannot be opened: ${reasonOf(error)}`, { cause: error });
  }
}

function environmentOver(
  path: string,
  root: RootDatabase<Buffer, Buffer>,
  databases: ReadonlyMap<AnyTable, Rows>,
): Environment {
  const rowsOf = (table: AnyTable): Rows => {
    const rows = databases.get(table);
    assertInvariant(rows !== undefined, `table ${table.name} is in the list of tables`);
    return rows;
  };
  const putRow = ({ table, key, row, isErased }: NotedRow) => {
    const erased = isErased ? rowsOf(table).get(key) : undefined;
    // In one transaction, so on one copy of its page: its place there holds zeros then, and not its bytes.
    if (erased !== undefined) rowsOf(table).put(key, Buffer.alloc(erased.length)).catch(ignore);
    // What goes wrong with a row is said by the batch that it belongs to.
    if (row === undefined) rowsOf(table).remove(key).catch(ignore);
    else rowsOf(table).put(key, row).catch(ignore);
  };
  /** LMDB itself finds some damage, as of a page that leads nowhere. */
  const attempt = <Found>(table: AnyTable, read: () => Found): Found => {
    try {
      return read();
    } catch (cause) {
      const message = `store ${path}: table ${table.name} cannot be read: ${reasonOf(cause)}`;
      throw new GridsealError("STORE_CORRUPT", message, { cause });
    }
  };
  let overwriting = Promise.resolve();
  let isClosing = false;
  return {
    root,
    row: (table, key) => attempt(table, () => rowsOf(table).get(key)),
    rows: (table, range) => attempt(table, () => [...rowsOf(table).getRange(range)]),
    async commit(rows) {
      try {
        await root.batch(() => {
          for (const row of rows) putRow(row);
        });
      } catch (error) {
        const cause = await commitFailure(error);
        const full = /ENOSPC|MDB_MAP_FULL|No space/i.test(reasonOf(cause));
        const message = `store ${path} cannot be written: ${reasonOf(cause)}`;
        throw new GridsealError(full ? "STORE_FULL" : "STORE_CORRUPT", message, { cause });
      }
    },
    overwriteFree() {
      overwriting = overwriteFreePages(root, [...databases.values()], () => isClosing);
      return overwriting;
    },
    async close() {
      // The library throws out of a timer of its own where anything reads on.
      isClosing = true;
      await overwriting.catch(ignore);
      await root.close();
    },
  };
}

function ignore(): void {}

/** Why a commit failed: lmdb says it by a promise beside the error, which ends the process where nobody listens. */
function commitFailure(error: unknown): unknown {
  if (!(error instanceof Error && "commitError" in error)) return error;
  return Promise.resolve(error.commitError).then(
    () => error,
    (cause: unknown) => cause,
  );
}
