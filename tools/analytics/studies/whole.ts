// Arithmetic that studies share: whole numbers alone, cut off towards 0, so that every machine and version comes to the same.

import type { MeterSeries, Series } from "../series.js";

/** Energies of a slot's members together; null where one of them is unknown. */
export type Totals = readonly (bigint | null)[];

/** What the members take less what they give, a place a slot; null where one of them is unknown. */
export function netTotals(members: readonly MeterSeries[], count: number): Totals {
  return totalsOf(members, count, ({ taken, given }, at) => differenceOf(taken[at]!, given[at]!));
}

/** What the members take, a place a slot; null where one of them is unknown. */
export function takenTotals(members: readonly MeterSeries[], count: number): Totals {
  return totalsOf(members, count, ({ taken }, at) => taken[at]!);
}

function totalsOf(
  members: readonly MeterSeries[],
  count: number,
  energyOf: (member: MeterSeries, at: number) => number | null,
): Totals {
  return Array.from({ length: count }, (_, at) => {
    let sum = 0n;
    for (const member of members) {
      const energy = energyOf(member, at);
      if (energy === null) return null;
      sum += BigInt(energy);
    }
    return members.length === 0 ? null : sum;
  });
}

function differenceOf(one: number | null, other: number | null): number | null {
  return one === null || other === null ? null : one - other;
}

/** mW of an energy in mWh over so many seconds. */
export function power_mW(energy_mWh: bigint, seconds: number): bigint {
  return (energy_mWh * 3_600n) / BigInt(seconds);
}

export function sumOf(energies: Iterable<number | bigint | null>): bigint {
  let sum = 0n;
  for (const energy of energies) if (energy !== null) sum += BigInt(energy);
  return sum;
}

/** The middle one, of an even count the mean of the two in the middle; of none 0. */
export function medianOf(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((one, other) => one - other);
  const half = sorted.length >> 1;
  if (sorted.length === 0) return 0;
  return sorted.length % 2 === 1 ? sorted[half]! : Math.trunc((sorted[half - 1]! + sorted[half]!) / 2);
}

export function startOf({ from_s, slot_s }: Series, at: number): number {
  return from_s + at * slot_s;
}

/** UTC day of a slot, as days since 1970. */
export function dayAt(series: Series, at: number): number {
  return Math.floor(startOf(series, at) / DAY_S);
}

export const DAY_S = 86_400;
