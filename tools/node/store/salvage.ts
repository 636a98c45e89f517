// What is taken over from a damaged store into a new one: what peers cannot give back. That is what meters and submitters of orders
// were acknowledged by this node alone, waiting by itself or in a temporary block of its own, and what nobody else may see.

import { equalBytes, toHex } from "../../../src/wire/bytes.js";
import { verifyCredential } from "../../../src/wire/credential.js";
import { WireError } from "../../../src/wire/error.js";
import type { Genesis } from "../../../src/wire/genesis.js";
import type { Verify } from "../../../src/wire/key.js";
import { parseRecord } from "../../../src/wire/record.js";
import { readBatch } from "../../ledger/compose.js";
import { kidOf } from "../../ledger/record-scan.js";
import { noticeKey, waitingNotices } from "../chain/batches/waiting-notices.js";
import { admitted } from "../chain/tables/admitted.js";
import { batches } from "../chain/tables/batches.js";
import { credentials } from "../chain/tables/credentials.js";
import { chainIn, idIn, idKey, numberKey } from "./keys.js";
import type { FoundRow, Medium } from "./store.js";
import { type AnyTable, decodeRow, type Table } from "./table.js";
import { tables } from "./tables.js";
import type { Writer } from "./writer.js";

/** Those of the new store that may have rows of the damaged one. */
export const salvagedTables: readonly AnyTable[] = tables.filter(
  (table) => table.isTakenOver || table.name === admitted.name || table.name === credentials.name,
);

/** One row of the new store. */
export interface Salvage {
  readonly table: AnyTable;
  put(writer: Writer): void;
}

/**
 * The rows for the new store of the node `self`, as they are found. A record of a temporary block waits by itself again; if its block
 * is sealed or comes back from the peers, it is a repetition and falls out. Without its meter's credential a record cannot be put
 * before the other nodes: it is left out, and comes again from its meter.
 */
export function* salvage(
  damaged: Medium,
  self: Uint8Array,
  genesis: Genesis,
  verify: Verify,
): Generator<Salvage, void, undefined> {
  const presentable = new Set<string>();
  // Those that meters have shown stand first, under chain 0.
  for (const { key, row } of wholeRows(damaged, credentials)) {
    const kid = idIn(key);
    // One that is on a chain stands in for one that the meter has shown and whose row is damaged.
    if (presentable.has(toHex(kid)) || tried(() => verifyCredential(row, genesis, verify)) === undefined) continue;
    presentable.add(toHex(kid));
    yield rowOf(credentials, idKey(0, kid), row);
  }
  const record = (chain: number, kid: Uint8Array, seq: number, bytes: Uint8Array): Salvage[] =>
    presentable.has(toHex(kid)) ? [rowOf(admitted, numberKey(chain, kid, seq), bytes)] : [];
  for (const { key, row } of wholeRows(damaged, admitted)) {
    const parsed = tried(() => parseRecord(row));
    if (parsed !== undefined) yield* record(chainIn(key), parsed.kid, parsed.claims.seq, row);
  }
  for (const { key, row } of wholeRows(damaged, batches)) {
    const chain = chainIn(key);
    if (!equalBytes(idIn(key), self)) continue;
    const read = tried(() => readBatch(genesis.hash, row));
    for (const held of read?.records ?? []) yield* record(chain, kidOf(held), held.seq, held.bytes);
    for (const notice of read?.notices ?? []) {
      if (notice.kind !== "credential") yield rowOf(waitingNotices, noticeKey(chain, notice), notice);
    }
  }
  for (const table of tables) {
    if (table.isTakenOver) for (const { key, row } of wholeRows(damaged, table)) yield rowOf(table, key, row);
  }
}

function rowOf<Key extends Buffer, Written>(table: Table<Key, unknown, Written>, key: Key, row: Written): Salvage {
  return { table: table as AnyTable, put: (writer) => writer.put(table, key, row) };
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

/** Undefined where it is not what it should be. */
function tried<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
