// The records of one signer between two moments. Numbers are in the order of time as long as the signer's clock is never put back:
// where a source has an index the first is looked for by halving.

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

/** The number of the first record that is not before the time: everything below `low` is before it. */
async function firstAt(source: ChainSource, service: number, signer: Uint8Array, time_s: number): Promise<number> {
  let low = 0;
  let high: number | undefined;
  for (let step = 1; high === undefined || low < high; step *= 2) {
    const middle: number = high === undefined ? low + step - 1 : low + Math.floor((high - low) / 2);
    const found = await firstFrom(source, service, signer, middle);
    const isBefore = found !== undefined && (found.record === undefined || found.record.claims.time_s < time_s);
    if (isBefore) low = found.seq + 1;
    else high = middle;
  }
  return low;
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
