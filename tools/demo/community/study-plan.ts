// The study that the demo's researcher asks for: the load curve of the community's homes over its first slots.

import { queryHash, type StudyFields, termsFrom } from "../../analytics/terms.js";
import { chains } from "../../market/messages.js";
import { SLOT_S } from "./contracts.js";

export const COHORT = "sun";
/** Purpose 7 is academic research. */
export const RESEARCH = { purpose: 7, kind: "load-curve" } as const;
/** Slots that are to be shared first. */
const SLOTS = 4;

export interface StudiedPeriod {
  readonly from_s: number;
  readonly to_s: number;
}

/** From the first slot whose shares are sealed to the newest; undefined where these are too few yet. */
export function studyPeriod(first_s: number, newest_s: number): StudiedPeriod | undefined {
  if (first_s === 0 || newest_s - first_s < (SLOTS - 1) * SLOT_S) return undefined;
  return { from_s: first_s, to_s: newest_s + SLOT_S };
}

/** What stands in the study's file. */
export function studyFields(members: readonly string[], { from_s, to_s }: StudiedPeriod): StudyFields {
  const time = (at_s: number) => new Date(1_000 * at_s).toISOString().replace(".000Z", "Z");
  return {
    ...{ kind: RESEARCH.kind, service: chains.trading, from: time(from_s), to: time(to_s), slot_s: SLOT_S, gap_s: 60 },
    ...{ cohort: COHORT, class: "residential", members, least: members.length },
  };
}

/** The hash of what is computed, whatever the period and the members are. */
export function queryOf(members: readonly string[]): string {
  return queryHash(termsFrom(studyFields(members, { from_s: 0, to_s: SLOT_S }), "the demo's study"));
}
