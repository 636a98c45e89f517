// The records of one meter or participant on a chain, in the order of their numbers, as the store has them.

import { equalBytes } from "../../../src/wire/bytes.js";
import { sha256 } from "../../../src/wire/hash.js";
import type { FoundRecord } from "../../routes/record-rows.js";
import { type BlockKey, blockKey } from "../store/keys.js";
import type { PartReader } from "../store/store.js";
import { recordReader } from "./record-reader.js";
import { blocks } from "./tables/blocks.js";
import { locationIn, recordsIn, runFrom } from "./tables/runs.js";

/** From a number on. A record without bytes stands in a block whose records the store has let go of. Throws STORE_CORRUPT. */
export function* sealedRecordsOf(
  store: PartReader,
  chain: number,
  kid: Uint8Array,
  from: number,
): Generator<FoundRecord, void> {
  /** numbers that follow each other often stand in one block */
  let open: { readonly height: number; readonly record: RecordsAt } | undefined;
  for (let next = from; ; ) {
    const run = runFrom(store, chain, kid, next);
    if (run === undefined) return;
    const end = run.first + recordsIn(run.content);
    for (let seq = Math.max(next, run.first); seq < end; seq += 1) {
      const { height, leaf, hash } = locationIn(run.content, seq - run.first)!;
      if (open?.height !== height) open = { height, record: recordsAt(store, chain, height) };
      yield { seq, height, leaf, hash, bytes: open.record(leaf, hash) };
    }
    next = end;
  }
}

/** The record at a leaf, with the hash that the index has of it. */
export type RecordsAt = (leaf: number, hash: Uint8Array) => Uint8Array | undefined;

function recordsAt(store: PartReader, chain: number, height: number): RecordsAt {
  const key = blockKey(chain, height);
  const bytes = store.unchecked(blocks, key);
  return bytes === undefined ? () => undefined : recordsInBlock(store, key, bytes);
}

/** Of a block whose bytes were read `unchecked`: a record is held to its hash, and the block to its checksum where that differs. */
export function recordsInBlock(store: PartReader, key: BlockKey, bytes: Uint8Array): RecordsAt {
  const read = recordReader(bytes);
  return (leaf, hash) => {
    const record = unlessDamaged(() => read(leaf));
    if (record !== undefined && equalBytes(sha256(record), hash)) return record;
    // The whole block says whether it is damaged.
    const whole = store.get(blocks, key);
    return whole && recordReader(whole)(leaf);
  };
}

/** Undefined where damaged bytes nest without end. */
export function unlessDamaged<Found>(read: () => Found): Found | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
