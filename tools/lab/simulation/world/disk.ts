// A node's disk in a simulation: the product's store over rows in memory, with what a real one may
// do. A write is durable when its transaction is, and writes of one turn share one. A crash keeps a
// prefix of those under way, each whole or not at all (LMDB).

import { GridsealError } from "../../../errors.js";
import { consensusRecords } from "../../../node/chain/tables/consensus-records.js";
import { chainKey } from "../../../node/store/keys.js";
import type { Salvage } from "../../../node/store/salvage.js";
import { type Medium, type Store, storeOver } from "../../../node/store/store.js";
import type { AnyTable } from "../../../node/store/table.js";
import { type NotedRow, rowsToWrite, type Writer } from "../../../node/store/writer.js";
import type { Random } from "../../rig/random.js";
import type { Coverage } from "../coverage.js";
import { createDamagedRows } from "../faults/damage.js";
import { DiskRows } from "./rows.js";
import type { Timeline } from "./timeline.js";

export interface Disk {
  /** what is durable */
  readonly rows: DiskRows;
  /** Opens it for one life of the node; what an earlier life still writes is lost. */
  open(): Store;
  /** The power goes: a prefix of the transactions under way has got through. */
  crash(): void;
  /** A graceful end: everything under way gets through. */
  flush(): void;
  setFull(full: boolean): void;
  /** Adds to the time that every transaction takes. */
  setDelay(delay_ms: number): void;
  /** Everything is gone, and the new disk says so. */
  wipe(): void;
  /** The consensus record of a chain is gone. */
  loseConsensus(chain: number): void;
  /** A bit of the consensus record of a chain flips. */
  damageConsensus(chain: number): void;
  /** A bit of some row flips; says of which, or nothing where there is none. */
  damageRow(): string | undefined;
  readonly isDamaged: boolean;
  isWhole(table: AnyTable, key: Buffer): boolean;
  /** A new disk in its place, with what was found on it. */
  repair(find: (damaged: Medium) => Iterable<Salvage>): void;
}

export interface DiskPorts {
  readonly timeline: Timeline;
  readonly random: Random;
  readonly coverage: Coverage;
  /** A transaction has become durable. */
  onDurable(rows: readonly NotedRow[]): void;
}

const path = "of a simulated disk";

const consensusTable = consensusRecords as AnyTable;

interface Transaction {
  readonly turn: number;
  readonly rows: NotedRow[];
  readonly writes: { readonly resolve: () => void; readonly reject: (reason: unknown) => void }[];
  done: boolean;
}

export function createDisk(ports: DiskPorts): Disk {
  const { timeline, random } = ports;
  const rows = new DiskRows();
  const damaged = createDamagedRows();
  let session = 0;
  let replaced = false;
  let full = false;
  let delay_ms = 0;
  let waiting: Transaction[] = [];
  let lastDurable_ms = 0;
  let lastSaid_ms = 0;

  const apply = (written: readonly NotedRow[]) => {
    for (const row of written) {
      rows.write(row);
      damaged.forget(row.table, row.key);
    }
    ports.onDurable(written);
  };

  const commit = (transaction: Transaction, mine: number) => {
    if (session !== mine) return;
    transaction.done = true;
    waiting = waiting.filter((other) => other !== transaction);
    if (full) {
      const reason = new GridsealError("STORE_FULL", "the simulated disk is full");
      for (const { reject } of transaction.writes) reject(reason);
      return;
    }
    apply(transaction.rows);
    // What is durable already shows in reads a little before it is said to be.
    const said_ms = Math.max(lastSaid_ms, timeline.now_ms() + (random.chance(0.3) ? random.between(0, 2) : 0));
    lastSaid_ms = said_ms;
    timeline.after(said_ms - timeline.now_ms(), () => {
      if (session === mine) for (const { resolve } of transaction.writes) resolve();
    });
  };

  const transactionOfTurn = (mine: number): Transaction => {
    const last = waiting.at(-1);
    if (last !== undefined && last.turn === timeline.turn()) return last;
    const transaction: Transaction = { turn: timeline.turn(), rows: [], writes: [], done: false };
    waiting.push(transaction);
    const took_ms = random.between(0.2, 4) + delay_ms * random.fraction();
    lastDurable_ms = Math.max(lastDurable_ms, timeline.now_ms() + took_ms);
    timeline.after(lastDurable_ms - timeline.now_ms(), () => commit(transaction, mine));
    return transaction;
  };

  const mediumOf = (mine: number): Medium => {
    // What a life that is over still does is seen by nobody: of damage that came after it, it must not complain.
    const read = (table: AnyTable, key: Buffer, row: Buffer) =>
      session === mine ? damaged.read(table, key, row) : row;
    return {
      row(table, key) {
        const row = rows.encodedRow(table, key);
        return row === undefined ? undefined : read(table, key, row);
      },
      rows: (table, range) =>
        rows.encoded(table, range).map(({ key, value }) => ({ key, value: read(table, key, value) })),
      commit: (written) =>
        new Promise((resolve, reject) => {
          const transaction = transactionOfTurn(mine);
          transaction.rows.push(...written);
          transaction.writes.push({ resolve, reject });
        }),
      overwriteFree: () => Promise.resolve(),
      close: () => Promise.resolve(),
    };
  };

  const flipConsensus = (chain: number) => {
    const key = chainKey(chain);
    const row = rows.encodedRow(consensusTable, key);
    if (row !== undefined) damaged.flipIn(consensusTable, key, row, random);
  };

  const wipe = () => {
    rows.clear();
    damaged.clear();
    replaced = true;
  };

  return {
    rows,
    open() {
      session += 1;
      const mine = session;
      const store = storeOver(mediumOf(mine), { path, isReplaced: replaced, isOnlyWriter: false });
      const write = (fill: (writer: Writer) => void) =>
        session === mine ? store.write(fill) : new Promise<void>(() => {});
      return { ...store, write };
    },
    crash() {
      session += 1;
      const survivors = full ? 0 : random.below(waiting.length + 1);
      ports.coverage.writesLost += waiting.length - survivors;
      for (const lost of waiting.splice(0).slice(0, survivors)) apply(lost.rows);
    },
    flush() {
      session += 1;
      for (const last of waiting.splice(0)) if (!full) apply(last.rows);
    },
    setFull(isFull) {
      full = isFull;
    },
    setDelay(more_ms) {
      delay_ms = more_ms;
    },
    wipe,
    loseConsensus(chain) {
      rows.write({ table: consensusTable, key: chainKey(chain), row: undefined });
      damaged.forget(consensusTable, chainKey(chain));
    },
    damageConsensus: flipConsensus,
    damageRow: () => damaged.flip(rows, random),
    get isDamaged() {
      return damaged.size > 0;
    },
    isWhole: damaged.isWhole,
    repair(find) {
      const found = rowsToWrite((writer) => {
        for (const row of find(mediumOf(session))) row.put(writer);
      });
      wipe();
      apply(found);
    },
  };
}
