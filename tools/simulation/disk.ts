// A node's disk in a simulation: the store's interface over tables in memory, with what a real one may do. A write is durable when
// its transaction is, writes of one turn share one, a crash keeps a prefix of those under way and each whole or not at all (LMDB).

import { toHex } from "../../src/wire/bytes.js";
import type { Notice } from "../../src/wire/notice.js";
import { GridsealError } from "../errors.js";
import type { MeterState, OriginState } from "../node/chain/state.js";
import type { Outline } from "../node/store/outline.js";
import type { Head, Location, StoredBatch, StoredOrder } from "../node/store/rows.js";
import type { Store } from "../node/store/store.js";
import type { Writer } from "../node/store/writer.js";
import type { Coverage } from "./coverage.js";
import type { Random } from "./random.js";
import type { Timeline } from "./timeline.js";

export interface Tables {
  readonly heads: Map<string, Head>;
  readonly blocks: Map<string, Uint8Array>;
  readonly outlines: Map<string, Outline>;
  readonly index: Map<string, Location>;
  readonly meters: Map<string, MeterState>;
  readonly origins: Map<string, OriginState>;
  readonly credentials: Map<string, Uint8Array>;
  readonly consensus: Map<string, Uint8Array>;
  readonly batches: Map<string, StoredBatch>;
  readonly acceptances: Map<string, Uint8Array>;
  readonly admitted: Map<string, Uint8Array>;
  readonly disclosures: Map<string, Uint8Array>;
  readonly faults: Map<string, readonly number[]>;
  readonly orders: Map<string, StoredOrder>;
  readonly rulings: Map<string, Notice>;
  readonly lineage: Map<string, Uint8Array>;
}

export type TableName = keyof Tables;

/** One row of a transaction; an undefined value removes it. */
export interface Row {
  readonly table: TableName;
  readonly key: string;
  readonly value: unknown;
}

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
  /** The consensus record of a chain cannot be read. */
  damageConsensus(chain: number): void;
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
  const damaged = new Set<string>();
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
      if (table === "consensus") damaged.delete(key);
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
    const rows: Row[] = [];
    fill(writerInto(rows));
    return new Promise((resolve, reject) => {
      const transaction = transactionOfTurn(mine);
      transaction.rows.push(...rows);
      transaction.writes.push({ resolve, reject });
    });
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
    wipe() {
      for (const table of Object.values(tables)) table.clear();
      damaged.clear();
      replaced = true;
    },
    loseConsensus(chain) {
      tables.consensus.delete(String(chain));
      damaged.delete(String(chain));
    },
    damageConsensus: (chain) => void damaged.add(String(chain)),
  };
}

export function emptyTables(): Tables {
  return {
    heads: new Map(),
    blocks: new Map(),
    outlines: new Map(),
    index: new Map(),
    meters: new Map(),
    origins: new Map(),
    credentials: new Map(),
    consensus: new Map(),
    batches: new Map(),
    acceptances: new Map(),
    admitted: new Map(),
    disclosures: new Map(),
    faults: new Map(),
    orders: new Map(),
    rulings: new Map(),
    lineage: new Map(),
  };
}

export function idKey(chain: number, id: Uint8Array): string {
  return `${chain}/${toHex(id)}`;
}

export function numberKey(chain: number, id: Uint8Array, number: number): string {
  return `${chain}/${toHex(id)}/${String(number).padStart(16, "0")}`;
}

export function blockKey(chain: number, height: number): string {
  return `${chain}/${height}`;
}

function heightOfKey(key: string): number {
  return Number(key.slice(key.indexOf("/") + 1));
}

/** Orders are the network's: they stand under chain 0, by their numbers. */
export function orderKey(number: number): string {
  return `0/${String(number).padStart(16, "0")}`;
}

/** The values of a chain's rows, in the order of their keys. */
export function rowsOf<T>(table: ReadonlyMap<string, T>, chain: number): (readonly [string, T])[] {
  return [...table]
    .filter(([key]) => key.startsWith(`${chain}/`))
    .sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0));
}

