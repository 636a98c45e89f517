// What a node has on disk. A write is atomic and durable before its promise resolves; writes of one event-loop turn share one synced
// transaction. The rows are in rows.ts, their tables in tables.ts.

import { existsSync } from "node:fs";
import type { RangeOptions } from "lmdb";
import { equalBytes, toHex } from "../../../src/wire/bytes.js";
import { encodeCbor } from "../../../src/wire/cbor.js";
import type { Notice } from "../../../src/wire/notice.js";
import { BoundedMap } from "../../bounded-map.js";
import { GridsealError, reasonOf } from "../../errors.js";
import type { SealedOrder } from "../../ledger/governance.js";
import type { MeterState, OriginState } from "../../ledger/state.js";
import { codecs, readRow, type TableName } from "./codecs.js";
import { blockKey, chainKey, chainRange, idKey, numberIn, numberKey } from "./keys.js";
import type { Outline } from "./outline.js";
import type { Head, Location, StoredBatch } from "./rows.js";
import { openTables, type Tables } from "./tables.js";
import { type NotedRow, putRows, rowsToWrite, type Writer, writerOver } from "./writer.js";

/** Whose store it is, for ever. */
export interface Owner {
  readonly node: Uint8Array;
  readonly genesisHash: Uint8Array;
}

export interface Store {
  /** The folder is not the one that the node's key signed with before: what was signed is not known here. */
  readonly isReplaced: boolean;
  head(chain: number): Head | undefined;
  block(chain: number, height: number): Uint8Array | undefined;
  /** What is left of a block that the node has let go of. */
  outline(chain: number, height: number): Outline | undefined;
  location(chain: number, kid: Uint8Array, seq: number): Location | undefined;
  meter(chain: number, kid: Uint8Array): MeterState | undefined;
  origin(chain: number, origin: Uint8Array): OriginState | undefined;
  faults(chain: number, node: Uint8Array): readonly number[];
  /** At most so many sealed orders from a number on, all where absent, by their numbers. */
  orders(from?: number, count?: number): SealedOrder[];
  rulings(chain: number): Notice[];
  credential(chain: number, kid: Uint8Array): Uint8Array | undefined;
  /** What leads to the members of the chain's next height, oldest first. */
  lineage(chain: number): Uint8Array[];
  /** The consensus record; throws STORE_CORRUPT where it is damaged. */
  consensus(chain: number): Uint8Array | undefined;
  batches(chain: number): StoredBatch[];
  /** Admitted records that are in no temporary block yet, in no particular order. */
  admitted(chain: number): Uint8Array[];
  disclosures(chain: number, kid: Uint8Array, seq: number): Uint8Array | undefined;
  /**
   * Resolves when everything that `fill` put is durable. Rejects with STORE_FULL or STORE_CORRUPT, or with what `fill` threw; then nothing
   * of it is written.
   */
  write(fill: (writer: Writer) => void): Promise<void>;
  /** Resolves when what is being written is durable. From its call on every read and write is refused with STORE_CLOSED. */
  close(): Promise<void>;
}

const FORMAT = 3;
/** Meters' states kept decoded: each record asks for that of its meter several times. */
const METERS_KEPT = 16_384;
const OWNER_KEY = Buffer.from("owner");
/** Stands in `meta` where this is not the store that the node's key signed with before. */
export const REPLACED_KEY = Buffer.from("replaced");

/**
 * Opens the store of a node in a folder, made where it is absent. The folder belongs to one node and genesis for ever. Where it
 * is made although `keyHasSigned`, the one before is lost, and the new one says so from then on.
 * Throws STORE_FOREIGN, STORE_CORRUPT or FILE_UNREADABLE; nothing is overwritten then.
 */
export async function openStore(path: string, owner: Owner, keyHasSigned: boolean): Promise<Store> {
  const tables = openTables(path, false);
  if (tables.meta.get(OWNER_KEY) === undefined) {
    await tables.root.batch(() => {
      if (keyHasSigned) tables.meta.put(REPLACED_KEY, codecs.meta.encode(Buffer.of(1)));
      tables.meta.put(OWNER_KEY, codecs.meta.encode(identityOf(owner)));
    });
  }
  try {
    checkOwner(tables, path, owner);
  } catch (error) {
    await tables.root.close();
    throw error;
  }
  return storeOver(tables, path, METERS_KEPT);
}

/** Throws STORE_FOREIGN where the store is not this node's, STORE_CORRUPT where it does not say whose it is. */
export function checkOwner({ meta }: Tables, path: string, owner: Owner): void {
  const row = meta.get(OWNER_KEY);
  if (row === undefined) throw new GridsealError("STORE_CORRUPT", `store ${path} does not say whose it is`);
  // Rows of formats 1 and 2 had no checksum here: they begin as an array of three.
  const isEarlier = row[0] === 0x83 && row.length === identityOf(owner).length;
  if (!isEarlier && equalBytes(readRow(path, "meta", OWNER_KEY, row, "its owner"), identityOf(owner))) return;
  throw new GridsealError("STORE_FOREIGN", `store ${path} belongs to another node, network or format`);
}

function identityOf({ node, genesisHash }: Owner): Uint8Array {
  return encodeCbor([FORMAT, node, genesisHash]);
}

