// The register on disk: an LMDB environment with the log and the rows that its changes come to. An update is one synced
// transaction, which no other process writes beside: a status index is given once, and nothing leaves that is not logged.

import { chmodSync, existsSync } from "node:fs";
import { join } from "node:path";
import { type Database, open, type RootDatabase } from "lmdb";
import { GridsealError, reasonOf } from "../../errors.js";
import { checkPageFile } from "../../files/page-file.js";
import { closeFolder, SECRET } from "../../files/private-files.js";
import type { Change } from "./changes.js";
import { createDraft, type Draft } from "./draft.js";
import { emptyHead, type LogHead } from "./log.js";
import { type RegisterView, type TableName, type Tables, tableNames } from "./rows.js";

type Table = Database<Buffer, Buffer>;

/** What LMDB makes in a folder. */
const FILES = ["data.mdb", "lock.mdb"];
/** Changes that one update makes. */
export const CHANGES_MAX = 100_000;
const meta = Buffer.from("meta");

interface Meta {
  readonly head: LogHead;
  readonly issued: number;
}

export interface Register extends RegisterView {
  readonly path: string;
  readonly head: LogHead;
  /** All rows of a table with their IDs, in the order of the IDs. */
  rows<Name extends TableName>(table: Name): Generator<{ readonly id: string; readonly row: Tables[Name] }>;
  /** The log's entries as stored, oldest first. */
  entries(): Generator<Uint8Array>;
  /**
   * Appends what `build` has attempted with success and the changes that it returns, all or nothing. Durable when it returns.
   * Throws REGISTER_REFUSED where one that it returns does not apply; what `build` throws goes through.
   */
  update(now_s: number, build: (draft: Draft) => readonly Change[]): void;
  close(): Promise<void>;
}

interface Opened {
  readonly path: string;
  readonly root: RootDatabase<Buffer, Buffer>;
  readonly log: Table;
  readonly tables: ReadonlyMap<TableName, Table>;
}

/** Makes the register of a new authority in a folder. Throws FILE_EXISTS where there is one. */
export async function createRegister(path: string): Promise<Register> {
  if (existsSync(join(path, FILES[0]!))) throw new GridsealError("FILE_EXISTS", `${path} has a register already`);
  await closeFolder(path);
  const opened = openTables(path);
  for (const file of FILES) chmodSync(join(path, file), SECRET);
  opened.root.transactionSync(() => opened.root.put(meta, bytesOf({ head: emptyHead, issued: 0 } satisfies Meta)));
  return asRegister(opened);
}

/** Opens an authority's register. Throws FILE_UNREADABLE where there is none, REGISTER_DAMAGED where it cannot be read. */
export function openRegister(path: string): Register {
  if (!existsSync(join(path, FILES[0]!))) throw new GridsealError("FILE_UNREADABLE", `${path} has no register`);
  const opened = openTables(path);
  readMeta(opened);
  return asRegister(opened);
}

/** Runs `use` with the register of a folder and closes it. */
export async function withRegister<Result>(
  path: string,
  use: (register: Register) => Result | Promise<Result>,
): Promise<Result> {
  const register = openRegister(path);
  try {
    return await use(register);
  } finally {
    await register.close();
  }
}

function openTables(path: string): Opened {
  try {
    checkPageFile(path);
    const root = open<Buffer, Buffer>({
      path,
      noSubdir: false, // lmdb takes a name with a dot for a file
      overlappingSync: false,
      maxDbs: 16,
      keyEncoding: "binary",
      encoding: "binary",
    });
    const table = (name: string) => root.openDB<Buffer, Buffer>({ name, keyEncoding: "binary", encoding: "binary" });
    return { path, root, log: table("log"), tables: new Map(tableNames.map((name) => [name, table(name)])) };
  } catch (cause) {
    throw new GridsealError("REGISTER_DAMAGED", `register ${path} cannot be opened: ${reasonOf(cause)}`, { cause });
  }
}

function asRegister(opened: Opened): Register {
  return {
    path: opened.path,
    get head() {
      return readMeta(opened).head;
    },
    get issued() {
      return readMeta(opened).issued;
    },
    get: (table, id) => readRow(opened, table, id),
    rows: (table) => rowsOf(opened, table),
    entries: () => entriesOf(opened),
    update: (now_s, build) => opened.root.transactionSync(() => update(opened, now_s, build)),
    close: () => opened.root.close(),
  };
}

/** All is judged before anything is put: what throws leaves the transaction empty. */
function update(opened: Opened, now_s: number, build: (draft: Draft) => readonly Change[]): void {
  const before = readMeta(opened);
  const base = {
    ...before,
    get: <Name extends TableName>(table: Name, id: string) => readRow(opened, table, id),
  };
  const draft = createDraft(base, now_s);
  const reason = draft.attempt(build(draft));
  if (reason !== undefined) throw new GridsealError("REGISTER_REFUSED", reason);
  if (draft.entries.length > CHANGES_MAX) {
    throw new GridsealError("REGISTER_REFUSED", `${draft.entries.length} changes at once are more than ${CHANGES_MAX}`);
  }
  for (const [number, bytes] of draft.entries) opened.log.put(entryKey(number), Buffer.from(bytes));
  for (const { table, id, row } of draft.puts) opened.tables.get(table)!.put(Buffer.from(id), bytesOf(row));
  opened.root.put(meta, bytesOf({ head: draft.head, issued: draft.issued } satisfies Meta));
}

function readRow<Name extends TableName>(opened: Opened, table: Name, id: string): Tables[Name] | undefined {
  const bytes = opened.tables.get(table)!.get(Buffer.from(id));
  return bytes === undefined ? undefined : (parse(opened, bytes, `${table}, row ${id}`) as Tables[Name]);
}

function* rowsOf<Name extends TableName>(opened: Opened, table: Name) {
  for (const { key, value } of opened.tables.get(table)!.getRange()) {
    const id = key.toString();
    yield { id, row: parse(opened, value, `${table}, row ${id}`) as Tables[Name] };
  }
}

function* entriesOf({ log }: Opened): Generator<Uint8Array> {
  for (const { value } of log.getRange()) yield value;
}

function readMeta(opened: Opened): Meta {
  const bytes = opened.root.get(meta);
  if (bytes === undefined) throw new GridsealError("REGISTER_DAMAGED", `register ${opened.path} has no head`);
  return parse(opened, bytes, "head") as Meta;
}

function parse({ path }: Opened, bytes: Buffer, where: string): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch (cause) {
    throw new GridsealError("REGISTER_DAMAGED", `register ${path}: ${where} is no JSON`, { cause });
  }
}

function bytesOf(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function entryKey(number: number): Buffer {
  const key = Buffer.alloc(7);
  key.writeUIntBE(number, 1, 6);
  return key;
}
