// Whether a store is what its node has written: every row whole; every block there, linked to the one before, with the tree that its
// header commits to.

import { decodeBlock } from "../../../src/wire/block.js";
import { equalBytes } from "../../../src/wire/bytes.js";
import { WireError } from "../../../src/wire/error.js";
import { decodeHeader, headerHash } from "../../../src/wire/header.js";
import { GridsealError } from "../../errors.js";
import { blocks, outlines } from "../chain/tables/blocks.js";
import { heads } from "../chain/tables/heads.js";
import { blockKey, chainKey } from "./keys.js";
import { openEnvironment } from "./lmdb.js";
import { checkOwner, type Owner } from "./meta.js";
import { outlineOf, treeOfOutline } from "./outline.js";
import type { Store } from "./store.js";
import { readRow } from "./table.js";
import { tables } from "./tables.js";

/**
 * Reads all rows of the store in the folder. Rejects with STORE_CORRUPT with the table and key of the first that is damaged, or
 * STORE_FOREIGN.
 */
export async function checkRows(path: string, owner: Owner): Promise<void> {
  const environment = openEnvironment(path, true);
  try {
    checkOwner(environment, path, owner);
    for (const table of tables) {
      for (const { key, value } of environment.rows(table, {})) readRow(path, table, key, value, "a row");
    }
  } finally {
    await environment.close();
  }
}

/**
 * Reads all blocks of the chains. Throws STORE_CORRUPT with the chain, the height and what is wrong with the first that is not as it
 * was sealed; `genesisHash` is what the first block of each chain links to.
 */
export function checkBlocks(store: Store, chains: readonly number[], genesisHash: Uint8Array): void {
  for (const chain of chains) {
    const head = store.get(heads, chainKey(chain));
    if (head === undefined) {
      if (store.get(blocks, blockKey(chain, 1)) === undefined) continue;
      throw new GridsealError("STORE_CORRUPT", `chain ${chain}: block 1 is there, and what belongs to it is not`);
    }
    let previous = genesisHash;
    let records = 0;
    for (let height = 1; height <= head.height; height += 1) {
      const { header, hashes } = checkedOutline(store, chain, height);
      if (!equalBytes(decodeHeader(header).previous, previous)) {
        throw new GridsealError("STORE_CORRUPT", `chain ${chain}: block ${height} does not link to the one before`);
      }
      previous = headerHash(header);
      records += hashes.length;
    }
    if (store.get(blocks, blockKey(chain, head.height + 1)) !== undefined) {
      const what = `block ${head.height + 1} is there, and what belongs to it is not`;
      throw new GridsealError("STORE_CORRUPT", `chain ${chain}: ${what}`);
    }
    if (!equalBytes(previous, head.headerHash) || records !== head.records) {
      throw new GridsealError(
        "STORE_CORRUPT",
        `chain ${chain}: block ${head.height} is not the one that was sealed last`,
      );
    }
  }
}

function checkedOutline(store: Store, chain: number, height: number) {
  try {
    const key = blockKey(chain, height);
    const bytes = store.get(blocks, key);
    const outline = bytes === undefined ? store.get(outlines, key) : outlineOf(decodeBlock(bytes));
    if (outline !== undefined && treeOfOutline(outline) !== undefined) return outline;
    const what = outline === undefined ? "is missing" : "is not what was sealed";
    throw new GridsealError("STORE_CORRUPT", `chain ${chain}: block ${height} ${what}`);
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause;
    throw new GridsealError("STORE_CORRUPT", `chain ${chain}: block ${height} cannot be read: ${cause.message}`, {
      cause,
    });
  }
}