/** Opens a node's store to read its chains, beside the running node too. */
export function openStoreReadOnly(path: string): Store {
  if (!existsSync(path)) throw new GridsealError("FILE_UNREADABLE", `there is no store in ${path}`);
  return storeOver(openTables(path, true), path, 0); // another process may write
}

function storeOver(tables: Tables, path: string, metersKept: number): Store {
  /** states as they are on disk, by key */
  const meters = new BoundedMap<string, MeterState | undefined>(metersKept);
  const keepMeter = (key: string, state: MeterState | undefined) => {
    meters.set(key, state);
  };
  let closed: Promise<void> | undefined;
  /** What comes late finds the environment gone: the library would throw out of a timer of its own. */
  const refuseLate = () => {
    if (closed !== undefined) throw new GridsealError("STORE_CLOSED", `store ${path} is closed`);
  };
  const read = <Name extends TableName>(table: Name, key: Buffer, what: string) => {
    refuseLate();
    const row = tables[table].get(key);
    return row === undefined ? undefined : readRow(path, table, key, row, what);
  };
  const readAll = <Name extends TableName>(table: Name, range: RangeOptions, what: string) => {
    refuseLate();
    return [...tables[table].getRange(range)].map(({ key, value }) => readRow(path, table, key, value, what));
  };
  return {
    isReplaced: tables.meta.get(REPLACED_KEY) !== undefined,
    head: (chain) => read("heads", chainKey(chain), `head of chain ${chain}`),
    block: (chain, height) => read("blocks", blockKey(chain, height), `block ${height} of chain ${chain}`),
    outline: (chain, height) =>
      read("outlines", blockKey(chain, height), `outline of block ${height} of chain ${chain}`),
    location(chain, kid, seq) {
      refuseLate();
      // Runs do not overlap: a number is sealed once. The one that begins last at or before it has it, or none.
      const below = { start: numberKey(chain, kid, seq), end: idKey(chain, kid), reverse: true, limit: 1 };
      const [run] = tables.index.getRange(below);
      if (run === undefined) return undefined;
      return readRow(path, "index", run.key, run.value, `index of meter ${toHex(kid)}`)(seq - numberIn(run.key));
    },
    meter(chain, kid) {
      refuseLate();
      const key = idKey(chain, kid);
      const name = key.toString("latin1");
      if (meters.has(name)) return meters.get(name);
      const state = read("meters", key, `state of meter ${toHex(kid)}`);
      keepMeter(name, state);
      return state;
    },
    origin: (chain, id) => read("origins", idKey(chain, id), `state of node ${toHex(id)}`),
    faults: (chain, id) => read("faults", idKey(chain, id), `faults of node ${toHex(id)}`) ?? [],
    orders: (from = 1, count = Number.POSITIVE_INFINITY) =>
      readAll("orders", { start: blockKey(0, from), limit: count }, "an order"),
    rulings: (chain) => readAll("rulings", chainRange(chain), `a waiting order or evidence of chain ${chain}`),
    credential: (chain, kid) => read("credentials", idKey(chain, kid), `credential of meter ${toHex(kid)}`),
    consensus: (chain) => read("consensus", chainKey(chain), `consensus record of chain ${chain}`),
    batches(chain) {
      refuseLate();
      return [...tables.batches.getRange(chainRange(chain))].map(({ key, value }) => ({
        origin: Uint8Array.from(key.subarray(2, 10)),
        number: numberIn(key),
        bytes: readRow(path, "batches", key, value, `a temporary block of chain ${chain}`),
        acceptance: read("acceptances", key, `a temporary block's acceptance of chain ${chain}`),
      }));
    },
    lineage: (chain) => readAll("lineage", chainRange(chain), `lineage of chain ${chain}`),
    admitted: (chain) => readAll("admitted", chainRange(chain), `a waiting record of chain ${chain}`),
    disclosures: (chain, kid, seq) =>
      read("disclosures", numberKey(chain, kid, seq), `disclosures of record ${seq} of meter ${toHex(kid)}`),
    write: async (fill) => {
      refuseLate();
      const states: [key: string, state: MeterState][] = [];
      const noteMeter = (key: string, state: MeterState) => void states.push([key, state]);
      const rows = rowsToWrite<NotedRow>(fill, (noted) => writerOver(tables, noted, noteMeter));
      try {
        await tables.root.batch(() => putRows(rows));
      } catch (error) {
        const cause = await commitFailure(error);
        const full = /ENOSPC|MDB_MAP_FULL|No space/i.test(reasonOf(cause));
        const message = `store ${path} cannot be written: ${reasonOf(cause)}`;
        throw new GridsealError(full ? "STORE_FULL" : "STORE_CORRUPT", message, { cause });
      }
      for (const [key, state] of states) keepMeter(key, state);
    },
    close() {
      closed ??= tables.root.close();
      return closed;
    },
  };
}

/** Why a commit failed: lmdb says it by a promise beside the error, which ends the process where nobody listens. */
function commitFailure(error: unknown): unknown {
  if (!(error instanceof Error && "commitError" in error)) return error;
  return Promise.resolve(error.commitError).then(
    () => error,
    (cause: unknown) => cause,
  );
}
