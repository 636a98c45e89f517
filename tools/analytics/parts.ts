// Rows gathered by service and UTC day, and written as files of a bounded number of rows: Parquet partitioned as Hive does, which Spark,
// Trino, ClickHouse and DuckDB read as it is; CSV beside it. The same rows in the same order come to the same files.

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parquetWriteBuffer } from "hyparquet-writer";
import { GridsealError, reasonOf } from "../errors.js";
import { csvRow } from "../files/csv.js";
import { type ColumnName, columns, type Row } from "./columns.js";
import { digestOf, type ExportedFile, type FileForm, FORMAT } from "./manifest.js";

/** Rows that are held, of all days together: where there are more, the day with most of them is written. */
export const ROWS_HELD_MAX = 131_072;

export interface Parts {
  /** Throws FILE_UNWRITABLE. */
  add(service: number, row: Row): void;
  /** Writes what is still held. Throws FILE_UNWRITABLE. */
  finish(): readonly ExportedFile[];
}

interface Day {
  readonly service: number;
  readonly day: string;
  rows: Row[];
  written: number;
}

export function createParts(folder: string, forms: readonly FileForm[], rowsMax = ROWS_HELD_MAX): Parts {
  const days = new Map<string, Day>();
  const files: ExportedFile[] = [];
  let held = 0;
  const flush = (of: Day) => {
    of.written += 1;
    for (const form of forms) files.push(writePart(folder, form, of));
    held -= of.rows.length;
    of.rows = [];
  };
  return {
    add(service, row) {
      const day = dayOf(row.time_s);
      const name = `${service}/${day}`;
      const of = days.get(name) ?? { service, day, rows: [], written: 0 };
      days.set(name, of);
      of.rows.push(row);
      held += 1;
      if (held >= rowsMax)
        flush([...days.values()].reduce((one, other) => (other.rows.length > one.rows.length ? other : one)));
    },
    finish() {
      for (const of of days.values()) if (of.rows.length > 0) flush(of);
      return files.sort((one, other) => (one.path < other.path ? -1 : 1));
    },
  };
}

/** The UTC day of a reading, as 2026-11-30; a far year has its sign, as in ISO 8601. */
export function dayOf(time_s: number): string {
  return timeOf(time_s).slice(0, -"T00:00:00.000Z".length);
}

function timeOf(time_s: number): string {
  return new Date(time_s * 1_000).toISOString();
}

function writePart(folder: string, form: FileForm, { service, day, rows, written }: Day): ExportedFile {
  const path = `service=${service}/day=${day}/part-${String(written).padStart(5, "0")}.${form}`;
  const bytes = form === "parquet" ? parquetOf(rows) : Buffer.from(csvOf(rows));
  const at = join(folder, path);
  try {
    mkdirSync(dirname(at), { recursive: true });
    writeFileSync(at, bytes, { flag: "wx" });
  } catch (cause) {
    throw new GridsealError("FILE_UNWRITABLE", `${at} cannot be written: ${reasonOf(cause)}`, { cause });
  }
  return { path, form, service, day, rows: rows.length, bytes: bytes.length, sha256: digestOf(bytes) };
}

function parquetOf(rows: readonly Row[]): Uint8Array {
  const columnData = columns.map(({ name, type, isNullable }) => ({
    ...{ name, type, nullable: isNullable },
    data: rows.map((row) => parquetCell(row, name, type)),
  }));
  const kvMetadata = columns.map(({ name, what }) => ({ key: name, value: what }));
  return new Uint8Array(parquetWriteBuffer({ columnData, kvMetadata, createdBy: FORMAT }));
}

function parquetCell(row: Row, name: ColumnName, type: string): unknown {
  const cell = name === "time" ? new Date(row.time_s * 1_000) : row[name];
  return type === "INT64" && typeof cell === "number" ? BigInt(cell) : cell;
}

function csvOf(rows: readonly Row[]): string {
  const lines = rows.map((row) => csvRow(columns.map(({ name }) => csvText(row, name))));
  return csvRow(columns.map(({ name }) => name)) + lines.join("");
}

function csvText(row: Row, name: ColumnName): string {
  if (name === "time") return timeOf(row.time_s);
  const cell = row[name];
  return cell === null ? "" : String(cell);
}
