// Retention: a node lets go of old records and keeps their blocks' outlines, so that receipts of them still verify and can still be
// made, and headers, certificates and anchors stay.

import { decodeBlock } from "../../../src/wire/block.js";
import { decodeHeader } from "../../../src/wire/header.js";
import { parseAnyRecord } from "../../../src/wire/operation.js";
import { GridsealError } from "../../errors.js";
import { outlines, putOutline, blocks as wholeBlocks } from "../chain/tables/blocks.js";
import { heads } from "../chain/tables/heads.js";
import { sealedDisclosures, sealedOf } from "../chain/tables/sealed-disclosures.js";
import { missingDisclosures } from "../disclosures/tables/missing-disclosures.js";
import { blockKey, chainKey, hashKey } from "./keys.js";
import { outlineOf, treeOfOutline } from "./outline.js";
import type { Store } from "./store.js";

/** The newest blocks stay whole: peers that were away for a moment ask for them. */
export const WHOLE_BLOCKS_MIN = 64;
/** Blocks in one transaction. */
const BLOCKS_AT_ONCE = 32;

export interface Pruned {
  readonly blocks: number;
  readonly records: number;
}

/**
 * Lets go of the records and sealed disclosures of all blocks of a chain below the height `before`, but for the newest blocks. Those that are
 * gone already are passed over. Throws STORE_CORRUPT where a block is not what was sealed; it and what follows stay then.
 */
export async function pruneChain(store: Store, chain: number, before: number): Promise<Pruned> {
  const end = endOf(store, chain, before);
  let blocks = 0;
  let records = 0;
  for (let from = 1; from < end; from += BLOCKS_AT_ONCE) {
    const rows = Array.from({ length: Math.min(BLOCKS_AT_ONCE, end - from) }, (_, index) => from + index).flatMap(
      (at) => wholeBlock(store, chain, at),
    );
    if (rows.length === 0) continue;
    await store.write((writer) => {
      for (const row of rows) {
        putOutline(writer, chain, row.height, row.outline);
        for (const { kid, claims, hash } of row.records) {
          const key = hashKey(chain, kid, claims.seq, hash);
          for (const sealed of sealedOf(store, key)) writer.delete(sealedDisclosures, sealed.key);
          writer.delete(missingDisclosures, key);
        }
      }
    });
    blocks += rows.length;
    records += rows.reduce((sum, row) => sum + row.records.length, 0);
  }
  return { blocks, records };
}

/** What `pruneChain` would let go of. */
export function prunableOf(store: Store, chain: number, before: number): Pruned {
  const end = endOf(store, chain, before);
  let blocks = 0;
  let records = 0;
  for (let height = 1; height < end; height += 1) {
    for (const row of wholeBlock(store, chain, height)) {
      blocks += 1;
      records += row.records.length;
    }
  }
  return { blocks, records };
}

/** Why `pruneChain` would let go of nothing, where that is so. */
export function reasonToKeep(store: Store, chain: number, before: number): string {
  const height = heightOf(store, chain);
  if (height === 0) return "it has no block yet";
  if (before <= 1) return `its oldest block is of ${new Date(1_000 * blockTime_s(store, chain, 1)).toISOString()}`;
  const end = endOf(store, chain, before);
  if (end <= 1) return `the newest ${WHOLE_BLOCKS_MIN} blocks stay, and it has ${height}`;
  return `those below height ${end} are gone already${end < before ? `, and the newest ${WHOLE_BLOCKS_MIN} stay` : ""}`;
}

/** The first block of a chain that is not older than a time, in UTC seconds; one above the newest where all are older. */
export function heightSince(store: Store, chain: number, time_s: number): number {
  let low = 1;
  let high = heightOf(store, chain) + 1;
  // The blocks' times ascend.
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (blockTime_s(store, chain, middle) < time_s) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The newest block of a chain; 0 before the first. */
export function heightOf(store: Store, chain: number): number {
  return store.get(heads, chainKey(chain))?.height ?? 0;
}

function blockTime_s(store: Store, chain: number, height: number): number {
  const key = blockKey(chain, height);
  const bytes = store.get(wholeBlocks, key);
  const header = bytes === undefined ? store.get(outlines, key)?.header : decodeBlock(bytes).header;
  if (header === undefined) throw new GridsealError("STORE_CORRUPT", `chain ${chain}: block ${height} is missing`);
  return decodeHeader(header).time_s;
}

function endOf(store: Store, chain: number, before: number): number {
  return Math.min(before, heightOf(store, chain) - WHOLE_BLOCKS_MIN + 1);
}

function wholeBlock(store: Store, chain: number, height: number) {
  const bytes = store.get(wholeBlocks, blockKey(chain, height));
  if (bytes === undefined) return [];
  const block = decodeBlock(bytes);
  const outline = outlineOf(block);
  if (treeOfOutline(outline) === undefined) {
    throw new GridsealError("STORE_CORRUPT", `chain ${chain}: block ${height} is not what was sealed`);
  }
  return [{ height, outline, records: block.batches.flatMap((batch) => batch.records.map(parseAnyRecord)) }];
}
