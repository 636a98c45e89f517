// Damaged rows of a simulated disk. A row that is damaged is read with one bit of it flipped; whoever
// checks what was written finds it as it was.

import type { AnyTable } from "../../../node/store/table.js";
import { tables } from "../../../node/store/tables.js";
import type { Random } from "../../rig/random.js";
import { type DiskRows, nameOf } from "../world/rows.js";

export interface DamagedRows {
  readonly size: number;
  isWhole(table: AnyTable, key: Buffer): boolean;
  /** Flips a bit of some row; says of which, or nothing where there is none. */
  flip(rows: DiskRows, random: Random): string | undefined;
  /** Flips a bit of this row. */
  flipIn(table: AnyTable, key: Buffer, value: Buffer, random: Random): void;
  /** A row as it is read. */
  read(table: AnyTable, key: Buffer, value: Buffer): Buffer;
  /** The row is written anew, or gone. */
  forget(table: AnyTable, key: Buffer): void;
  clear(): void;
}

export function createDamagedRows(): DamagedRows {
  const damaged = new Map<string, Buffer>();
  const flipIn = (table: AnyTable, key: Buffer, value: Buffer, random: Random) => {
    const row = Buffer.from(damaged.get(placeOf(table, key)) ?? value);
    row[random.below(row.length)]! ^= 1 << random.below(8);
    damaged.set(placeOf(table, key), row);
  };
  return {
    get size() {
      return damaged.size;
    },
    isWhole: (table, key) => !damaged.has(placeOf(table, key)),
    flip(rows, random) {
      const written = tables
        .map((table) => ({ table, rows: rows.inOrder(table) }))
        .filter((some) => some.rows.length > 0);
      if (written.length === 0) return undefined;
      const { table, rows: ofTable } = random.pick(written);
      const { key, value } = random.pick(ofTable);
      flipIn(table, key, value, random);
      return placeOf(table, key);
    },
    flipIn,
    read: (table, key, value) => damaged.get(placeOf(table, key)) ?? value,
    forget: (table, key) => void damaged.delete(placeOf(table, key)),
    clear: () => damaged.clear(),
  };
}

function placeOf(table: AnyTable, key: Buffer): string {
  return `${table.name}/${nameOf(key)}`;
}
