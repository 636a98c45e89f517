// What a node has on disk, whatever the disk is. A write is atomic and durable before its promise resolves; writes of one event-loop
// turn share one synced transaction. The tables are in tables.ts, LMDB is in lmdb.ts.

import { BoundedMap } from "../../bounded-map.js";
import { GridsealError } from "../../errors.js";
import type { KeyRange } from "./keys.js";
import { type AnyTable, readRow, type Table } from "./table.js";
import { type NotedRow, rowsToWrite, type Writer } from "./writer.js";

export interface FoundRow<Key extends Buffer, Row> {
  readonly key: Key;
  readonly row: Row;
}

export interface Store {
  /** The folder is not the one that the node's key signed with before: what was signed is not known here. */
  readonly isReplaced: boolean;
  /** Throws STORE_CORRUPT where the row is damaged. */
  get<Key extends Buffer, Row>(table: Table<Key, Row, never>, key: Key): Row | undefined;
  /**
   * The content of a row as it is encoded, its checksum not looked at: for who takes a small part of a long one, and holds that to a hash
   * of its own.
   */
  unchecked<Key extends Buffer>(table: Table<Key, unknown, never>, key: Key): Uint8Array | undefined;
  /** Rows in the order of their keys; throws STORE_CORRUPT where one is damaged. */
  range<Key extends Buffer, Row>(table: Table<Key, Row, never>, range: KeyRange): FoundRow<Key, Row>[];
  /**
   * Resolves when everything that `fill` put is durable. Rejects with STORE_FULL or STORE_CORRUPT, or with what `fill` threw; then nothing
   * of it is written.
   */
  write(fill: (writer: Writer) => void): Promise<void>;
  /** Overwrites what erased rows have left where nothing is kept any more. */
  overwriteFree(): Promise<void>;
  /** Resolves when what is being written is durable. From its call on every read and write is refused with STORE_CLOSED. */
  close(): Promise<void>;
}

/** For what only reads. */
export type StoreReader = Pick<Store, "get" | "range">;
/** For what reads parts of long rows too. */
export type PartReader = StoreReader & Pick<Store, "unchecked">;

/** Where a store's rows are, as they are encoded: LMDB in a folder, or a simulated disk. */
export interface Medium {
  row(table: AnyTable, key: Buffer): Buffer | undefined;
  rows(table: AnyTable, range: KeyRange): Iterable<{ readonly key: Buffer; readonly value: Buffer }>;
  /** Puts and removes the rows in their order, in one transaction with what else is written in this turn. */
  commit(rows: readonly NotedRow[]): Promise<void>;
  overwriteFree(): Promise<void>;
  close(): Promise<void>;
}

export interface StoreOptions {
  /** for errors */
  readonly path: string;
  readonly isReplaced: boolean;
  /** nobody else writes there: rows may be kept in memory */
  readonly isOnlyWriter: boolean;
}

export function storeOver(medium: Medium, { path, isReplaced, isOnlyWriter }: StoreOptions): Store {
  const kept = new Map<AnyTable, BoundedMap<string, unknown>>();
  let closed: Promise<void> | undefined;

  /** What comes late finds the environment gone: the library would throw out of a timer of its own. */
  const refuseLate = () => {
    if (closed !== undefined) throw new GridsealError("STORE_CLOSED", `store ${path} is closed`);
  };

  const read = <Key extends Buffer, Row>(table: Table<Key, Row, never>, key: Key): Row | undefined => {
    const row = medium.row(table as AnyTable, key);
    return row === undefined ? undefined : readRow(path, table, key, row);
  };

  /** Rows of this table as they are on disk, those that are known to be absent too. */
  const keptOf = (table: AnyTable): BoundedMap<string, unknown> | undefined => {
    if (table.kept === undefined || !isOnlyWriter) return undefined;
    const rows = kept.get(table) ?? new BoundedMap<string, unknown>(table.kept.rows_max);
    kept.set(table, rows);
    return rows;
  };

  const keep = ({ table, key, kept: row }: NotedRow) => keptOf(table)?.set(key.toString("latin1"), row);

  return {
    isReplaced,
    get<Key extends Buffer, Row>(table: Table<Key, Row, never>, key: Key): Row | undefined {
      refuseLate();
      const rows = keptOf(table as AnyTable);
      if (rows === undefined) return read(table, key);
      const name = key.toString("latin1");
      if (rows.has(name)) return rows.get(name) as Row | undefined;
      const row = read(table, key);
      rows.set(name, row);
      return row;
    },
    unchecked<Key extends Buffer>(table: Table<Key, unknown, never>, key: Key): Uint8Array | undefined {
      refuseLate();
      const row = medium.row(table as AnyTable, key);
      return row === undefined ? undefined : table.checksum.skip(row);
    },
    range<Key extends Buffer, Row>(table: Table<Key, Row, never>, range: KeyRange): FoundRow<Key, Row>[] {
      refuseLate();
      return Array.from(medium.rows(table as AnyTable, range), ({ key, value }) => ({
        key: key as Key,
        row: readRow(path, table, key as Key, value),
      }));
    },
    async write(fill) {
      refuseLate();
      const rows = rowsToWrite(fill);
      await medium.commit(rows);
      for (const noted of rows) if (noted.table.kept !== undefined) keep(noted);
    },
    async overwriteFree() {
      refuseLate();
      await medium.overwriteFree();
    },
    close() {
      closed ??= medium.close();
      return closed;
    },
  };
}
