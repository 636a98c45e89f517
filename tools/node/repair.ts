// Repair of a stopped node's store: it is checked, and where it is damaged set aside; what only this node has is taken over as far as
// it can be read, and everything else comes from the peers, as to a node whose disk was lost.

import { existsSync } from "node:fs";
import { rename } from "node:fs/promises";
import { decodeCbor } from "../../src/wire/cbor.js";
import { verifyCredential } from "../../src/wire/credential.js";
import { WireError } from "../../src/wire/error.js";
import type { Genesis } from "../../src/wire/genesis.js";
import { parseRecord } from "../../src/wire/record.js";
import { GridsealError, reasonOf } from "../errors.js";
import { createGovernor } from "./chain/governor.js";
import { nodeVerify } from "./crypto.js";
import { checkBlocks } from "./store/check.js";
import { type Owner, openStore, openStoreReadOnly } from "./store/store.js";
import { openTables, type Tables } from "./store/tables.js";

export interface Salvaged {
  /** where the damaged store is now */
  readonly aside: string;
  /** records that wait to be sealed, rows of disclosures, meters' credentials */
  readonly admitted: number;
  readonly disclosures: number;
  readonly credentials: number;
}

type Row = { readonly key: Buffer; readonly value: Buffer };
type TableName = "admitted" | "disclosures" | "credentials";

const ROWS_AT_ONCE = 1_000;

/** What is wrong with the store in the folder; undefined where it is whole. Throws FILE_UNREADABLE where there is none. */
export async function findDamage(path: string, genesis: Genesis): Promise<string | undefined> {
  if (!existsSync(path)) throw new GridsealError("FILE_UNREADABLE", `there is no store in ${path}`);
  try {
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
  await (await openStore(path, owner, true)).close();
  const to = openTables(path, false);
  try {
    const from = openDamaged(aside);
    try {
      const copy = (name: TableName, isWhole: (row: Row) => boolean) => copyRows(from, to, name, isWhole);
      return {
        aside,
        admitted: await copy("admitted", ({ value }) => reads(() => parseRecord(value))),
        disclosures: await copy("disclosures", ({ value }) => reads(() => decodeCbor(value))),
        // Chain 0 is not a chain: credentials that meters have shown. Those on chains come with the blocks.
        credentials: await copy(
          "credentials",
          ({ key, value }) => key.readUInt16BE(0) === 0 && reads(() => verifyCredential(value, genesis, nodeVerify)),
        ),
      };
    } finally {
      await from?.root.close();
    }
  } finally {
    await to.root.close();
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

async function copyRows(
  from: Tables | undefined,
  to: Tables,
  name: TableName,
  isWhole: (row: Row) => boolean,
): Promise<number> {
  let copied = 0;
  for (const rows of chunksOf(from, name)) {
    const whole = rows.filter(isWhole);
    copied += whole.length;
    await to.root.batch(() => {
      for (const { key, value } of whole) void to[name].put(key, value);
    });
  }
  return copied;
}

/** A table's rows as far as they can be read. */
function* chunksOf(from: Tables | undefined, name: TableName): Generator<readonly Row[]> {
  if (from === undefined) return;
  const rows: Row[] = [];
  try {
    for (const { key, value } of from[name].getRange({})) {
      rows.push({ key: Buffer.from(key), value: Buffer.from(value) });
      if (rows.length === ROWS_AT_ONCE) yield rows.splice(0);
    }
  } catch {
    // A damaged page: what stands behind it is lost.
  }
  if (rows.length > 0) yield rows;
}

function reads(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch (error) {
    if (error instanceof WireError) return false;
    throw error;
  }
}
