// The records of one meter or participant on a chain, in the order of their numbers, as the store has them.

import type { FoundRecord } from "../../routes/record-rows.js";
import { blockKey } from "../store/keys.js";
import type { StoreReader } from "../store/store.js";
import { recordReader } from "./record-reader.js";
import { blocks } from "./tables/blocks.js";
import { locationIn, recordsIn, runFrom } from "./tables/runs.js";

/** From a number on. A record without bytes stands in a block whose records the store has let go of. Throws STORE_CORRUPT. */
export function* sealedRecordsOf(
  store: StoreReader,
  chain: number,
  kid: Uint8Array,
  from: number,
): Generator<FoundRecord, void> {
  /** numbers that follow each other often stand in one block */
  let open: { readonly height: number; readonly record: (leaf: number) => Uint8Array | undefined } | undefined;
  for (let next = from; ; ) {
    const run = runFrom(store, chain, kid, next);
    if (run === undefined) return;
    const end = run.first + recordsIn(run.content);
    for (let seq = Math.max(next, run.first); seq < end; seq += 1) {
      const { height, leaf, hash } = locationIn(run.content, seq - run.first)!;
      if (open?.height !== height) open = { height, record: recordsAt(store, chain, height) };
      yield { seq, height, leaf, hash, bytes: open.record(leaf) };
    }
    next = end;
  }
}

function recordsAt(store: StoreReader, chain: number, height: number): (leaf: number) => Uint8Array | undefined {
  const bytes = store.get(blocks, blockKey(chain, height));
  return bytes === undefined ? () => undefined : recordReader(bytes);
}
