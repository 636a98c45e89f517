// What the access contract's operations are called, and the bounds of what they state (PROTOCOL.md, sections 31 and 32).

export const TYPES = {
  subject: 64,
  need: 65,
  request: 66,
  consent: 67,
  objection: 68,
  withdrawal: 69,
  decision: 70,
  erasure: 71,
  confirmation: 72,
  group: 73,
  groupRequest: 74,
} as const;

export const DAY_S = 86_400;
/** Days from 1970 that a period may have: the end of what has none. */
export const DAY_MAX = 50_000_000;
/** Numbers of purposes, 1 to 12. */
export const PURPOSE_MAX = 12;
export const TEXT_MAX = 200;

/** What parameters begin with that name the nodes of a place. */
export const NODES = "nodes-";

export const PERMISSION_ADMINISTRATOR = 12;
export const METERED_DATA_ADMINISTRATOR = 13;

/** Rows of one meter: its subjects one behind the other. */
export const SUBJECTS_MAX = 64;
/** Requests of one meter that wait or are granted, and those of one who asks. */
export const REQUESTS_OF_METER_MAX = 100;
export const REQUESTS_OF_METER_AND_REQUESTER_MAX = 8;
/** Requests that one operation objects to: what it writes fits a run. */
export const OBJECTIONS_MAX = 20;
/** Requests of one who asks that have ended and are still shown. */
export const CLOSED_MAX = 100;
/** Runs of days of one meter that one subject may have erased; orders have no such bound. */
export const ERASURES_MAX = 64;
/** Runs of erased days that one value has: each takes 55 bytes at most. */
export const ERASURES_OF_KEY = 256;
/** Needs of one who asks, and days that anything may lie ahead, where the chain's parameters say nothing. */
export const NEEDS_DEFAULT = 20;
export const HORIZON_DAYS_DEFAULT = 366;
export const REQUESTS_DEFAULT = 100;
export const ANSWER_DAYS_DEFAULT = 14;
export const GRANT_DAYS_DEFAULT = 30;
/** Groups of a chain, and meters of one: all of them fit one run that looks for a meter in two. */
export const GROUPS_MAX = 32;
export const GROUP_METERS_MAX = 256;
/** Slots of a group's sums, and how long records of a slot may come, where the chain's parameters say nothing. */
export const GROUP_SLOT_S_DEFAULT = 900;
export const GROUP_LATENESS_S_DEFAULT = 86_400;
