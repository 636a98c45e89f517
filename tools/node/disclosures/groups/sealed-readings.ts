// Sealed readings that hide something, with the times of their blocks: by these they count in a slot, or came too late. A chain is gone
// over between two times, whatever it has of other days.

import { decodeBlockViews } from "../../../../src/wire/block.js";
import { HEIGHT_MAX } from "../../../../src/wire/bounds.js";
import { equalBytes } from "../../../../src/wire/bytes.js";
import { decodeHeader } from "../../../../src/wire/header.js";
import { type Claims, parseRecord } from "../../../../src/wire/record.js";
import { kidOf, readSignedRecords } from "../../../ledger/record-scan.js";
import { headerIn } from "../../chain/record-reader.js";
import { sealedRecordsOf } from "../../chain/sealed-records.js";
import { blocks, outlines } from "../../chain/tables/blocks.js";
import { heads } from "../../chain/tables/heads.js";
import { locationOf } from "../../chain/tables/runs.js";
import { blockKey, chainKey } from "../../store/keys.js";
import type { PartReader, StoreReader } from "../../store/store.js";

/** A sealed reading that hides something. */
export interface HidingReading {
  /** id as hex */
  readonly meter: string;
  readonly seq: number;
  /** SHA-256 of the record, 32 bytes */
  readonly hash: Uint8Array;
  /** UTC seconds: what the meter says, and what its block does */
  readonly time_s: number;
  readonly sealed_s: number;
}

/** Of these meters, in blocks from UTC seconds to UTC seconds. */
export interface SealedSpan {
  readonly chain: number;
  /** ids as hex */
  readonly meters: ReadonlySet<string>;
  readonly from_s: number;
  readonly until_s: number;
}

/** Block by block, in the order of the chain. What the node has let go of is left out. Throws STORE_CORRUPT. */
export function* sealedBetween(
  store: StoreReader,
  { chain, meters, from_s, until_s }: SealedSpan,
): Generator<readonly HidingReading[], void> {
  const head = store.get(heads, chainKey(chain))?.height ?? 0;
  for (let height = firstAt(store, chain, head, from_s); height <= head; height += 1) {
    const bytes = store.get(blocks, blockKey(chain, height));
    if (bytes === undefined) continue;
    const block = decodeBlockViews(bytes);
    const sealed_s = decodeHeader(block.header).time_s;
    if (sealed_s >= until_s) return;
    const all = block.batches.flatMap(({ records }) => readSignedRecords(records).map(({ record }) => record));
    yield all.flatMap((record): HidingReading[] => {
      const { meter, seq, hash } = record;
      if (!record.hides || !meters.has(meter)) return [];
      // Of a fork, and of what comes twice, the record counts that the index knows.
      const known = locationOf(store, chain, kidOf(record), seq);
      if (known?.height !== height || !equalBytes(known.hash, hash)) return [];
      const { time_s } = parseRecord(record.bytes).claims;
      return [{ meter, seq, hash: Uint8Array.from(hash), time_s, sealed_s }];
    });
  }
}

/** The lowest height whose block is of that time or later; one above the head where none is. Times never go back. */
function firstAt(store: StoreReader, chain: number, head: number, time_s: number): number {
  let [low, high] = [1, head + 1];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const bytes = store.get(blocks, blockKey(chain, middle));
    // What the node has let go of is older than what it has.
    if (bytes !== undefined && decodeHeader(headerIn(bytes)).time_s >= time_s) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** What the record says that is sealed under that number with that hash; undefined where it is not, or the node has let go of it. */
export function sealedClaims(
  store: PartReader,
  chain: number,
  meter: Uint8Array,
  { seq, hash }: Pick<HidingReading, "seq" | "hash">,
): Claims | undefined {
  const found = sealedRecordsOf(store, chain, meter, seq).next().value;
  const isIt = found !== undefined && found.seq === seq && equalBytes(found.hash, hash);
  return isIt && found.bytes !== undefined ? parseRecord(found.bytes).claims : undefined;
}

/** UTC seconds of the newest block whose records the node has let go of; 0 where it has all. */
export function letGoUntil_s(store: StoreReader, chain: number): number {
  const range = { start: blockKey(chain, HEIGHT_MAX), end: blockKey(chain, 0), reverse: true, limit: 1 };
  const [newest] = store.range(outlines, range);
  return newest === undefined ? 0 : decodeHeader(newest.row.header).time_s;
}
