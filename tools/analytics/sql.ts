// A query of SQL over an export, in DuckDB where that is installed. Tables are filled first; then files, settings and the network are
// locked off, before anybody's query runs. Figures are whole numbers and text: what floats come to differs between machines.

import type { Value } from "../../src/wire/value.js";
import { GridsealError, reasonOf } from "../errors.js";
import { columns, type Row } from "./columns.js";
import { type Export, rowsOf } from "./read.js";
import { startOf } from "./studies/whole.js";
import { groupOf, type StudyGroup, type StudyResult } from "./study.js";
import type { StudyTerms } from "./terms.js";

/** Rows and columns that a query comes to. */
const ROWS_MAX = 10_000;
const COLUMNS_MAX = 256;
const PATIENCE_MS = 120_000;
/** Rows that are handed over at a time. */
const CHUNK_ROWS = 10_000;
/** Not in package.json: 68 MB of native code that most do without. */
const DUCKDB = "@duckdb/node-api";

/** What is used of it. */
export interface DuckDb {
  readonly version: () => string;
  readonly DuckDBInstance: { create(path: string, settings: Readonly<Record<string, string>>): Promise<Instance> };
}

interface Instance {
  connect(): Promise<Connection>;
  closeSync(): void;
}

interface Appender {
  appendVarchar(text: string): void;
  appendBigInt(number: bigint): void;
  appendNull(): void;
  endRow(): void;
  flushSync(): void;
  closeSync(): void;
}

interface Connection {
  run(sql: string): Promise<unknown>;
  createAppender(table: string): Promise<Appender>;
  streamAndReadUntil(sql: string, rows: number): Promise<Reader>;
  interrupt(): void;
  closeSync(): void;
}

interface Reader {
  columnNames(): readonly string[];
  columnTypes(): readonly { toString(): string }[];
  getRows(): readonly (readonly unknown[])[];
}

/** Runs the query of a study. Rejects with DUCKDB_MISSING, with QUERY_REFUSED, and as `groupOf` does. */
export async function runQuery(
  of: Export,
  terms: StudyTerms,
  onFile?: (done: number, total: number) => void,
): Promise<StudyResult> {
  const duck = await loadDuckDb();
  const group = await groupOf(of, terms, onFile);
  const instance = await duck.DuckDBInstance.create(":memory:", { threads: "1", memory_limit: "2GB" });
  const connection = await instance.connect();
  try {
    await fillTotals(connection, group, terms);
    if (terms.audience === "members") await fillReadings(connection, of, { group, terms });
    await connection.run("SET enable_external_access=false; SET lock_configuration=true");
    const figures = await ask(connection, terms.sql!);
    return { engine: `duckdb/${duck.version()}`, ...group.result, figures };
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** Rejects with DUCKDB_MISSING where it is not installed. */
export async function loadDuckDb(): Promise<DuckDb> {
  try {
    return (await import(DUCKDB)) as DuckDb;
  } catch (cause) {
    throw new GridsealError("DUCKDB_MISSING", `SQL needs ${DUCKDB}, which is not installed`, { cause });
  }
}

/** Sums of a slot's members; slots of too few of them are left out where figures are of groups alone. */
async function fillTotals(connection: Connection, { series, members }: StudyGroup, terms: StudyTerms): Promise<void> {
  await connection.run("CREATE TABLE totals (start_s BIGINT, members BIGINT, taken_mWh BIGINT, given_mWh BIGINT)");
  const appender = await connection.createAppender("totals");
  const all = members.map((meter) => series.meters.get(meter)!);
  for (let at = 0; at < series.count; at += 1) {
    const known = all.filter(({ taken, given }) => taken[at] !== null && given[at] !== null);
    if (known.length === 0 || (terms.audience === "aggregate" && known.length < terms.least)) continue;
    const sum = (name: "taken" | "given") => known.reduce((energy, each) => energy + BigInt(each[name][at]!), 0n);
    const cells = [BigInt(startOf(series, at)), BigInt(known.length), sum("taken"), sum("given")];
    for (const cell of cells) appender.appendBigInt(cell);
    appender.endRow();
  }
  appender.closeSync();
}

interface OfGroup {
  readonly group: StudyGroup;
  readonly terms: StudyTerms;
}

async function fillReadings(connection: Connection, of: Export, { group, terms }: OfGroup): Promise<void> {
  // Time in UTC seconds: whole numbers alone come out of a query.
  const types = columns.map(({ name, type }) => {
    return `${name === "time" ? "time_s" : name} ${type === "STRING" ? "VARCHAR" : "BIGINT"}`;
  });
  await connection.run(`CREATE TABLE readings (${types.join(", ")})`);
  const members = new Set(group.members);
  const appender = await connection.createAppender("readings");
  let count = 0;
  for await (const row of rowsOf(of, terms.service, terms)) {
    if (!members.has(row.meter) || row.time_s < terms.from_s || row.time_s >= terms.to_s) continue;
    appendRow(appender, row);
    count += 1;
    if (count % CHUNK_ROWS === 0) appender.flushSync();
  }
  appender.closeSync();
}

function appendRow(appender: Appender, row: Row): void {
  for (const { name } of columns) {
    const cell = name === "time" ? row.time_s : row[name];
    if (cell === null) appender.appendNull();
    else if (typeof cell === "string") appender.appendVarchar(cell);
    else appender.appendBigInt(BigInt(cell));
  }
  appender.endRow();
}

async function ask(connection: Connection, sql: string): Promise<{ readonly [name: string]: Value }> {
  const timer = setTimeout(() => connection.interrupt(), PATIENCE_MS);
  try {
    const reader = await connection.streamAndReadUntil(sql, ROWS_MAX + 1);
    const names = reader.columnNames();
    const rows = reader.getRows();
    if (rows.length > ROWS_MAX || names.length > COLUMNS_MAX) {
      throw new RangeError(`it comes to more than ${ROWS_MAX} rows of ${COLUMNS_MAX} columns`);
    }
    const inexact = reader.columnTypes().find((type) => /DOUBLE|FLOAT/.test(type.toString()));
    if (inexact !== undefined) throw new RangeError(`a column is ${inexact}: cast it to BIGINT or VARCHAR`);
    return { columns: names.map(plain), rows: rows.map((row) => row.map(cellOf)) };
  } catch (cause) {
    throw new GridsealError("QUERY_REFUSED", `the query fails: ${reasonOf(cause)}`, { cause });
  } finally {
    clearTimeout(timer);
  }
}

/** Throws a RangeError for what is no whole number, text, truth or null. */
function cellOf(cell: unknown): Value {
  if (cell === null || typeof cell === "boolean" || typeof cell === "bigint") return cell;
  if (typeof cell === "string") return plain(cell);
  if (Number.isSafeInteger(cell)) return cell as number;
  throw new RangeError(
    `a cell is ${typeof cell === "number" ? `${cell}` : "of another type"}: cast it to BIGINT or VARCHAR`,
  );
}

/** Text as results have it: visible ASCII without quotation marks and backslashes. */
function plain(text: string): string {
  return text.replace(/[^ -~]|["\\]/g, "?");
}