function storeOver(tables: Tables, damaged: ReadonlySet<string>, isReplaced: boolean, write: Store["write"]): Store {
  return {
    isReplaced,
    head: (chain) => tables.heads.get(String(chain)),
    block: (chain, height) => tables.blocks.get(blockKey(chain, height)),
    outline: (chain, height) => tables.outlines.get(blockKey(chain, height)),
    location: (chain, kid, seq) => tables.index.get(numberKey(chain, kid, seq)),
    meter: (chain, kid) => tables.meters.get(idKey(chain, kid)),
    origin: (chain, origin) => tables.origins.get(idKey(chain, origin)),
    faults: (chain, node) => tables.faults.get(idKey(chain, node)) ?? [],
    orders: (from = 1, count = Number.POSITIVE_INFINITY) =>
      rowsOf(tables.orders, 0)
        .map(([, order]) => order)
        .slice(from - 1, from - 1 + count),
    rulings: (chain) => rowsOf(tables.rulings, chain).map(([, notice]) => notice),
    credential: (chain, kid) => tables.credentials.get(idKey(chain, kid)),
    consensus(chain) {
      if (damaged.has(String(chain))) throw new GridsealError("STORE_CORRUPT", "the simulated record is damaged");
      return tables.consensus.get(String(chain));
    },
    batches: (chain) =>
      rowsOf(tables.batches, chain).map(([key, batch]) => ({ ...batch, acceptance: tables.acceptances.get(key) })),
    admitted: (chain) => rowsOf(tables.admitted, chain).map(([, record]) => record),
    lineage: (chain) =>
      rowsOf(tables.lineage, chain)
        .sort(([left], [right]) => heightOfKey(left) - heightOfKey(right))
        .map(([, item]) => item),
    disclosures: (chain, kid, seq) => tables.disclosures.get(numberKey(chain, kid, seq)),
    write,
    close: () => Promise.resolve(),
  };
}

/** A writer that notes rows; bytes are copied, as a real store copies them. */
export function writerInto(rows: Row[]): Writer {
  const put = (table: TableName, key: string, value: unknown) => void rows.push({ table, key, value });
  const remove = (table: TableName, key: string) => void rows.push({ table, key, value: undefined });
  return {
    putHead: (chain, head) => put("heads", String(chain), head),
    putBlock: (chain, height, bytes) => put("blocks", blockKey(chain, height), Uint8Array.from(bytes)),
    putOutline(chain, height, outline) {
      put("outlines", blockKey(chain, height), outline);
      remove("blocks", blockKey(chain, height));
    },
    deleteDisclosures: (chain, kid, seq) => remove("disclosures", numberKey(chain, kid, seq)),
    putRun(chain, { kid, first, height, leaves }) {
      for (const [index, leaf] of leaves.entries())
        put("index", numberKey(chain, kid, first + index), { height, leaf });
    },
    putMeter: (chain, kid, state) => put("meters", idKey(chain, kid), state),
    putOrigin: (chain, id, state) => put("origins", idKey(chain, id), state),
    putFaults: (chain, node, heights) => put("faults", idKey(chain, node), heights),
    putOrder: (number, contractsHeight, bytes) =>
      put("orders", orderKey(number), { contractsHeight, bytes: Uint8Array.from(bytes) }),
    putRuling: (chain, name, { kind, bytes }) =>
      put("rulings", idKey(chain, name), { kind, bytes: Uint8Array.from(bytes) }),
    deleteRuling: (chain, name) => remove("rulings", idKey(chain, name)),
    putCredential: (chain, kid, bytes) => put("credentials", idKey(chain, kid), Uint8Array.from(bytes)),
    putConsensus: (chain, record) => put("consensus", String(chain), Uint8Array.from(record)),
    putBatch: (chain, { origin, number, bytes }) =>
      put("batches", numberKey(chain, origin, number), { origin, number, bytes: Uint8Array.from(bytes) }),
    putAcceptance: (chain, origin, number, acceptance) =>
      put("acceptances", numberKey(chain, origin, number), Uint8Array.from(acceptance)),
    deleteBatch(chain, origin, number) {
      remove("batches", numberKey(chain, origin, number));
      remove("acceptances", numberKey(chain, origin, number));
    },
    putAdmitted: (chain, kid, seq, record) => put("admitted", numberKey(chain, kid, seq), Uint8Array.from(record)),
    deleteAdmitted: (chain, kid, seq) => remove("admitted", numberKey(chain, kid, seq)),
    putLineage: (chain, from, item) => put("lineage", blockKey(chain, from), Uint8Array.from(item)),
    putDisclosures: (chain, kid, seq, disclosures) =>
      put("disclosures", numberKey(chain, kid, seq), Uint8Array.from(disclosures)),
  };
}
