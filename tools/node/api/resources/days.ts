// GET /chains/<service>/days/<day>: what each meter has had sealed on a UTC day, summed up from the day's blocks. That is read a hundred
// records at a time, for each address one day after the other; days that are over are kept.

import { decodeBlockViews, headerOfBlock } from "../../../../src/wire/block.js";
import { fromHex, toHex } from "../../../../src/wire/bytes.js";
import { decodeHeader } from "../../../../src/wire/header.js";
import { isOperation, parseAnyRecord } from "../../../../src/wire/operation.js";
import { BoundedMap } from "../../../bounded-map.js";
import { readRecord } from "../../../ledger/record-scan.js";
import { DAY_S, type DayRow, day as dayShape, encodeDayRow, LATE_S } from "../../../routes/days.js";
import { blocks, outlines } from "../../chain/tables/blocks.js";
import { heads } from "../../chain/tables/heads.js";
import { blockKey, chainKey } from "../../store/keys.js";
import type { Store } from "../../store/store.js";
import type { Items } from "../answers.js";
import { type Outcome, type Route, refused, route } from "../route.js";
import { createSumPlaces } from "../sum-places.js";

/** Days whose rows are kept, and rows of all of them: some 230 bytes each. */
const DAYS_KEPT_MAX = 64;
const ROWS_KEPT_MAX = 80_000;
/** Days that are summed up at one time: each holds a sum for each of its meters. */
const SUMS_MAX = 4;
/** Records that are read, or rows that are made, without a rest. */
const READ_AT_ONCE = 100;
const SIGNATURE_END = 66;
/** Nothing to send yet. */
const rest = new Uint8Array(0);

type Rows = readonly Uint8Array[];
type Sum = { -readonly [Name in Exclude<keyof DayRow, "kid">]: number };

/** Who has to wait for other sums is answered later, and never refused for them. */
export function dayRoute(store: Store): Route {
  const kept = new BoundedMap<string, Rows>(DAYS_KEPT_MAX);
  const places = createSumPlaces(SUMS_MAX);
  return route(dayShape, async ({ parameters: { service, day }, group }) => {
    const name = `${service}:${day}`;
    const isKept = kept.has(name);
    const giveBack = isKept ? () => {} : await places.take(group);
    let isSumming = false;
    try {
      // Who was before may have summed up the same day.
      const known = kept.get(name);
      if (known !== undefined) return { type: "long", items: known.values() };
      const summing = sumOf(store, service, day);
      if (summing.type === "refused") return summing;
      isSumming = true;
      const keep = (rows: Rows) => {
        if (summing.isOver) keepRows(kept, name, rows);
      };
      return { type: "long", items: summed(summing.steps, keep, giveBack) };
    } finally {
      if (!isSumming) giveBack();
    }
  });
}

/** Keeps the day's rows, and lets go of the days that were kept first until all rows are at most `most`. */
export function keepRows(kept: Map<string, Rows>, name: string, rows: Rows, most = ROWS_KEPT_MAX): void {
  if (rows.length > most) return;
  kept.delete(name);
  let count = rows.length;
  for (const others of kept.values()) count += others.length;
  for (const [first, others] of kept) {
    if (count <= most) break;
    kept.delete(first);
    count -= others.length;
  }
  kept.set(name, rows);
}

type Summing =
  | { readonly type: "summing"; readonly isOver: boolean; readonly steps: Iterator<Uint8Array, Rows> }
  | Extract<Outcome, { type: "refused" }>;

/** What is to be summed up of the day, as the chain is now. */
function sumOf(store: Store, service: number, day: number): Summing {
  const chain = { service, height: store.get(heads, chainKey(service))?.height ?? 0 };
  const first = firstBehind(store, chain, day * DAY_S);
  if (first <= chain.height && store.get(blocks, blockKey(service, first)) === undefined) {
    return refused("pruned", `This node has let go of the records of chain ${service} of that day.`);
  }
  const end_s = (day + 1) * DAY_S;
  const isOver = firstBehind(store, chain, end_s) <= chain.height;
  return { type: "summing", isOver, steps: rowsOf(store, chain, { first, end_s }) };
}

