// Day shapes: each member's day as the parts of its energy by hour, gathered into clusters of similar ones (k-means, Lloyd 1982). It begins
// with the day nearest to the mean, then the farthest from all before (Gonzalez 1985), and has no chance in it.

import { GridsealError } from "../../errors.js";
import type { Series } from "../series.js";
import type { Study } from "./study-input.js";
import { DAY_S } from "./whole.js";

const HOUR_S = 3_600;
const HOURS = 24;
/** Parts of a day's energy are counted in these. */
const WHOLE = 100_000;
const TURNS_MAX = 100;
const DAYS_MAX = 100_000;

interface Day {
  readonly meter: string;
  /** by hour, of `WHOLE` */
  readonly shape: readonly number[];
}

interface Cluster {
  readonly days: number;
  readonly members: number;
  readonly shape: readonly number[];
}

export const dayShapes: Study = ({ series, members, audience, least, clusters: wanted }) => {
  if (series.slot_s > HOUR_S || HOUR_S % series.slot_s !== 0) {
    throw new GridsealError("USAGE", `day-shapes needs slots that divide an hour, not ${series.slot_s} s`);
  }
  const days = members.flatMap((meter) => daysOf(series, meter));
  if (days.length > DAYS_MAX) {
    throw new GridsealError(
      "USAGE",
      `these are ${days.length} days: at most ${DAYS_MAX} are gathered; shorten the period`,
    );
  }
  const clusters = clustersOf(days, wanted);
  const shown = audience === "members" ? clusters : clusters.filter((cluster) => cluster.members >= least);
  const hidden = clusters.filter((cluster) => !shown.includes(cluster));
  return {
    days: days.length,
    // Days, members, parts of the day's energy by hour of UTC in 10^-5.
    clusters: shown.map((cluster) => [cluster.days, cluster.members, cluster.shape]),
    // Of clusters with too few members to be shown.
    hidden_days: hidden.reduce((sum, cluster) => sum + cluster.days, 0),
  };
};

/** The whole UTC days on which the member took anything, all slots of which are known. */
function daysOf(series: Series, meter: string): Day[] {
  const { taken } = series.meters.get(meter)!;
  const perDay = DAY_S / series.slot_s;
  const perHour = HOUR_S / series.slot_s;
  const first = (Math.ceil(series.from_s / DAY_S) * DAY_S - series.from_s) / series.slot_s;
  const days: Day[] = [];
  for (let at = first; at + perDay <= series.count; at += perDay) {
    const slots = taken.slice(at, at + perDay);
    if (slots.includes(null)) continue;
    const hours = Array.from({ length: HOURS }, (_, hour) => {
      return slots.slice(hour * perHour, (hour + 1) * perHour).reduce<number>((sum, energy) => sum + energy!, 0);
    });
    const energy = hours.reduce((sum, each) => sum + each, 0);
    if (energy === 0) continue;
    days.push({ meter, shape: hours.map((each) => Number((BigInt(each) * BigInt(WHOLE)) / BigInt(energy))) });
  }
  return days;
}

function clustersOf(days: readonly Day[], wanted: number): readonly Cluster[] {
  if (days.length === 0) return [];
  let centres = firstCentres(days, wanted);
  let places: readonly number[] = [];
  for (let turn = 0; turn < TURNS_MAX; turn += 1) {
    const next = days.map(({ shape }) => nearest(centres, shape));
    const isSame = turn > 0 && next.every((place, at) => place === places[at]);
    places = next;
    if (isSame) break;
    centres = centres.map((centre, place) => meanOf(days.filter((_, at) => places[at] === place)) ?? centre);
  }
  const clusters = centres.map((shape, place) => {
    const own = days.filter((_, at) => places[at] === place);
    return { days: own.length, members: new Set(own.map(({ meter }) => meter)).size, shape };
  });
  return clusters.filter(({ days: count }) => count > 0).sort(biggerFirst);
}

function biggerFirst(one: Cluster, other: Cluster): number {
  if (one.days !== other.days) return other.days - one.days;
  for (const [hour, part] of one.shape.entries()) if (part !== other.shape[hour]) return part - other.shape[hour]!;
  return 0;
}

function firstCentres(days: readonly Day[], wanted: number): (readonly number[])[] {
  const mean = meanOf(days)!;
  let chosen = leastAt(days.map(({ shape }) => distance(shape, mean)));
  const centres: (readonly number[])[] = [days[chosen]!.shape];
  const apart = days.map(({ shape }) => distance(shape, centres[0]!));
  while (centres.length < wanted) {
    chosen = leastAt(apart.map((each) => -each));
    if (apart[chosen] === 0) break;
    const centre = days[chosen]!.shape;
    centres.push(centre);
    for (const [at, { shape }] of days.entries()) apart[at] = Math.min(apart[at]!, distance(shape, centre));
  }
  return centres;
}

/** Of equals the first. */
function leastAt(numbers: readonly number[]): number {
  let found = 0;
  for (const [at, number] of numbers.entries()) if (number < numbers[found]!) found = at;
  return found;
}

function nearest(centres: readonly (readonly number[])[], shape: readonly number[]): number {
  return leastAt(centres.map((centre) => distance(centre, shape)));
}

/** Squared: below 24 times 10^10, which is exact. */
function distance(one: readonly number[], other: readonly number[]): number {
  let sum = 0;
  for (let hour = 0; hour < HOURS; hour += 1) sum += (one[hour]! - other[hour]!) * (one[hour]! - other[hour]!);
  return sum;
}

function meanOf(days: readonly Day[]): readonly number[] | undefined {
  if (days.length === 0) return undefined;
  return Array.from({ length: HOURS }, (_, hour) => {
    return Math.floor(days.reduce((sum, { shape }) => sum + shape[hour]!, 0) / days.length);
  });
}
