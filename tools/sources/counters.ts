// Counters of energy as sealed records show them: what slot energies are computed from.

import { sameObis } from "../../src/meter/obis.js";
import { decodeBlockViews } from "../../src/wire/block.js";
import { toHex } from "../../src/wire/bytes.js";
import { hasOperation } from "../../src/wire/operation.js";
import { type Record as MeterRecord, parseRecord } from "../../src/wire/record.js";
import { GridsealError, reasonOf } from "../errors.js";
import { milliwattHours } from "../ledger/settlement/counters-read.js";
import type { CounterReading } from "../ledger/slot-energy.js";
import type { ChainSource } from "./source.js";

/** A counter of a meter, and where its readings are put. */
export interface CounterWanted {
  /** the meter's id as hex */
  readonly meter: string;
  readonly obis: Uint8Array;
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
      for (const { obis, readings } of byMeter.get(toHex(kid)) ?? []) {
        const register = claims.registers?.find((each) => sameObis(each.obis, obis));
        const counter = register && milliwattHours(register);
        if (counter === undefined) continue;
        held += 1;
        if (held > READINGS_MAX) throw new GridsealError("USAGE", `these are more than ${READINGS_MAX} readings`);
        readings.push({ time_s: claims.time_s - (register?.age ?? 0), counter, seq: claims.seq });
      }
    }
  }
}

function recordsOf(bytes: Uint8Array, origin: string): readonly MeterRecord[] {
  try {
    const records = decodeBlockViews(bytes).batches.flatMap((batch) => batch.records);
    return records.filter((record) => !hasOperation(record)).map(parseRecord);
  } catch (cause) {
    throw new GridsealError("CHAIN_INVALID", `${origin} cannot be read: ${reasonOf(cause)}`, { cause });
  }
}
