// Groups of meters that studies are of. Who states one says of which class its members are, and that no meter is in two of them: figures
// of two groups that differ by one home would tell that home. From its month on a group stays as it is until a later month begins.

import type { Context, Operation, Value } from "../../contracts/author.js";
import { groupKinds } from "../access/groups.js";
import { countStated, fieldsOf, granted, grantedTo, hexOf, nameOf, oneOf, wholeOf } from "../asked.js";
import { sha256OfText } from "../sha256.js";
import { COHORT_STATEMENTS_MAX, COHORTS_OF_ONE_MAX, type Cohort, runningRoles } from "./kinds.js";

/** Meters of a cohort. */
export const MEMBERS_MAX = 100_000;
const MONTHS_MAX = 100_000;

/** The digest of a group: SHA-256, hex, of `gs1/cohort/` and its meters' IDs, ascending, a comma between (PROTOCOL.md, section 4). */
export function cohortDigest(members: readonly string[]): string {
  return sha256OfText(`gs1/cohort/${members.join(",")}`);
}

/** The UTC month of a moment, counted from January 1970. */
export function monthOf(time_s: number): number {
  let [year, day] = [1_970, Math.floor(time_s / 86_400)];
  const daysOf = (each: number) => (isLeap(each) ? 366 : 365);
  const [cycles, cycleDays] = [Math.floor(day / 146_097), 146_097];
  year += 400 * cycles;
  day -= cycles * cycleDays;
  for (; day >= daysOf(year); year += 1) day -= daysOf(year);
  const months = [31, isLeap(year) ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
  let month = 0;
  for (; day >= months[month]!; month += 1) day -= months[month]!;
  return 12 * (year - 1_970) + month;
}

function isLeap(year: number): boolean {
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
}

/** `{ name, class, digest, size, from }`. Throws Denied, before anything is written. */
export function stateCohort(context: Context, asked: Operation): void {
  grantedTo(asked, runningRoles);
  const fields = fieldsOf(asked.body, ["name", "class", "digest", "size", "from"]);
  const name = nameOf(fields.name, "name");
  const cohort: Cohort = {
    from: wholeOf(fields.from, [0, MONTHS_MAX], "from"),
    class: oneOf(fields.class, groupKinds, "class"),
    digest: hexOf(fields.digest, 64, "digest"),
    size: wholeOf(fields.size, [1, MEMBERS_MAX], "size"),
    by: asked.participant,
  };
  const stated = cohortsAt(context, name);
  const newest = stated[stated.length - 1];
  const now = monthOf(context.time_s);
  granted(cohort.from <= now + 12, "too-far", "from");
  granted(newest === undefined || newest.by === asked.participant, "not-yours", name);
  granted(newest === undefined || (cohort.from > now && cohort.from > newest.from), "fixed", newest?.from ?? null);
  granted(stated.length < COHORT_STATEMENTS_MAX, "full", COHORT_STATEMENTS_MAX);
  countStated(context, asked.participant, { added: newest === undefined ? 1 : 0, most: COHORTS_OF_ONE_MAX });
  context.put(`cohort/${name}`, [...stated, cohort] as unknown as Value);
  context.effect("cohort", { name, ...cohort });
}

/** The group as it is throughout a period of UTC seconds. Throws Denied where there is none, or it changes within. */
export function cohortIn(context: Context, name: string, period: readonly [from_s: number, to_s: number]): Cohort {
  const stated = cohortsAt(context, name);
  granted(stated.length > 0, "unknown-cohort", name);
  const [first, last] = [monthOf(period[0]), monthOf(period[1] - 1)];
  const before = stated.filter(({ from }) => from <= first);
  const cohort = before[before.length - 1];
  granted(cohort !== undefined, "before-cohort", name);
  granted(!stated.some(({ from }) => from > first && from <= last), "cohort-changes", name);
  return cohort;
}

function cohortsAt(context: Context, name: string): readonly Cohort[] {
  return (context.get(`cohort/${name}`) ?? []) as unknown as readonly Cohort[];
}
