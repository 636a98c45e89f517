// Who signs records on a chain, in the order of their ids, each with its credential, its newest record, and what is missing before that.

import { headerOfBlock } from "../../../src/wire/block.js";
import { decodeHeader } from "../../../src/wire/header.js";
import { BoundedMap } from "../../bounded-map.js";
import { readRecord } from "../../ledger/record-scan.js";
import type { HolderRow } from "../../routes/holders.js";
import { blockKey, chainRange, idIn, idKey } from "../store/keys.js";
import type { StoreReader } from "../store/store.js";
import { recordReader } from "./record-reader.js";
import { blocks, outlines } from "./tables/blocks.js";
import { credentials } from "./tables/credentials.js";
import { locationOf } from "./tables/runs.js";
import { meters } from "./tables/states.js";

/** Meters of a fleet send at the same time: few blocks have the newest records of all. */
const OPEN_MAX = 8;

interface OpenBlock {
  readonly sealed_s: number | undefined;
  /** The record at a leaf; undefined where the store has let go of it. */
  record(leaf: number): Uint8Array | undefined;
}

/** From an id on, as many as there are credentials up to the limit. Throws STORE_CORRUPT. */
export function* sealedHoldersOf(
  store: StoreReader,
  service: number,
  { from, limit }: { readonly from: Uint8Array; readonly limit: number },
): Generator<HolderRow, void> {
  const open = new BoundedMap<number, OpenBlock>(OPEN_MAX);
  const range = { ...chainRange(service), start: idKey(service, from), limit };
  for (const { key, row: credential } of store.range(credentials, range)) {
    const kid = idIn(key);
    const state = store.get(meters, idKey(service, kid));
    if (state === undefined) continue; // it has shown itself, and none of its records is sealed
    const missing = state.gaps.reduce((sum, [first, last]) => sum + last - first + 1, 0);
    yield { kid, high: state.high, missing, credential, ...newestOf(store, { service, kid, seq: state.high }, open) };
  }
}

function newestOf(
  store: StoreReader,
  { service, kid, seq }: { readonly service: number; readonly kid: Uint8Array; readonly seq: number },
  open: BoundedMap<number, OpenBlock>,
): Pick<HolderRow, "time_s" | "sealed_s"> {
  const location = locationOf(store, service, kid, seq);
  if (location === undefined) return { time_s: undefined, sealed_s: undefined };
  const { height, leaf } = location;
  const block = open.get(height) ?? openBlock(store, service, height);
  open.set(height, block);
  const record = block.record(leaf);
  return { time_s: record === undefined ? undefined : readRecord(record).claims.time_s, sealed_s: block.sealed_s };
}

function openBlock(store: StoreReader, service: number, height: number): OpenBlock {
  const key = blockKey(service, height);
  const bytes = store.get(blocks, key);
  if (bytes === undefined) {
    const header = store.get(outlines, key)?.header;
    return { sealed_s: header && decodeHeader(header).time_s, record: () => undefined };
  }
  return { sealed_s: decodeHeader(headerOfBlock(bytes)).time_s, record: recordReader(bytes) };
}