/** The rows once they are there, nothing before; the place is given back as soon as no sum is held any more. */
function summed(steps: Iterator<Uint8Array, Rows>, keep: (rows: Rows) => void, giveBack: () => void): Items {
  let rows: Iterator<Uint8Array, void> | undefined;
  const step = () => {
    try {
      return steps.next();
    } catch (error) {
      giveBack();
      throw error;
    }
  };
  return {
    next() {
      if (rows !== undefined) return rows.next();
      const { done, value } = step();
      if (done !== true) return { value };
      giveBack();
      keep(value);
      rows = value.values();
      return rows.next();
    },
    return() {
      giveBack();
      return { done: true, value: undefined };
    },
  };
}

interface Chain {
  readonly service: number;
  /** of its newest block */
  readonly height: number;
}

/** The first block whose time is not before; the height behind the newest where there is none. */
function firstBehind(store: Store, { service, height }: Chain, time_s: number): number {
  let [low, high] = [1, height + 1];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (timeAt(store, service, middle) < time_s) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** UTC seconds of a block, which stand in its header. */
function timeAt(store: Store, service: number, height: number): number {
  const key = blockKey(service, height);
  const block = store.get(blocks, key);
  const header = block === undefined ? store.get(outlines, key)?.header : headerOfBlock(block);
  return header === undefined ? Number.POSITIVE_INFINITY : decodeHeader(header).time_s;
}

function* rowsOf(
  store: Store,
  { service, height }: Chain,
  { first, end_s }: { readonly first: number; readonly end_s: number },
): Generator<Uint8Array, Rows> {
  const sums = new Map<string, Sum>();
  let read = 0;
  for (let at = first; at <= height; at += 1) {
    const bytes = store.get(blocks, blockKey(service, at));
    if (bytes === undefined) break;
    const block = decodeBlockViews(bytes);
    const time_s = decodeHeader(block.header).time_s;
    if (time_s >= end_s) break;
    for (const { records } of block.batches) {
      for (const record of records) {
        add(sums, record, time_s);
        read += 1;
        if (read % READ_AT_ONCE === 0) yield rest;
      }
    }
    yield rest;
  }
  const rows: Uint8Array[] = [];
  for (const id of [...sums.keys()].sort()) {
    rows.push(encodeDayRow({ kid: fromHex(id)!, ...sums.get(id)! }));
    if (rows.length % READ_AT_ONCE === 0) yield rest;
  }
  return rows;
}

function add(sums: Map<string, Sum>, bytes: Uint8Array, sealed_s: number): void {
  const { kid, claims } = readRecord(bytes);
  if (claims.type !== undefined) return; // an operation: no meter's
  const id = toHex(kid);
  const { seq, time_s } = claims;
  const sum = sums.get(id) ?? { records: 0, first: seq, last: seq, late: 0, doubtful: 0 };
  sums.set(id, sum);
  sum.records += 1;
  sum.first = Math.min(sum.first, seq);
  sum.last = Math.max(sum.last, seq);
  if (sealed_s - time_s > LATE_S) sum.late += 1;
  if (mayDoubt(bytes) && isDoubted(bytes)) sum.doubtful += 1;
}

/** Whether the last claim may be that of doubts, 15, by its last bytes: few records are read whole for it. */
function mayDoubt(bytes: Uint8Array): boolean {
  const end = bytes.length - SIGNATURE_END;
  const claim = 15;
  if (bytes[end - 2] === claim) return true;
  const [small, medium, large] = [bytes[end - 3] === claim, bytes[end - 4] === claim, bytes[end - 6] === claim];
  return (small && bytes[end - 2] === 24) || (medium && bytes[end - 3] === 25) || (large && bytes[end - 5] === 26);
}

function isDoubted(bytes: Uint8Array): boolean {
  const record = parseAnyRecord(bytes);
  return !isOperation(record) && (record.claims.errors ?? 0) !== 0;
}
