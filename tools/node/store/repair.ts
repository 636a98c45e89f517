// Repair of a stopped node's store: every row is checked, and where one is damaged the store is set aside; what only this node has is
// taken over as far as it can be read, and everything else comes from the peers, as to a node whose disk was lost.

import { existsSync } from "node:fs";
import { rename } from "node:fs/promises";
import type { Genesis } from "../../../src/wire/genesis.js";
import { nodeVerify } from "../../crypto/signatures.js";
import { GridsealError, reasonOf } from "../../errors.js";
import { createGovernor } from "../chain/sealed-orders.js";
import { checkBlocks, checkRows } from "./check.js";
import { codecs, type TableName } from "./codecs.js";
import { numberIn } from "./keys.js";
import { type Remains, type Salvage, salvage } from "./salvage.js";
import { type Owner, openStore, openStoreReadOnly, type Store } from "./store.js";
import { openTables, type Tables } from "./tables.js";

export interface Salvaged {
  /** where the damaged store is now */
  readonly aside: string;
  /** records that wait to be sealed, rows of disclosures, meters' credentials, orders and evidence that wait */
  readonly admitted: number;
  readonly disclosures: number;
  readonly credentials: number;
  readonly rulings: number;
}

const ROWS_AT_ONCE = 1_000;

/**
 * What is wrong with the node's store in the folder; undefined where every row is whole and every block the one that was sealed.
 * Rejects with FILE_UNREADABLE where there is none, STORE_FOREIGN where it is another node's.
 */
export async function findDamage(path: string, owner: Owner, genesis: Genesis): Promise<string | undefined> {
  if (!existsSync(path)) throw new GridsealError("FILE_UNREADABLE", `there is no store in ${path}`);
  try {
    await checkRows(path, owner);
    const store = openStoreReadOnly(path);
    try {
      const { chains } = createGovernor(genesis, store).current;
      checkBlocks(
        store,
        chains.map(({ chain }) => chain.service),
        genesis.hash,
      );
    } finally {
      await store.close();
    }
    return undefined;
  } catch (error) {
    if (error instanceof GridsealError && error.code === "STORE_FOREIGN") throw error;
    return reasonOf(error);
  }
}

/**
 * Moves a damaged store out of the way and makes a new one in its place, which knows that the key has signed before. Rejects with
 * FILE_UNWRITABLE, or as `openStore` does; the damaged store is never changed.
 */
export async function replaceStore(path: string, owner: Owner, genesis: Genesis, now: Date): Promise<Salvaged> {
  const aside = `${path}-damaged-${now.toISOString().replaceAll(":", "")}`;
  try {
    await rename(path, aside);
  } catch (cause) {
    throw new GridsealError("FILE_UNWRITABLE", `${path} cannot be moved to ${aside}: ${reasonOf(cause)}`, { cause });
  }
  const to = await openStore(path, owner, true);
  try {
    const from = openDamaged(aside);
    try {
      const counts = await takeOver(salvage(remainsOf(from), owner.node, genesis, nodeVerify), to);
      const { record: admitted, disclosures, credential: credentials, ruling: rulings } = counts;
      return { aside, admitted, disclosures, credentials, rulings };
    } finally {
      await from?.root.close();
    }
  } finally {
    await to.close();
  }
}

/** Undefined where nothing of it can be read. */
function openDamaged(path: string): Tables | undefined {
  try {
    return openTables(path, true);
  } catch {
    return undefined;
  }
}

async function takeOver(found: Iterable<Salvage>, to: Store): Promise<Record<Salvage["kind"], number>> {
  const counts = { record: 0, disclosures: 0, credential: 0, ruling: 0 };
  let rows: Salvage[] = [];
  const write = async () => {
    const written = rows;
    rows = [];
    await to.write((writer) => {
      for (const row of written) row.put(writer);
    });
  };
  for (const row of found) {
    counts[row.kind] += 1;
    if (rows.push(row) === ROWS_AT_ONCE) await write();
  }
  await write();
  return counts;
}

function remainsOf(from: Tables | undefined): Remains {
  return {
    *credentials() {
      for (const { key, content } of wholeRows(from, "credentials")) yield { ...idOf(key), bytes: content };
    },
    *disclosures() {
      for (const { key, content } of wholeRows(from, "disclosures")) {
        yield { ...idOf(key), seq: numberIn(key), bytes: content };
      }
    },
    *admitted() {
      for (const { key, content } of wholeRows(from, "admitted")) yield { chain: idOf(key).chain, bytes: content };
    },
    *batches() {
      for (const { key, content } of wholeRows(from, "batches")) {
        const { chain, kid: origin } = idOf(key);
        yield { chain, origin, bytes: content };
      }
    },
    *rulings() {
      for (const { key, content } of wholeRows(from, "rulings")) yield { chain: idOf(key).chain, notice: content };
    },
  };
}

function idOf(key: Buffer): { readonly chain: number; readonly kid: Uint8Array } {
  return { chain: key.readUInt16BE(0), kid: Uint8Array.from(key.subarray(2, 10)) };
}

/** A table's rows as far as they can be read, without those that are damaged. */
function* wholeRows<Name extends TableName>(
  from: Tables | undefined,
  name: Name,
): Generator<{ readonly key: Buffer; readonly content: ReturnType<(typeof codecs)[Name]["decode"]> }> {
  const rows = from?.[name].getRange({})[Symbol.iterator]();
  for (;;) {
    const next = tried(() => rows?.next());
    if (next === undefined || next.done) return; // its end, or a damaged page: what stands behind it is lost
    const row = Buffer.from(next.value.value);
    const content = tried(() => codecs[name].decode(row) as ReturnType<(typeof codecs)[Name]["decode"]>);
    if (content !== undefined) yield { key: Buffer.from(next.value.key), content };
  }
}

function tried<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
