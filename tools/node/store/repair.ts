// Repair of a stopped node's store: every row is checked, and where one is damaged the store is set aside; what only this node has is
// taken over as far as it can be read, and everything else comes from the peers, as to a node whose disk was lost.

import { existsSync } from "node:fs";
import { rename } from "node:fs/promises";
import type { Genesis } from "../../../src/wire/genesis.js";
import { nodeVerify } from "../../crypto/signatures.js";
import { GridsealError, reasonOf } from "../../errors.js";
import { createGovernor } from "../chain/sealed-orders.js";
import { checkBlocks, checkRows } from "./check.js";
import { type Environment, openEnvironment } from "./lmdb.js";
import type { Owner } from "./meta.js";
import { openStore, openStoreReadOnly } from "./open-store.js";
import { type Salvage, salvage, salvagedTables } from "./salvage.js";
import type { Store } from "./store.js";

export interface Salvaged {
  /** where the damaged store is now */
  readonly aside: string;
  /** how many rows of each table the new store has of it */
  readonly rows: { readonly [table: string]: number };
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
      const found = from === undefined ? [] : salvage(from, owner.node, genesis, nodeVerify);
      return { aside, rows: await takeOver(found, to) };
    } finally {
      await from?.close();
    }
  } finally {
    await to.close();
  }
}

/** Undefined where nothing of it can be read. */
function openDamaged(path: string): Environment | undefined {
  try {
    return openEnvironment(path, true);
  } catch {
    return undefined;
  }
}

async function takeOver(found: Iterable<Salvage>, to: Store): Promise<Salvaged["rows"]> {
  const counts = new Map(salvagedTables.map(({ name }) => [name, 0]));
  let rows: Salvage[] = [];
  const write = async () => {
    const written = rows;
    rows = [];
    await to.write((writer) => {
      for (const row of written) row.put(writer);
    });
  };
  for (const row of found) {
    const { name } = row.table;
    counts.set(name, (counts.get(name) ?? 0) + 1);
    if (rows.push(row) === ROWS_AT_ONCE) await write();
  }
  await write();
  return Object.fromEntries(counts);
}
