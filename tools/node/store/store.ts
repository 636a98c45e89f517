// What a node has on disk. A write is atomic and durable before its promise resolves; writes of one event-loop turn share one synced
// transaction. The rows are in rows.ts, their tables in tables.ts.

import { existsSync } from "node:fs";
import { equalBytes, toHex } from "../../../src/wire/bytes.js";
import { encodeCbor } from "../../../src/wire/cbor.js";
import type { Notice } from "../../../src/wire/notice.js";
import { GridsealError, reasonOf } from "../../errors.js";
import { decodeMeterState, decodeOriginState, type MeterState, type OriginState } from "../chain/state.js";
import { blockKey, chainKey, chainRange, idKey, numberIn, numberKey } from "./keys.js";
import { decodeOutline, type Outline } from "./outline.js";
import {
  decodeFaults,
  decodeHead,
  decodeOrder,
  decodeRuling,
  type Head,
  type Location,
  locationIn,
  type StoredBatch,
  type StoredOrder,
  unseal,
  unsealing,
} from "./rows.js";
import { openTables, type Tables } from "./tables.js";
import { type Writer, writerOver } from "./writer.js";

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

const FORMAT = 2;
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
    head: (chain) => readRow(`head of chain ${chain}`, tables.heads.get(chainKey(chain)), unsealing(decodeHead)),
    block: (chain, height) =>
      readRow(`block ${height} of chain ${chain}`, tables.blocks.get(blockKey(chain, height)), unseal),
    outline: (chain, height) =>
      readRow(
        `outline of block ${height} of chain ${chain}`,
        tables.outlines.get(blockKey(chain, height)),
        unsealing(decodeOutline),
      ),
    location(chain, kid, seq) {
      // Runs do not overlap: a number is sealed once. The one that begins last at or before it has it, or none.
      const below = { start: numberKey(chain, kid, seq), end: idKey(chain, kid), reverse: true, limit: 1 };
      const [row] = tables.index.getRange(below);
      if (row === undefined) return undefined;
      return readRow(`index of meter ${toHex(kid)}`, row.value, (run) =>
        locationIn(unseal(run), seq - numberIn(row.key)),
      );
    },
    meter(chain, kid) {
      const key = idKey(chain, kid);
      const name = key.toString("latin1");
      if (meters.has(name)) return meters.get(name);
      const state = readRow(
        `state of meter ${key.toString("hex", 2)}`,
        tables.meters.get(key),
        unsealing(decodeMeterState),
      );
      keepMeter(name, state);
      return state;
    },
    origin: (chain, id) =>
      readRow(`state of node ${toHex(id)}`, tables.origins.get(idKey(chain, id)), unsealing(decodeOriginState)),
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
        number: numberIn(key),
        bytes: readRow(`a temporary block of chain ${chain}`, value, unseal)!,
        acceptance: tables.acceptances.get(key),
      })),
    lineage: (chain) =>
      [...tables.lineage.getRange(chainRange(chain))].flatMap(
        ({ value }) => readRow(`lineage of chain ${chain}`, value, unseal) ?? [],
      ),
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

/** Why a commit failed: lmdb says it by a promise beside the error, which ends the process where nobody listens. */
function commitFailure(error: unknown): unknown {
  if (!(error instanceof Error && "commitError" in error)) return error;
  return Promise.resolve(error.commitError).then(
    () => error,
    (cause: unknown) => cause,
  );
}
