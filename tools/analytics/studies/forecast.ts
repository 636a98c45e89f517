// Forecasts of the group's load, scored against the naive one (Hyndman and Koehler 2006): the same slot a day before.

import { type Study, seriesOfMembers } from "./study-input.js";
import { DAY_S, type Totals, takenTotals } from "./whole.js";

const WEEKS = 4;

type Method = (totals: Totals, at: number, perDay: number) => bigint | null;

const dayBefore: Method = (totals, at, perDay) => totals[at - perDay] ?? null;

/** The mean of the same slot of up to four weeks before, of which one at least is known. */
const weeksBefore: Method = (totals, at, perDay) => {
  let [sum, known] = [0n, 0n];
  for (let week = 1; week <= WEEKS; week += 1) {
    const total = totals[at - 7 * week * perDay];
    if (total === undefined || total === null) continue;
    sum += total;
    known += 1n;
  }
  return known === 0n ? null : sum / known;
};

export const forecast: Study = (input) => {
  const { series } = input;
  const totals = takenTotals(seriesOfMembers(input), series.count);
  const perDay = DAY_S / series.slot_s;
  const scored = { slots: 0, load: 0n, naive: 0n, weeks: 0n };
  for (const [at, total] of totals.entries()) {
    const [naive, weeks] = [dayBefore(totals, at, perDay), weeksBefore(totals, at, perDay)];
    if (total === null || naive === null || weeks === null) continue;
    scored.slots += 1;
    scored.load += total;
    scored.naive += distance(total, naive);
    scored.weeks += distance(total, weeks);
  }
  const { slots, load, naive, weeks } = scored;
  return {
    ...{ slots: series.count, whole_slots: totals.filter((total) => total !== null).length, scored_slots: slots },
    load_mWh: load,
    ...{ naive_error_mWh: naive, weeks_error_mWh: weeks },
    // Mean absolute scaled error in per mille: below 1,000 the mean of four weeks is better than the day before.
    weeks_mase_permille: naive === 0n ? null : (1_000n * weeks) / naive,
  };
};

function distance(one: bigint, other: bigint): bigint {
  return one < other ? other - one : one - other;
}
