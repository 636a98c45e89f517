// Anomalies: slots in which a member takes far more or less than at this time of the days before. The measure is robust: medians, and the
// median of deviations (Hampel's identifier), so that what is odd does not hide itself.

import type { MeterSeries, Series } from "../series.js";
import type { Study } from "./study-input.js";
import { DAY_S, dayAt, medianOf, startOf } from "./whole.js";

/** Days before that are looked at, and of how many a slot must be known. */
const DAYS_BEFORE = 7;
const KNOWN_MIN = 3;
/** A slot is odd beyond six times the spread; 1.4826 makes the median of deviations a standard deviation of normal noise. */
const [SPREADS, SCALE_1E4] = [6n, 14_826n];
/** mWh: a smaller spread is noise of the counter's last digit. */
const SPREAD_MIN = 1_000;
/** Of single members' slots that are listed. */
const LISTED_MAX = 1_000;

interface Odd {
  readonly meter: string;
  readonly at: number;
  readonly energy: number;
  readonly usual: number;
}

export const anomalies: Study = ({ series, members, audience }) => {
  const odd: Odd[] = [];
  let judged = 0;
  for (const meter of members) {
    const found = oddSlots(series, series.meters.get(meter)!);
    judged += found.judged;
    odd.push(...found.odd.map((each) => ({ meter, ...each })));
  }
  const days = new Map<number, { slots: number; readonly members: Set<string> }>();
  for (const { meter, at } of odd) {
    const day = days.get(dayAt(series, at)) ?? { slots: 0, members: new Set<string>() };
    day.slots += 1;
    day.members.add(meter);
    days.set(dayAt(series, at), day);
  }
  const byDay = [...days].sort(([one], [other]) => one - other);
  const figures = {
    judged_slots: judged,
    odd_slots: odd.length,
    odd_members: new Set(odd.map(({ meter }) => meter)).size,
    // By UTC day since 1970: odd slots, members that have one.
    days: byDay.map(([day, { slots, members: own }]) => [day, slots, own.size]),
  };
  if (audience === "aggregate") return figures;
  const listed = odd.slice(0, LISTED_MAX).map(({ meter, at, energy, usual }) => {
    return [meter, startOf(series, at), energy, usual];
  });
  return { ...figures, listed };
};

function oddSlots(series: Series, { taken }: MeterSeries) {
  const perDay = DAY_S / series.slot_s;
  const usual = taken.map((_, at) => {
    const before: number[] = [];
    for (let day = 1; day <= DAYS_BEFORE; day += 1) {
      const energy = taken[at - day * perDay];
      if (energy !== undefined && energy !== null) before.push(energy);
    }
    return before.length < KNOWN_MIN ? null : medianOf(before);
  });
  const isJudged = (at: number) => taken[at] !== null && usual[at] !== null;
  const judged = taken.flatMap((_, at) => (isJudged(at) ? [at] : []));
  const deviation = (at: number) => Math.abs(taken[at]! - usual[at]!);
  const spread = BigInt(Math.max(SPREAD_MIN, medianOf(judged.map(deviation))));
  const limit = SPREADS * spread * SCALE_1E4;
  const odd = judged.filter((at) => BigInt(deviation(at)) * 10_000n > limit);
  return { judged: judged.length, odd: odd.map((at) => ({ at, energy: taken[at]!, usual: usual[at]! })) };
}
