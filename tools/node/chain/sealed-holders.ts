// Who signs records on a chain, in the order of their ids, each with its credential, its newest record, and what is missing before that.

import { headerOfBlock } from "../../../src/wire/block.js";
import { equalBytes } from "../../../src/wire/bytes.js";
import { decodeHeader, HEADER_BYTES, headerHash } from "../../../src/wire/header.js";
import { BoundedMap } from "../../bounded-map.js";
import { readRecord } from "../../ledger/record-scan.js";
import type { HolderRow } from "../../routes/holders.js";
import { blockKey, chainKey, chainRange, idIn, idKey } from "../store/keys.js";
import type { PartReader } from "../store/store.js";
import { headerIn } from "./record-reader.js";
import { type RecordsAt, recordsInBlock, unlessDamaged } from "./sealed-records.js";
import { blocks, outlines } from "./tables/blocks.js";
import { credentials } from "./tables/credentials.js";
import { heads } from "./tables/heads.js";
import { locationOf } from "./tables/runs.js";
import { meters } from "./tables/states.js";

/** Meters of a fleet send at the same time: few blocks have the newest records of all. */
const OPEN_MAX = 8;
/** Where a header has the hash of the one before it (src/wire/header.ts). */
const PREVIOUS_AT = 4;
const HASH_BYTES = 32;

interface OpenBlock {
  readonly sealed_s: number | undefined;
  /** undefined where the store has let go of it */
  readonly record: RecordsAt;
}

/** From an id on, as many as there are credentials up to the limit. Throws STORE_CORRUPT. */
export function* sealedHoldersOf(
  store: PartReader,
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
  store: PartReader,
  { service, kid, seq }: { readonly service: number; readonly kid: Uint8Array; readonly seq: number },
  open: BoundedMap<number, OpenBlock>,
): Pick<HolderRow, "time_s" | "sealed_s"> {
  const location = locationOf(store, service, kid, seq);
  if (location === undefined) return { time_s: undefined, sealed_s: undefined };
  const { height, leaf, hash } = location;
  const block = open.get(height) ?? openBlock(store, service, height);
  open.set(height, block);
  const record = block.record(leaf, hash);
  return { time_s: record === undefined ? undefined : readRecord(record).claims.time_s, sealed_s: block.sealed_s };
}

function openBlock(store: PartReader, service: number, height: number): OpenBlock {
  const key = blockKey(service, height);
  const bytes = store.unchecked(blocks, key);
  if (bytes === undefined) {
    const header = store.get(outlines, key)?.header;
    return { sealed_s: header && decodeHeader(header).time_s, record: () => undefined };
  }
  const header = soundHeader(store, service, height, bytes) ?? headerOfBlock(store.get(blocks, key)!);
  return { sealed_s: decodeHeader(header).time_s, record: recordsInBlock(store, key, bytes) };
}

/** The header of a block that was read `unchecked`, where what follows it names it by its hash. */
function soundHeader(store: PartReader, service: number, height: number, bytes: Uint8Array): Uint8Array | undefined {
  const header = unlessDamaged(() => headerIn(bytes));
  const named = hashBehind(store, service, height);
  return header !== undefined && named !== undefined && equalBytes(headerHash(header), named) ? header : undefined;
}

/** The hash of a block's header, as the next block or the chain's head has it. */
function hashBehind(store: PartReader, service: number, height: number): Uint8Array | undefined {
  const head = store.get(heads, chainKey(service));
  if (head?.height === height) return head.headerHash;
  const key = blockKey(service, height + 1);
  const next = store.unchecked(blocks, key);
  const header = next === undefined ? store.get(outlines, key)?.header : unlessDamaged(() => headerIn(next));
  return header?.length === HEADER_BYTES ? header.slice(PREVIOUS_AT, PREVIOUS_AT + HASH_BYTES) : undefined;
}
