// What a node has on disk: one LMDB environment, a table for each kind of row. A write is atomic and durable before its promise
// resolves; writes of one event-loop turn share one synced transaction.

import { createHash } from "node:crypto";
import { existsSync, mkdirSync } from "node:fs";
import { type Database, open, type RootDatabase } from "lmdb";
import { equalBytes, toHex } from "../../../src/wire/bytes.js";
import { decodeCbor, encodeCbor } from "../../../src/wire/cbor.js";
import { encodeNotices, type Notice, noticesFromArray } from "../../../src/wire/notice.js";
import { asArray, asBytes, asUint } from "../../../src/wire/shape.js";
import { GridsealError, reasonOf } from "../../errors.js";
import {
  decodeMeterState,
  decodeOriginState,
  encodeMeterState,
  encodeOriginState,
  type MeterState,
  type OriginState,
} from "../chain/state.js";
import { blockKey, chainKey, chainRange, idKey, numberKey } from "./keys.js";
import { decodeOutline, encodeOutline, type Outline } from "./outline.js";
import { checkPageFile } from "./page-file.js";

/** The newest block of a chain and its totals. */
export interface Head {
  readonly height: number;
  readonly headerHash: Uint8Array;
  /** violations so far */
  readonly counter: number;
  readonly time_ms: number;
  /** records sealed so far */
  readonly records: number;
  /** contracts height that the block was judged at */
  readonly judgedAt: number;
}

/** Where a record is sealed. */
export interface Location {
  readonly height: number;
  readonly leaf: number;
}

export interface StoredBatch {
  readonly origin: Uint8Array;
  readonly number: number;
  /** encoded temporary block with its origin's signature */
  readonly bytes: Uint8Array;
  /** a quorum's acknowledgements, where they are known */
  readonly acceptance?: Uint8Array | undefined;
}

export interface StoredOrder {
  /** height of the contracts block that holds it */
  readonly contractsHeight: number;
  /** as the authority signed it */
  readonly bytes: Uint8Array;
}

/** Rows to write in one transaction. */
export interface Writer {
  putHead(chain: number, head: Head): void;
  putBlock(chain: number, height: number, bytes: Uint8Array): void;
  putLocation(chain: number, kid: Uint8Array, seq: number, location: Location): void;
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
  orders(from?: number, count?: number): StoredOrder[];
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
  /** Resolves when everything that `fill` put is durable. Rejects with STORE_FULL or STORE_CORRUPT; then nothing of it is written. */
  write(fill: (writer: Writer) => void): Promise<void>;
  close(): Promise<void>;
}

type Table = Database<Buffer, Buffer>;

export interface Tables {
  readonly root: RootDatabase<Buffer, Buffer>;
  readonly meta: Table;
  readonly heads: Table;
  readonly blocks: Table;
  readonly outlines: Table;
  readonly index: Table;
  readonly meters: Table;
  readonly origins: Table;
  readonly credentials: Table;
  readonly consensus: Table;
  readonly batches: Table;
  readonly acceptances: Table;
  readonly faults: Table;
  readonly orders: Table;
  readonly rulings: Table;
  readonly lineage: Table;
  readonly admitted: Table;
  readonly disclosures: Table;
}

const FORMAT = 1;
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
      if (keyHasSigned) tables.meta.put(REPLACED_KEY, Buffer.of(1));
      tables.meta.put(OWNER_KEY, Buffer.from(identityOf(owner)));
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

