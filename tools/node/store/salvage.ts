// What is taken over from a damaged store into a new one: what peers cannot give back. That is what meters and submitters of orders
// were acknowledged by this node alone, waiting by itself or in a temporary block of its own, and what nobody else may see.

import type { Genesis } from "../../../src/wire/genesis.js";
import type { Verify } from "../../../src/wire/key.js";
import { credentials } from "../chain/tables/credentials.js";
import { sealedDisclosures } from "../chain/tables/sealed-disclosures.js";
import type { FoundRow, Medium } from "./store.js";
import { type AnyTable, decodeRow, type Repair, type Table } from "./table.js";
import { tables } from "./tables.js";
import type { Writer } from "./writer.js";

/** Those of the new store that may have rows of the damaged one. */
export const salvagedTables: readonly AnyTable[] = tables.filter((table) => table.isTakenOver);

/** Whether a record can be put before other nodes hangs on its meter's credential, and on the ciphertext of what it hides. */
const inOrder: readonly AnyTable[] = [...tables].sort((left, right) => rankOf(left) - rankOf(right));

/** One row of the new store. */
export interface Salvage {
  readonly table: AnyTable;
  put(writer: Writer): void;
}

/** The rows for the new store of the node `self`, as they are found; each table says what is made of its own. */
export function* salvage(
  damaged: Medium,
  self: Uint8Array,
  genesis: Genesis,
  verify: Verify,
): Generator<Salvage, void, undefined> {
  const found: Salvage[] = [];
  const repair: Repair = {
    ...{ self, genesis, verify, presentable: new Set(), encrypted: new Set() },
    put(table, key, row) {
      found.push({ table: table as AnyTable, put: (writer) => writer.put(table, key, row) });
    },
  };
  for (const table of inOrder) {
    if (table.takeOver === undefined && !table.isTakenOver) continue;
    for (const { key, row } of wholeRows(damaged, table)) {
      if (table.takeOver === undefined) repair.put(table, key, row);
      else table.takeOver(key, row, repair);
      yield* found.splice(0);
    }
  }
}

function rankOf(table: AnyTable): number {
  return table.name === credentials.name || table.name === sealedDisclosures.name ? 0 : 1;
}

/** A table's rows as far as they can be read, without those that are damaged. */
function* wholeRows<Key extends Buffer, Row>(
  damaged: Medium,
  table: Table<Key, Row, never>,
): Generator<FoundRow<Key, Row>> {
  const rows = readable(() => damaged.rows(table as AnyTable, {})[Symbol.iterator]());
  for (;;) {
    const next = readable(() => rows?.next());
    if (next === undefined || next.done) return; // its end, or a damaged page: what stands behind it is lost
    const bytes = Buffer.from(next.value.value);
    const row = readable(() => decodeRow(table, bytes));
    if (row !== undefined) yield { key: Buffer.from(next.value.key) as Key, row };
  }
}

/** Undefined where it cannot be read, whatever the reason. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
