// What a study computes from, and what it comes to.

import type { Value } from "../../../src/wire/value.js";
import type { MeterSeries, Series } from "../series.js";

export interface StudyInput {
  readonly series: Series;
  /** ids of the group's members that have data, ascending; each has its series */
  readonly members: readonly string[];
  /** how many of the group have none */
  readonly silent: number;
  /** the meter of a feeder, where the study is of one */
  readonly feeder: MeterSeries | undefined;
  /** figures may tell of single members; else of groups of at least so many */
  readonly audience: "aggregate" | "members";
  readonly least: number;
  /** of day shapes */
  readonly clusters: number;
}

/** Whole numbers, text and lists of them by names. Throws USAGE where the input does not fit. */
export type Study = (input: StudyInput) => { readonly [name: string]: Value };

export function seriesOfMembers({ series, members }: StudyInput): readonly MeterSeries[] {
  return members.map((meter) => series.meters.get(meter)!);
}