/** Throws STORE_FOREIGN where the store is not this node's. */
export function checkOwner({ meta }: Tables, path: string, owner: Owner): void {
  if (equalBytes(meta.get(OWNER_KEY) ?? new Uint8Array(0), identityOf(owner))) return;
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

/** Opens or makes the tables in a folder. Throws STORE_CORRUPT; nothing is overwritten then. */
export function openTables(path: string, readOnly: boolean): Tables {
  checkPageFile(path);
  try {
    if (!readOnly) mkdirSync(path, { recursive: true });
    const root = open<Buffer, Buffer>({
      path,
      readOnly,
      noSubdir: false, // lmdb takes a name with a dot for a file
      overlappingSync: false,
      maxDbs: 32,
      keyEncoding: "binary",
      encoding: "binary",
    });
    const table = (name: string) => root.openDB<Buffer, Buffer>({ name, keyEncoding: "binary", encoding: "binary" });
    return {
      root,
      meta: table("meta"),
      heads: table("heads"),
      blocks: table("blocks"),
      outlines: table("outlines"),
      index: table("index"),
      meters: table("meters"),
      origins: table("origins"),
      credentials: table("credentials"),
      consensus: table("consensus"),
      batches: table("batches"),
      acceptances: table("acceptances"),
      faults: table("faults"),
      orders: table("orders"),
      rulings: table("rulings"),
      lineage: table("lineage"),
      admitted: table("admitted"),
      disclosures: table("disclosures"),
    };
  } catch (error) {
    throw new GridsealError("STORE_CORRUPT", `store ${path} cannot be opened: ${reasonOf(error)}`, { cause: error });
  }
}

function storeOver(tables: Tables, path: string, metersKept: number): Store {
  /** states as they are on disk, by key */
  const meters = new Map<string, MeterState | undefined>();
  const keepMeter = (key: string, state: MeterState | undefined) => {
    meters.delete(key);
    meters.set(key, state);
    if (meters.size > metersKept) meters.delete(meters.keys().next().value!);
  };
  const readRow = <T>(what: string, bytes: Buffer | undefined, decode: (bytes: Uint8Array) => T): T | undefined => {
    if (bytes === undefined) return undefined;
    try {
      return decode(bytes);
    } catch (error) {
      throw new GridsealError("STORE_CORRUPT", `store ${path}: ${what} is damaged: ${reasonOf(error)}`, {
        cause: error,
      });
    }
  };
  /** of the write that is being filled */
  let changed: [key: string, state: MeterState][] = [];
  const writer = writerOver(tables, (key, state) => changed.push([key, state]));
  return {
    isReplaced: tables.meta.get(REPLACED_KEY) !== undefined,
    head: (chain) => readRow(`head of chain ${chain}`, tables.heads.get(chainKey(chain)), decodeHead),
    block: (chain, height) => tables.blocks.get(blockKey(chain, height)),
    outline: (chain, height) =>
      readRow(`outline of block ${height}`, tables.outlines.get(blockKey(chain, height)), decodeOutline),
    location: (chain, kid, seq) =>
      readRow(`index of meter ${toHex(kid)}`, tables.index.get(numberKey(chain, kid, seq)), decodeLocation),
    meter(chain, kid) {
      const key = idKey(chain, kid);
      const name = key.toString("latin1");
      if (meters.has(name)) return meters.get(name);
      const state = readRow(`state of meter ${key.toString("hex", 2)}`, tables.meters.get(key), decodeMeterState);
      keepMeter(name, state);
      return state;
    },
    origin: (chain, id) =>
      readRow(`state of node ${toHex(id)}`, tables.origins.get(idKey(chain, id)), decodeOriginState),
    faults: (chain, id) =>
      readRow(`faults of node ${toHex(id)}`, tables.faults.get(idKey(chain, id)), decodeFaults) ?? [],
    orders: (from = 1, count = Number.POSITIVE_INFINITY) =>
      [...tables.orders.getRange({ start: blockKey(0, from), limit: count })].flatMap(
        ({ value }) => readRow("an order", value, decodeOrder) ?? [],
      ),
    rulings: (chain) =>
      [...tables.rulings.getRange(chainRange(chain))].flatMap(
        ({ value }) => readRow("a waiting order or evidence", value, decodeRuling) ?? [],
      ),
    credential: (chain, kid) => tables.credentials.get(idKey(chain, kid)),
    consensus: (chain) => readRow(`consensus record of chain ${chain}`, tables.consensus.get(chainKey(chain)), unseal),
    batches: (chain) =>
      [...tables.batches.getRange(chainRange(chain))].map(({ key, value }) => ({
        origin: Uint8Array.from(key.subarray(2, 10)),
        number: (key[10] ?? 0) * 2 ** 48 + key.readUIntBE(11, 6),
        bytes: value,
        acceptance: tables.acceptances.get(key),
      })),
    lineage: (chain) => [...tables.lineage.getRange(chainRange(chain))].map(({ value }) => value),
    admitted: (chain) => [...tables.admitted.getRange(chainRange(chain))].map(({ value }) => value),
    disclosures: (chain, kid, seq) => tables.disclosures.get(numberKey(chain, kid, seq)),
    write: async (fill) => {
      let states = changed;
      try {
        await tables.root.batch(() => {
          changed = [];
          fill(writer);
          states = changed;
        });
      } catch (error) {
        const cause = await commitFailure(error);
        const full = /ENOSPC|MDB_MAP_FULL|No space/i.test(reasonOf(cause));
        const message = `store ${path} cannot be written: ${reasonOf(cause)}`;
        throw new GridsealError(full ? "STORE_FULL" : "STORE_CORRUPT", message, { cause });
      }
      for (const [key, state] of states) keepMeter(key, state);
    },
    close: () => tables.root.close(),
  };
}

function writerOver(tables: Tables, onMeter: (key: string, state: MeterState) => void): Writer {
  // What goes wrong with a row is said by the batch that it belongs to.
  const put = (table: Table, key: Buffer, value: Uint8Array) => table.put(key, asBuffer(value)).catch(ignore);
  const remove = (table: Table, key: Buffer) => table.remove(key).catch(ignore);
  return {
    putHead: (chain, head) => put(tables.heads, chainKey(chain), encodeHead(head)),
    putBlock: (chain, height, bytes) => put(tables.blocks, blockKey(chain, height), bytes),
    putOutline(chain, height, outline) {
      put(tables.outlines, blockKey(chain, height), encodeOutline(outline));
      remove(tables.blocks, blockKey(chain, height));
    },
    deleteDisclosures: (chain, kid, seq) => remove(tables.disclosures, numberKey(chain, kid, seq)),
    putLocation: (chain, kid, seq, location) =>
      tables.index.put(numberKey(chain, kid, seq), encodeLocation(location)).catch(ignore),
    putMeter(chain, kid, state) {
      const key = idKey(chain, kid);
      onMeter(key.toString("latin1"), state);
      put(tables.meters, key, encodeMeterState(state));
    },
    putOrigin: (chain, id, state) => put(tables.origins, idKey(chain, id), encodeOriginState(state)),
    putFaults: (chain, id, heights) => put(tables.faults, idKey(chain, id), sealed(encodeCbor(heights))),
    putOrder: (number, contractsHeight, bytes) =>
      put(tables.orders, blockKey(0, number), sealed(encodeCbor([contractsHeight, bytes]))),
    putRuling: (chain, name, notice) => put(tables.rulings, idKey(chain, name), sealed(encodeNotices([notice]))),
    deleteRuling: (chain, name) => remove(tables.rulings, idKey(chain, name)),
    putCredential: (chain, kid, bytes) => put(tables.credentials, idKey(chain, kid), bytes),
    putConsensus: (chain, record) => put(tables.consensus, chainKey(chain), sealed(record)),
    putBatch: (chain, batch) => put(tables.batches, numberKey(chain, batch.origin, batch.number), batch.bytes),
    putAcceptance: (chain, origin, number, acceptance) =>
      put(tables.acceptances, numberKey(chain, origin, number), acceptance),
    deleteBatch: (chain, origin, number) => {
      remove(tables.batches, numberKey(chain, origin, number));
      remove(tables.acceptances, numberKey(chain, origin, number));
    },
    putLineage: (chain, from, item) => put(tables.lineage, blockKey(chain, from), item),
    putAdmitted: (chain, kid, seq, record) => put(tables.admitted, numberKey(chain, kid, seq), record),
    deleteAdmitted: (chain, kid, seq) => remove(tables.admitted, numberKey(chain, kid, seq)),
    putDisclosures: (chain, kid, seq, disclosures) => put(tables.disclosures, numberKey(chain, kid, seq), disclosures),
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

function ignore(): void {}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function encodeHead(head: Head): Buffer {
  return asBuffer(encodeCbor([head.height, head.headerHash, head.counter, head.time_ms, head.records, head.judgedAt]));
}

function decodeHead(bytes: Uint8Array): Head {
  const [height, hash, counter, time_ms, records, judgedAt] = asArray(decodeCbor(bytes), "head", 6);
  return {
    height: asUint(height, "head height"),
    headerHash: asBytes(hash, "head hash", 32),
    counter: asUint(counter, "head counter"),
    time_ms: asUint(time_ms, "head time"),
    records: asUint(records, "head records"),
    judgedAt: asUint(judgedAt, "head contracts height"),
  };
}

function decodeFaults(bytes: Uint8Array): readonly number[] {
  return asArray(decodeCbor(unseal(bytes)), "faults").map((height) => asUint(height, "fault height"));
}

function decodeOrder(bytes: Uint8Array): StoredOrder {
  const [contractsHeight, order] = asArray(decodeCbor(unseal(bytes)), "stored order", 2);
  return { contractsHeight: asUint(contractsHeight, "order's contracts height"), bytes: asBytes(order, "order") };
}

function decodeRuling(bytes: Uint8Array): Notice {
  return noticesFromArray(decodeCbor(unseal(bytes)), "waiting notice")[0]!;
}

/** height (5), leaf (3) */
function encodeLocation(location: Location): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  bytes.writeUIntBE(location.height, 0, 5);
  bytes.writeUIntBE(location.leaf, 5, 3);
  return bytes;
}

function decodeLocation(bytes: Uint8Array): Location {
  if (bytes.length !== 8) throw new Error(`index row has ${bytes.length} bytes`);
  const row = asBuffer(bytes);
  return { height: row.readUIntBE(0, 5), leaf: row.readUIntBE(5, 3) };
}

/** A row with its own SHA-256 before it, for what must never be read damaged. */
function sealed(bytes: Uint8Array): Buffer {
  return Buffer.concat([createHash("sha256").update(bytes).digest(), bytes]);
}

function unseal(bytes: Uint8Array): Uint8Array {
  const content = bytes.subarray(32);
  if (!equalBytes(createHash("sha256").update(content).digest(), bytes.subarray(0, 32)))
    throw new Error("checksum differs");
  return content;
}
