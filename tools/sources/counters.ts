// Counters of energy as sealed records show them: what slot energies are computed from.

import { formatObis, sameObis } from "../../src/meter/obis.js";
import { decodeBlockViews } from "../../src/wire/block.js";
import { toHex } from "../../src/wire/bytes.js";
import { hasOperation } from "../../src/wire/operation.js";
import { type Claims, type Record as MeterRecord, parseRecord } from "../../src/wire/record.js";
import { GridsealError, reasonOf } from "../errors.js";
import {
  counterOf,
  doubtsOf,
  EXPORTED,
  IMPORTED,
  isClockSet,
  milliwattHours,
} from "../ledger/settlement/counters-read.js";
import type { CounterReading } from "../ledger/slot-energy.js";
import type { ChainSource } from "./source.js";

/** One register; or what the settlement reads: the register of all tariffs, or the sum of each tariff's where it is not shown. */
export type CounterNamed = Uint8Array | "imported" | "exported";

/** A counter of a meter, and where its readings are put. */
export interface CounterWanted {
  /** the meter's id as hex */
  readonly meter: string;
  readonly counter: CounterNamed;
  readonly readings: CounterReading[];
}

/** Held at a time, of all meters: thirty years of a meter's quarters of an hour, or a year of thirty meters'. */
export const READINGS_MAX = 1_000_000;

/** Gives each wanted counter its readings on the chain, in mWh. Rejects with CHAIN_INVALID where a block cannot be read. */
export async function fillCounters(
  source: ChainSource,
  service: number,
  wanted: readonly CounterWanted[],
): Promise<void> {
  const byMeter = new Map<string, CounterWanted[]>();
  for (const each of wanted) byMeter.set(each.meter, [...(byMeter.get(each.meter) ?? []), each]);
  let held = 0;
  for await (const bytes of source.blocks(service, 1)) {
    for (const { kid, claims } of recordsOf(bytes, source.origin)) {
      for (const { counter, readings } of byMeter.get(toHex(kid)) ?? []) {
        const reading = readingOf(claims, counter);
        if (reading === undefined) continue;
        held += 1;
        if (held > READINGS_MAX) throw new GridsealError("USAGE", `these are more than ${READINGS_MAX} readings`);
        readings.push(reading);
      }
    }
  }
}

/** The counter as people name it. */
export function counterText(counter: CounterNamed): string {
  if (typeof counter !== "string") return formatObis(counter);
  return `1-0:${groupOf(counter)}.8.0*255 or its tariffs`;
}

function readingOf(claims: Claims, named: CounterNamed): CounterReading | undefined {
  const { registers = [], time_s, seq, quality, errors, digests } = claims;
  const doubts = doubtsOf(errors, digests !== undefined);
  if (typeof named === "string") {
    return isClockSet(quality) ? counterOf(registers, groupOf(named), { time_s, seq, doubts }) : undefined;
  }
  const register = registers.find((each) => sameObis(each.obis, named));
  const counter = register && milliwattHours(register);
  return counter === undefined ? undefined : { time_s: time_s - (register?.age ?? 0), counter, seq, doubts };
}

function groupOf(named: "imported" | "exported"): number {
  return named === "imported" ? IMPORTED : EXPORTED;
}

function recordsOf(bytes: Uint8Array, origin: string): readonly MeterRecord[] {
  try {
    const records = decodeBlockViews(bytes).batches.flatMap((batch) => batch.records);
    return records.filter((record) => !hasOperation(record)).map(parseRecord);
  } catch (cause) {
    throw new GridsealError("CHAIN_INVALID", `${origin} cannot be read: ${reasonOf(cause)}`, { cause });
  }
}
