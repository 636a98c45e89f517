// The records of one signer between two moments. Numbers are in the order of time as long as the signer's clock is never put back:
// where a source has an index the first is looked for by the times of a few.

import { SEQ_MAX } from "../../src/wire/bounds.js";
import { WireError } from "../../src/wire/error.js";
import { type AnyRecord, parseAnyRecord } from "../../src/wire/operation.js";
import { GridsealError } from "../errors.js";
import type { FoundRecord } from "../routes/record-rows.js";
import type { ChainSource } from "./source.js";

export interface SealedRecord extends FoundRecord {
  /** undefined where the source keeps its bytes no more */
  readonly record: AnyRecord | undefined;
}

/** Seconds of Unix time; `to_s` is behind the last. */
export interface Period {
  readonly from_s?: number | undefined;
  readonly to_s?: number | undefined;
}

/** In the order of their numbers, those without bytes where no period begins. Rejects with CHAIN_INVALID. */
export async function* recordsBetween(
  source: ChainSource,
  service: number,
  signer: Uint8Array,
  { from_s = 0, to_s = Number.POSITIVE_INFINITY }: Period,
): AsyncGenerator<SealedRecord> {
  const first = from_s > 0 && source.hasIndex ? await firstAt(source, service, signer, from_s) : 0;
  for await (const found of source.records(service, signer, first)) {
    const sealed = opened(source, found);
    const time_s = sealed.record?.claims.time_s;
    if (time_s === undefined ? from_s === 0 : time_s >= from_s && time_s < to_s) yield sealed;
    // Without an index all is read anyway.
    if (source.hasIndex && time_s !== undefined && time_s >= to_s) return;
  }
}

/** A record of which the time is known. */
interface Seen {
  readonly seq: number;
  readonly time_s: number;
}

/** What is known of where a time begins. */
interface Search {
  readonly time_s: number;
  /** everything below is before the time */
  low: number;
  /** nothing from here on is; undefined as long as none was seen */
  high: number | undefined;
  /** the newest two that are before the time, and the oldest that is not */
  earlier?: Seen;
  before?: Seen;
  after?: Seen;
}

/** Between two steps by what the times say, numbers are halved or steps doubled, so that odd clocks cost little. */
const PLAIN_STEP_EVERY = 3;

/** The number of the first record that is not before the time. A meter's records are nearly as far apart as each other: few are read. */
async function firstAt(source: ChainSource, service: number, signer: Uint8Array, time_s: number): Promise<number> {
  const search: Search = { time_s, low: 0, high: undefined };
  for (let step = 1; search.high === undefined || search.low < search.high; step += 1) {
    const middle = guess(search, step);
    note(search, middle, await firstFrom(source, service, signer, middle));
  }
  return search.low;
}

function note(search: Search, middle: number, found: SealedRecord | undefined): void {
  const time_s = found?.record?.claims.time_s;
  const seen = found === undefined || time_s === undefined ? undefined : { seq: found.seq, time_s };
  // One that is pruned is before what is not.
  if (found !== undefined && (time_s === undefined || time_s < search.time_s)) {
    search.low = found.seq + 1;
    if (seen === undefined) return;
    if (search.before !== undefined) search.earlier = search.before;
    search.before = seen;
    return;
  }
  search.high = middle;
  if (seen !== undefined) search.after = seen;
}

function guess(search: Search, step: number): number {
  const { low, high } = search;
  const isPlain = step % PLAIN_STEP_EVERY === 0;
  const expected = isPlain ? undefined : expectedAt(search);
  if (expected !== undefined) return Math.min(Math.max(low, expected), (high ?? SEQ_MAX) - 1);
  return high === undefined ? Math.min(low + 2 ** step - 2, SEQ_MAX - 1) : low + Math.floor((high - low) / 2);
}

/** Where records that follow each other as those that were seen do are at the time; undefined where too few were seen. */
function expectedAt({ time_s, earlier, before, after }: Search): number | undefined {
  const other = after ?? earlier;
  if (before === undefined || other === undefined || other.time_s === before.time_s) return undefined;
  const numbers_s = (other.seq - before.seq) / (other.time_s - before.time_s);
  return Math.ceil(before.seq + (time_s - before.time_s) * numbers_s);
}

async function firstFrom(source: ChainSource, service: number, signer: Uint8Array, from: number) {
  for await (const found of source.records(service, signer, from)) return opened(source, found);
  return undefined;
}

function opened({ origin }: ChainSource, found: FoundRecord): SealedRecord {
  try {
    return { ...found, record: found.bytes === undefined ? undefined : parseAnyRecord(found.bytes) };
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause;
    throw new GridsealError("CHAIN_INVALID", `${origin}: record ${found.seq} cannot be read: ${cause.message}`, {
      cause,
    });
  }
}
