// A node's disk in a simulation: the store's interface over tables in memory, with what a real one
// may do. A write is durable when its transaction is, and writes of one turn share one. A crash
// keeps a prefix of those under way, each whole or not at all (LMDB).

import { GridsealError } from "../../../errors.js";
import type { Remains, Salvage } from "../../../node/store/salvage.js";
import type { Store } from "../../../node/store/store.js";
import { rowsToWrite, type Writer } from "../../../node/store/writer.js";
import type { Random } from "../../rig/random.js";
import type { Coverage } from "../coverage.js";
import { createDamagedRows, type DamagedRows, remainsOf } from "../faults/damage.js";
import {
  blockKey,
  type Contents,
  emptyTables,
  idKey,
  numberKey,
  type Row,
  rowsIn,
  type TableName,
  type Tables,
  writerInto,
} from "./tables.js";
import type { Timeline } from "./timeline.js";

export interface Disk {
  /** what is durable */
  readonly tables: Tables;
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
  isWhole(table: TableName, key: string): boolean;
  /** A new disk in its place, with what was found on it. */
  repair(find: (remains: Remains) => Iterable<Salvage>): void;
}

export interface DiskPorts {
  readonly timeline: Timeline;
  readonly random: Random;
  readonly coverage: Coverage;
  /** A transaction has become durable. */
  onDurable(rows: readonly Row[]): void;
}

interface Transaction {
  readonly turn: number;
  readonly rows: Row[];
  readonly writes: { readonly resolve: () => void; readonly reject: (reason: unknown) => void }[];
  done: boolean;
}

export function createDisk(ports: DiskPorts): Disk {
  const { timeline, random } = ports;
  const tables = emptyTables();
  const damaged = createDamagedRows();
  let session = 0;
  let replaced = false;
  let full = false;
  let delay_ms = 0;
  let waiting: Transaction[] = [];
  let lastDurable_ms = 0;
  let lastSaid_ms = 0;

  const apply = (rows: readonly Row[]) => {
    for (const { table, key, value } of rows) {
      if (value === undefined) tables[table].delete(key);
      else (tables[table] as Map<string, unknown>).set(key, value);
      damaged.forget(table, key);
    }
    ports.onDurable(rows);
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

  const write = (mine: number, fill: (writer: Writer) => void): Promise<void> => {
    if (session !== mine) return new Promise(() => {});
    return new Promise((resolve, reject) => {
      const rows = rowsToWrite(fill, writerInto);
      const transaction = transactionOfTurn(mine);
      transaction.rows.push(...rows);
      transaction.writes.push({ resolve, reject });
    });
  };

  const wipe = () => {
    for (const table of Object.values(tables)) table.clear();
    damaged.clear();
    replaced = true;
  };

  return {
    tables,
    open() {
      session += 1;
      const mine = session;
      return storeOver(tables, damaged, replaced, (fill) => write(mine, fill));
    },
    crash() {
      session += 1;
      const survivors = full ? 0 : random.below(waiting.length + 1);
      ports.coverage.writesLost += waiting.length - survivors;
      for (const { rows } of waiting.splice(0).slice(0, survivors)) apply(rows);
    },
    flush() {
      session += 1;
      for (const { rows } of waiting.splice(0)) if (!full) apply(rows);
    },
    setFull(isFull) {
      full = isFull;
    },
    setDelay(more_ms) {
      delay_ms = more_ms;
    },
    wipe,
    loseConsensus(chain) {
      tables.consensus.delete(String(chain));
      damaged.forget("consensus", String(chain));
    },
    damageConsensus(chain) {
      damaged.flipIn("consensus", String(chain), tables.consensus.get(String(chain)), random);
    },
    damageRow: () => damaged.flip(tables, random),
    get isDamaged() {
      return damaged.size > 0;
    },
    isWhole: damaged.isWhole,
    repair(find) {
      const rows: Row[] = [];
      const writer = writerInto(rows);
      for (const found of find(remainsOf(tables, damaged))) found.put(writer);
      wipe();
      apply(rows);
    },
  };
}

function storeOver(tables: Tables, damaged: DamagedRows, isReplaced: boolean, write: Store["write"]): Store {
  const get = <Name extends TableName>(table: Name, key: string): Contents[Name] | undefined => {
    const value = tables[table].get(key);
    return value === undefined ? undefined : damaged.read(table, key, value);
  };
  const all = <Name extends TableName>(table: Name, chain: number) =>
    rowsIn(tables, table, chain).map(([key, value]) => [key, damaged.read(table, key, value)] as const);
  return {
    isReplaced,
    head: (chain) => get("heads", String(chain)),
    block: (chain, height) => get("blocks", blockKey(chain, height)),
    outline: (chain, height) => get("outlines", blockKey(chain, height)),
    location: (chain, kid, seq) => get("index", numberKey(chain, kid, seq)),
    meter: (chain, kid) => get("meters", idKey(chain, kid)),
    origin: (chain, origin) => get("origins", idKey(chain, origin)),
    faults: (chain, node) => get("faults", idKey(chain, node)) ?? [],
    orders: (from = 1, count = Number.POSITIVE_INFINITY) =>
      rowsIn(tables, "orders", 0)
        .slice(from - 1, from - 1 + count)
        .map(([key, order]) => damaged.read("orders", key, order)),
    rulings: (chain) => all("rulings", chain).map(([, notice]) => notice),
    credential: (chain, kid) => get("credentials", idKey(chain, kid)),
    consensus: (chain) => get("consensus", String(chain)),
    batches: (chain) =>
      all("batches", chain).map(([key, batch]) => ({ ...batch, acceptance: get("acceptances", key) })),
    admitted: (chain) => all("admitted", chain).map(([, record]) => record),
    lineage: (chain) =>
      all("lineage", chain)
        .sort(([left], [right]) => heightOfKey(left) - heightOfKey(right))
        .map(([, item]) => item),
    disclosures: (chain, kid, seq) => get("disclosures", numberKey(chain, kid, seq)),
    write,
    close: () => Promise.resolve(),
  };
}

function heightOfKey(key: string): number {
  return Number(key.slice(key.indexOf("/") + 1));
}
