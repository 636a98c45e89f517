// Types of the operations that the mining contract takes (PROTOCOL.md, section 4), roles of section 5 that may ask, and what it keeps.

import type { GroupKind } from "../access/groups.js";

export const operationTypes = { cohort: 1024, ask: 1025, result: 1026, check: 1027 } as const;

/** Who states cohorts, runs studies for others, and checks them: grid operator, regulator, metered data administrator. */
export const runningRoles: readonly number[] = [5, 10, 13];

/** Of one kind are all meters of a cohort. */
export type CohortClass = GroupKind;

/** What is computed; `sql` is a query of the requester's own. */
export const studyKinds = [
  "load-curve",
  "day-shapes",
  "feeder-loss",
  "anomalies",
  "forecast",
  "quality",
  "sql",
] as const;
export type StudyKind = (typeof studyKinds)[number];

/** What third parties may ask for: a feeder's figures are those of one meter, and which meter it is no chain can see. */
export const askedKinds = studyKinds.filter(
  (kind): kind is Exclude<StudyKind, "feeder-loss"> => kind !== "feeder-loss",
);

/** What a group is, from a month on: its meters stand as a digest. Months count from January 1970. */
export interface Cohort {
  readonly from: number;
  readonly class: CohortClass;
  /** SHA-256 of its members in hex (PROTOCOL.md, section 4) */
  readonly digest: string;
  readonly size: number;
  readonly by: string;
}

export const studyStates = ["asked", "sealed", "withheld", "disputed", "lapsed"] as const;

/** A study as it stands. */
export interface Study {
  readonly state: (typeof studyStates)[number];
  readonly requester: string;
  readonly purpose: number;
  readonly kind: StudyKind;
  readonly cohort: string;
  readonly class: CohortClass;
  readonly digest: string;
  readonly size: number;
  /** whose chain is studied, and the UTC seconds of the first slot and of the end of the last */
  readonly service: number;
  readonly from_s: number;
  readonly to_s: number;
  /** least members that any of its figures is of */
  readonly least: number;
  /** SHA-256 of what is computed, in hex */
  readonly query: string;
  readonly cost: number;
  readonly result: Result | null;
  readonly checks: readonly Check[];
}

/** What has come out, and of what. */
export interface Result {
  readonly by: string;
  readonly height: number;
  /** up to which block the chain was read, and that block's header hash in hex */
  readonly to: number;
  readonly header: string;
  readonly engine: string;
  /** members with data, and the largest one's part of the energy */
  readonly group: number;
  readonly largest_permille: number;
  /** SHA-256 of the result, in hex */
  readonly result: string;
}

export type Check = readonly [by: string, isSame: boolean, height: number];

/** Operations that state cohorts, by one participant, and statements of one cohort. */
export const COHORTS_OF_ONE_MAX = 100;
export const COHORT_STATEMENTS_MAX = 60;
/** Studies of one requester that are kept, and that wait. */
export const STUDIES_KEPT_MAX = 100;
export const WAITING_MAX = 16;
/** Checks of one study. */
export const CHECKS_MAX = 16;
