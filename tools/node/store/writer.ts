// Writing rows: a function for each kind of row, which encodes it and notes it down. Nothing is in a transaction before all rows of a
// write are noted: one that cannot be encoded leaves none of the others behind.

import type { Notice } from "../../../src/wire/notice.js";
import type { MeterState, OriginState } from "../../ledger/state.js";
import { codecs } from "./codecs.js";
import { blockKey, chainKey, idKey, numberKey } from "./keys.js";
import type { Outline } from "./outline.js";
import type { Head, SealedRun, StoredBatch } from "./rows.js";
import type { Table, Tables } from "./tables.js";

/** A row to put, or to remove where it has no content. */
export interface NotedRow {
  readonly table: Table;
  readonly key: Buffer;
  readonly row: Buffer | undefined;
}

/** Rows to write in one transaction. */
export interface Writer {
  putHead(chain: number, head: Head): void;
  putBlock(chain: number, height: number, bytes: Uint8Array): void;
  /** Where records are sealed; a meter has few runs in a block, and one row for each. */
  putRun(chain: number, run: SealedRun): void;
  putMeter(chain: number, kid: Uint8Array, state: MeterState): void;
  putOrigin(chain: number, origin: Uint8Array, state: OriginState): void;
  /** Heights at which a node is recorded to have equivocated. */
  putFaults(chain: number, node: Uint8Array, heights: readonly number[]): void;
  /** An order that a contracts block holds. */
  putOrder(number: number, contractsHeight: number, bytes: Uint8Array): void;
  /** An order or evidence that waits for the next temporary block, under the beginning of its hash. */
  putRuling(chain: number, name: Uint8Array, notice: Notice): void;
  deleteRuling(chain: number, name: Uint8Array): void;
  /** A credential that is on the chain, or with chain 0 one that a meter has shown. */
  putCredential(chain: number, kid: Uint8Array, bytes: Uint8Array): void;
  putConsensus(chain: number, record: Uint8Array): void;
  putBatch(chain: number, batch: StoredBatch): void;
  /** A quorum's acknowledgements of a temporary block. */
  putAcceptance(chain: number, origin: Uint8Array, number: number, acceptance: Uint8Array): void;
  /** Removes a temporary block and its acceptance. */
  deleteBatch(chain: number, origin: Uint8Array, number: number): void;
  putAdmitted(chain: number, kid: Uint8Array, seq: number, record: Uint8Array): void;
  deleteAdmitted(chain: number, kid: Uint8Array, seq: number): void;
  /** What proves the member set that counts from the height on (src/wire/lineage.ts). */
  putLineage(chain: number, from: number, item: Uint8Array): void;
  /** Puts a block's outline in its place, and lets go of the block. */
  putOutline(chain: number, height: number, outline: Outline): void;
  deleteDisclosures(chain: number, kid: Uint8Array, seq: number): void;
  putDisclosures(chain: number, kid: Uint8Array, seq: number, disclosures: Uint8Array): void;
}

/** All rows of a write; throws what `fill` throws, and then there are none. */
export function rowsToWrite<NotedAs>(
  fill: (writer: Writer) => void,
  writerInto: (rows: NotedAs[]) => Writer,
): NotedAs[] {
  const rows: NotedAs[] = [];
  fill(writerInto(rows));
  return rows;
}

/** Notes down rows of these tables; `onMeter` is told of each meter's state among them. */
export function writerOver(
  tables: Tables,
  rows: NotedRow[],
  onMeter: (key: string, state: MeterState) => void,
): Writer {
  const put = (table: Table, key: Buffer, row: Buffer) => void rows.push({ table, key, row });
  const remove = (table: Table, key: Buffer) => void rows.push({ table, key, row: undefined });
  return {
    putHead: (chain, head) => put(tables.heads, chainKey(chain), codecs.heads.encode(head)),
    putBlock: (chain, height, bytes) => put(tables.blocks, blockKey(chain, height), codecs.blocks.encode(bytes)),
    putOutline(chain, height, outline) {
      put(tables.outlines, blockKey(chain, height), codecs.outlines.encode(outline));
      remove(tables.blocks, blockKey(chain, height));
    },
    deleteDisclosures: (chain, kid, seq) => remove(tables.disclosures, numberKey(chain, kid, seq)),
    putRun: (chain, run) => put(tables.index, numberKey(chain, run.kid, run.first), codecs.index.encode(run)),
    putMeter(chain, kid, state) {
      const key = idKey(chain, kid);
      // The hash is a view of what came with a whole temporary block, which nothing that is kept may hold.
      onMeter(key.toString("latin1"), { ...state, head: Uint8Array.from(state.head) });
      put(tables.meters, key, codecs.meters.encode(state));
    },
    putOrigin: (chain, id, state) => put(tables.origins, idKey(chain, id), codecs.origins.encode(state)),
    putFaults: (chain, id, heights) => put(tables.faults, idKey(chain, id), codecs.faults.encode(heights)),
    putOrder: (number, contractsHeight, bytes) =>
      put(tables.orders, blockKey(0, number), codecs.orders.encode({ contractsHeight, bytes })),
    putRuling: (chain, name, notice) => put(tables.rulings, idKey(chain, name), codecs.rulings.encode(notice)),
    deleteRuling: (chain, name) => remove(tables.rulings, idKey(chain, name)),
    putCredential: (chain, kid, bytes) => put(tables.credentials, idKey(chain, kid), codecs.credentials.encode(bytes)),
    putConsensus: (chain, record) => put(tables.consensus, chainKey(chain), codecs.consensus.encode(record)),
    putBatch: (chain, batch) =>
      put(tables.batches, numberKey(chain, batch.origin, batch.number), codecs.batches.encode(batch.bytes)),
    putAcceptance: (chain, origin, number, acceptance) =>
      put(tables.acceptances, numberKey(chain, origin, number), codecs.acceptances.encode(acceptance)),
    deleteBatch: (chain, origin, number) => {
      remove(tables.batches, numberKey(chain, origin, number));
      remove(tables.acceptances, numberKey(chain, origin, number));
    },
    putLineage: (chain, from, item) => put(tables.lineage, blockKey(chain, from), codecs.lineage.encode(item)),
    putAdmitted: (chain, kid, seq, record) =>
      put(tables.admitted, numberKey(chain, kid, seq), codecs.admitted.encode(record)),
    deleteAdmitted: (chain, kid, seq) => remove(tables.admitted, numberKey(chain, kid, seq)),
    putDisclosures: (chain, kid, seq, disclosures) =>
      put(tables.disclosures, numberKey(chain, kid, seq), codecs.disclosures.encode(disclosures)),
  };
}

/** Puts the rows into the transaction that is being filled, in their order. */
export function putRows(rows: readonly NotedRow[]): void {
  // What goes wrong with a row is said by the batch that it belongs to.
  for (const { table, key, row } of rows) {
    if (row === undefined) table.remove(key).catch(ignore);
    else table.put(key, row).catch(ignore);
  }
}

function ignore(): void {}
