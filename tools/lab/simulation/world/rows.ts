// The rows of a simulated disk: encoded as the product encodes them, for every table of its list, in the order of their keys.

import { chainIn, type KeyOfChain, type KeyRange } from "../../../node/store/keys.js";
import type { FoundRow } from "../../../node/store/store.js";
import { type AnyTable, decodeRow, encodeRow, type Table } from "../../../node/store/table.js";
import { tables } from "../../../node/store/tables.js";
import type { NotedRow } from "../../../node/store/writer.js";

/** A row as it was written. */
interface WrittenRow {
  readonly key: Buffer;
  readonly value: Buffer;
  /** what it says, once somebody has read it */
  content?: unknown;
}

/** Of one table: in the order in which they came, and their names in the order of their keys. */
interface TableRows {
  readonly written: Map<string, WrittenRow>;
  readonly names: string[];
}

export class DiskRows {
  readonly #tables = new Map<AnyTable, TableRows>(tables.map((table) => [table, { written: new Map(), names: [] }]));

  get<Key extends Buffer, Row>(table: Table<Key, Row, never>, key: Key): Row | undefined {
    const written = this.#of(table).written.get(nameOf(key));
    return written === undefined ? undefined : contentOf(table, written);
  }

  has<Key extends Buffer>(table: Table<Key, unknown, never>, key: Key): boolean {
    return this.#of(table).written.has(nameOf(key));
  }

  /** As a store has it. */
  range<Key extends Buffer, Row>(table: Table<Key, Row, never>, range: KeyRange): FoundRow<Key, Row>[] {
    return this.#namesIn(table, range).map((name) => this.#read(table, name));
  }

  /** All rows, or those of a chain. */
  all<Key extends KeyOfChain, Row>(table: Table<Key, Row, never>, chain?: number): FoundRow<Key, Row>[] {
    const rows = this.#of(table).names.map((name) => this.#read(table, name));
    return chain === undefined ? rows : rows.filter(({ key }) => chainIn(key) === chain);
  }

  put<Key extends Buffer, Written>(table: Table<Key, unknown, Written>, key: Key, row: Written): void {
    this.write({ table: table as AnyTable, key, row: encodeRow(table, row) });
  }

  delete<Key extends Buffer>(table: Table<Key, unknown, never>, key: Key): void {
    this.write({ table: table as AnyTable, key, row: undefined });
  }

  write({ table, key, row }: Pick<NotedRow, "table" | "key" | "row">): void {
    const { written, names } = this.#of(table);
    const name = nameOf(key);
    const isThere = written.has(name);
    if (row !== undefined) {
      if (!isThere) names.splice(placeOf(names, name), 0, name);
      written.set(name, { key, value: row });
    } else if (isThere) {
      names.splice(placeOf(names, name), 1);
      written.delete(name);
    }
  }

  clear(): void {
    for (const { written, names } of this.#tables.values()) {
      written.clear();
      names.length = 0;
    }
  }

  /** Rows as they are encoded, as a medium has them. */
  encoded(table: AnyTable, range: KeyRange): WrittenRow[] {
    const { written } = this.#of(table);
    return this.#namesIn(table, range).map((name) => written.get(name)!);
  }

  /** Those of a table in the order in which they came. */
  inOrder(table: AnyTable): readonly WrittenRow[] {
    return [...this.#of(table).written.values()];
  }

  encodedRow(table: AnyTable, key: Buffer): Buffer | undefined {
    return this.#of(table).written.get(nameOf(key))?.value;
  }

  #of(table: Table<never, unknown, never>): TableRows {
    return this.#tables.get(table as AnyTable)!;
  }

  #read<Key extends Buffer, Row>(table: Table<Key, Row, never>, name: string): FoundRow<Key, Row> {
    const written = this.#of(table).written.get(name)!;
    return { key: written.key as Key, row: contentOf(table, written) };
  }

  #namesIn(table: Table<never, unknown, never>, { start, end, reverse, limit }: KeyRange): string[] {
    const { names } = this.#of(table);
    if (reverse) {
      const above = start === undefined ? names.length : placeOf(names, `${nameOf(start)} `);
      const low = end === undefined ? 0 : placeOf(names, `${nameOf(end)} `);
      return names.slice(Math.max(low, above - (limit ?? above)), above).reverse();
    }
    const from = start === undefined ? 0 : placeOf(names, nameOf(start));
    const to = end === undefined ? names.length : placeOf(names, nameOf(end));
    return names.slice(from, Math.min(to, from + (limit ?? names.length)));
  }
}

/** Text that stands in the order of the keys. */
export function nameOf(key: Buffer): string {
  return key.toString("hex");
}

function contentOf<Row>(table: Table<never, Row, never>, written: WrittenRow): Row {
  written.content ??= decodeRow(table, written.value);
  return written.content as Row;
}

/** How many names stand before this one. */
function placeOf(names: readonly string[], name: string): number {
  let low = 0;
  let high = names.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (names[middle]! < name) low = middle + 1;
    else high = middle;
  }
  return low;
}
