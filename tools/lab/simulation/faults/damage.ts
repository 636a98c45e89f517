// Damaged rows of a simulated disk. A row that is damaged is there as the product would have it on
// disk, one bit of it flipped. It is read as the product reads it; the others stay what they were.
// And what the product's repair finds of them.

import { fromHex } from "../../../../src/wire/bytes.js";
import { codecs, readRow } from "../../../node/store/codecs.js";
import type { Location, StoredBatch } from "../../../node/store/rows.js";
import type { Remains } from "../../../node/store/salvage.js";
import type { Random } from "../../rig/random.js";
import { type Contents, rowsIn, type TableName, type Tables } from "../world/tables.js";

export interface DamagedRows {
  readonly size: number;
  isWhole(table: TableName, key: string): boolean;
  /** Flips a bit of some row; says of which, or nothing where there is none. */
  flip(tables: Tables, random: Random): string | undefined;
  /** Flips a bit of this row. */
  flipIn(table: TableName, key: string, value: unknown, random: Random): void;
  /** A row as it is read; throws STORE_CORRUPT where it is damaged. */
  read<Name extends TableName>(table: Name, key: string, value: Contents[Name]): Contents[Name];
  /** The row is written anew, or gone. */
  forget(table: TableName, key: string): void;
  clear(): void;
}

export function createDamagedRows(): DamagedRows {
  const rows = new Map<string, Buffer>();
  const flipIn = (table: TableName, key: string, value: unknown, random: Random) => {
    const row = rows.get(`${table}/${key}`) ?? encodeRow(table, value);
    row[random.below(row.length)]! ^= 1 << random.below(8);
    rows.set(`${table}/${key}`, row);
  };
  return {
    get size() {
      return rows.size;
    },
    isWhole: (table, key) => !rows.has(`${table}/${key}`),
    flip(tables, random) {
      const names = (Object.keys(tables) as TableName[]).filter((name) => tables[name].size > 0);
      if (names.length === 0) return undefined;
      const table = random.pick(names);
      const [key, value] = random.pick<readonly [string, unknown]>([...tables[table]]);
      flipIn(table, key, value, random);
      return `${table}/${key}`;
    },
    flipIn,
    read(table, key, value) {
      const row = rows.get(`${table}/${key}`);
      return row === undefined ? value : decodeRow(table, key, value, row);
    },
    forget: (table, key) => void rows.delete(`${table}/${key}`),
    clear: () => rows.clear(),
  };
}

function encodeRow(table: TableName, value: unknown): Buffer {
  if (table === "batches") return codecs.batches.encode((value as StoredBatch).bytes);
  if (table !== "index") return (codecs[table].encode as (content: unknown) => Buffer)(value);
  const { height, leaf } = value as Location;
  return codecs.index.encode({ kid: new Uint8Array(8), first: 0, height, leaves: [leaf] });
}

function decodeRow<Name extends TableName>(
  table: Name,
  key: string,
  value: Contents[Name],
  row: Buffer,
): Contents[Name] {
  const content: unknown = readRow("of a simulated disk", table, new TextEncoder().encode(key), row, `row ${key}`);
  if (table === "batches") return { ...(value as StoredBatch), bytes: content } as Contents[Name];
  if (table === "index") return (content as (behind: number) => Location)(0) as Contents[Name];
  return content as Contents[Name];
}

/** What a repair finds. */
export function remainsOf(tables: Tables, damaged: DamagedRows): Remains {
  function* whole<Name extends TableName>(table: Name) {
    for (const [key, value] of rowsIn(tables, table)) {
      const [chain = "", id = "", number] = key.split("/");
      try {
        const content = damaged.read(table, key, value);
        yield { chain: Number(chain), kid: fromHex(id)!, seq: Number(number), content };
      } catch {
        // It is left out.
      }
    }
  }
  return {
    *credentials() {
      for (const { content, ...row } of whole("credentials")) yield { ...row, bytes: content };
    },
    *disclosures() {
      for (const { content, ...row } of whole("disclosures")) yield { ...row, bytes: content };
    },
    *admitted() {
      for (const { content, ...row } of whole("admitted")) yield { ...row, bytes: content };
    },
    *batches() {
      for (const { content, chain } of whole("batches")) yield { ...content, chain };
    },
    *rulings() {
      for (const { content, chain } of whole("rulings")) yield { chain, notice: content };
    },
  };
}
