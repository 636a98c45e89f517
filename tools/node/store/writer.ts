// Writing rows: each is encoded and noted down. Nothing is in a transaction before all rows of a write are noted: one that cannot be
// encoded leaves none of the others behind.

import { ERASED_KEY, meta, replacedMark } from "./meta.js";
import { type AnyTable, encodeRow, type Table } from "./table.js";

/** A row to put, or to remove where it has no content. */
export interface NotedRow {
  readonly table: AnyTable;
  readonly key: Buffer;
  readonly row: Buffer | undefined;
  /** its bytes are overwritten before it is removed */
  readonly isErased?: true;
  /** what is kept of it in memory once it is durable */
  readonly kept: unknown;
}

/** Rows to write in one transaction. */
export interface Writer {
  put<Key extends Buffer, Written>(table: Table<Key, unknown, Written>, key: Key, row: Written): void;
  delete<Key extends Buffer>(table: Table<Key, unknown, never>, key: Key): void;
  /** Removes a row whose bytes nobody may find again: they are overwritten, and the file is written anew at the next start. */
  erase<Key extends Buffer>(table: Table<Key, unknown, never>, key: Key): void;
}

/** All rows of a write; throws what `fill` throws, and then there are none. */
export function rowsToWrite(fill: (writer: Writer) => void): NotedRow[] {
  const noted = new NotedRows();
  fill(noted);
  return noted.rows;
}

class NotedRows implements Writer {
  readonly rows: NotedRow[] = [];

  put<Key extends Buffer, Written>(table: Table<Key, unknown, Written>, key: Key, row: Written): void {
    const kept = table.kept?.copy(row);
    this.rows.push({ table: table as AnyTable, key, row: encodeRow(table, row), kept });
  }

  delete<Key extends Buffer>(table: Table<Key, unknown, never>, key: Key): void {
    this.rows.push({ table: table as AnyTable, key, row: undefined, kept: undefined });
  }

  erase<Key extends Buffer>(table: Table<Key, unknown, never>, key: Key): void {
    this.put(meta, ERASED_KEY, replacedMark);
    this.rows.push({ table: table as AnyTable, key, row: undefined, isErased: true, kept: undefined });
  }
}
