// Energies of slots by meter, out of an export's rows: by the same arithmetic as the settlement (tools/ledger/slot-energy.ts), so that a
// study and a bill speak of the same figures.

import { parseObis } from "../../src/meter/obis.js";
import type { Register } from "../../src/wire/record.js";
import { GridsealError } from "../errors.js";
import { counterOf, EXPORTED, IMPORTED, isClockSet } from "../ledger/settlement/counters-read.js";
import { type CounterReading, SLOTS_MAX, type SlotQuality, slotEnergies, thinned } from "../ledger/slot-energy.js";
import type { Row } from "./columns.js";
import type { Period } from "./read.js";

export interface SeriesPlan extends Period {
  readonly slot_s: number;
  readonly gapMax_s: number;
}

/** Readings that are held at a time, of all meters: 20 meters' year of quarter hours, or 1,000 meters' week. */
export const READINGS_MAX = 2_000_000;
/** Slots of all meters. */
export const CELLS_MAX = 4_000_000;
/** What a slot of a meter may have: more is no energy of a meter, and a day of it would not be a whole number that is exact. */
const SLOT_MWH_MAX = 10n ** 11n;

/** Of one meter, a place a slot: mWh, null where unknown. */
export interface MeterSeries {
  readonly taken: readonly (number | null)[];
  readonly given: readonly (number | null)[];
  readonly quality: readonly SlotQuality[];
}

export interface Series extends SeriesPlan {
  /** how many slots */
  readonly count: number;
  /** by meter id, ascending; those with a reading of either counter */
  readonly meters: ReadonlyMap<string, MeterSeries>;
}

interface Counters {
  readonly taken: CounterReading[];
  readonly given: CounterReading[];
}

/** Slots before and behind the period whose readings its first and last slots may rest on. */
export function readingPeriod({ from_s, to_s, gapMax_s }: SeriesPlan): Period {
  return { from_s: Math.max(0, from_s - gapMax_s), to_s: to_s + gapMax_s + 1 };
}

/** Of the meters for which `isWanted`. Rejects with USAGE where there is too much, or the period is no whole number of slots. */
export async function seriesOf(
  rows: AsyncIterable<Row>,
  plan: SeriesPlan,
  isWanted: (meter: string) => boolean,
): Promise<Series> {
  const { from_s, to_s, slot_s } = plan;
  if (from_s % slot_s !== 0 || to_s % slot_s !== 0 || to_s <= from_s) {
    throw new GridsealError(
      "USAGE",
      `the period must begin and end at multiples of ${slot_s} s in UTC, and not be empty`,
    );
  }
  const count = (to_s - from_s) / slot_s;
  if (count > SLOTS_MAX) {
    throw new GridsealError(
      "USAGE",
      `these are ${count} slots: at most ${SLOTS_MAX} are studied at once; shorten the period`,
    );
  }
  const counters = await countersOf(rows, plan, isWanted);
  if (count * counters.size > CELLS_MAX) {
    throw new GridsealError(
      "USAGE",
      `these are ${count} slots of ${counters.size} meters: at most ${CELLS_MAX} are studied at once; shorten the period`,
    );
  }
  const plannedSlots = { slot_s, gapMax_s: plan.gapMax_s, start_s: from_s, end_s: to_s };
  const meters = new Map<string, MeterSeries>();
  for (const meter of [...counters.keys()].sort()) {
    const { taken, given } = counters.get(meter)!;
    const took = slotEnergies(taken, plannedSlots);
    const gave = given.length === 0 ? undefined : slotEnergies(given, plannedSlots);
    meters.set(meter, {
      taken: took.map(({ energy }) => numberOf(energy)),
      // Who has no counter of what is given gives nothing.
      given: gave === undefined ? took.map(() => 0) : gave.map(({ energy }) => numberOf(energy)),
      quality: took.map(({ quality, energy }) => (numberOf(energy) === null ? 3 : quality)),
    });
  }
  return { ...plan, count, meters };
}

function numberOf(energy: bigint | null): number | null {
  return energy === null || energy > SLOT_MWH_MAX ? null : Number(energy);
}

async function countersOf(
  rows: AsyncIterable<Row>,
  { slot_s, ...plan }: SeriesPlan,
  isWanted: (meter: string) => boolean,
): Promise<ReadonlyMap<string, Counters>> {
  const counters = new Map<string, Counters>();
  const period = readingPeriod({ slot_s, ...plan });
  let held = 0;
  let record: Row[] = [];
  const close = () => {
    const [first] = record;
    if (first === undefined || !isClockSet(first.quality)) return;
    if (first.time_s < period.from_s || first.time_s >= period.to_s) return;
    const registers = record.flatMap(registerOf);
    // A league of data quality counts by what was read, not by what it says of itself.
    const at = { time_s: first.time_s, seq: first.number, doubts: 0 };
    const [taken, given] = [counterOf(registers, IMPORTED, at), counterOf(registers, EXPORTED, at)];
    if (taken === undefined && given === undefined) return;
    const own = counters.get(first.meter) ?? { taken: [], given: [] };
    counters.set(first.meter, own);
    if (taken !== undefined) held += add(own.taken, taken, slot_s);
    if (given !== undefined) held += add(own.given, given, slot_s);
    if (held > READINGS_MAX) {
      throw new GridsealError("USAGE", `these are more than ${READINGS_MAX} readings: shorten the period`);
    }
  };
  for await (const row of rows) {
    if (!isWanted(row.meter)) continue;
    if (record.length > 0 && record[0]!.record !== row.record) {
      close();
      record = [];
    }
    record.push(row);
  }
  close();
  return counters;
}

/** Of a slot no more than two readings count: what is beyond goes now and then. The count of readings that are more than before. */
function add(readings: CounterReading[], reading: CounterReading, slot_s: number): number {
  const before = readings.length;
  readings.push(reading);
  const { length } = readings;
  // At each power of two from 1,024 on, so that it costs little.
  if (length >= 1_024 && (length & (length - 1)) === 0) readings.splice(0, length, ...thinned(readings, slot_s));
  return readings.length - before;
}

function registerOf({ obis, value, scaler, unit_code, age_s }: Row): Register[] {
  if (obis === null || value === null || scaler === null || unit_code === null) return [];
  const plain = { obis: parseObis(obis), value, scaler, unit: unit_code };
  return [age_s === null ? plain : { ...plain, age: age_s }];
}
