// Days of a meter of which nobody keeps what it confided: by its subject, where the chain's policy lets him, or by a permission
// administrator, who states the legal order. What stands here for ever is which days, and by whom.

import type { Context, Operation } from "../../contracts/author.js";
import { breach } from "./breach.js";
import { type Period, within } from "./days.js";
import { erasedRows, partyOf, putErased, withErased } from "./erased-rows.js";
import { dayIn, isId, itemsIn, subjectsOf, textIn, todayOf } from "./kept.js";
import { cutErased } from "./requests.js";
import { ERASURES_MAX, PERMISSION_ADMINISTRATOR } from "./types.js";

/** [meter, first day, day behind the last, reason]: the reason is text, the legal order where it is one. */
export function erase(context: Context, asked: Operation): void {
  const [meter, from, until, reason] = itemsIn(asked.body, 4);
  const [first, end, why] = [dayIn(from), dayIn(until), textIn(reason ?? null)];
  const isSound = isId(meter) && first !== undefined && end !== undefined && end > first && why !== undefined;
  if (!isSound) return context.deny("malformed");
  const told = { meter, from: first, until: end };
  const isSubject = isSubjectOf(context, asked.participant, meter, { from: first, until: end });
  const isOrdered = asked.roles.includes(PERMISSION_ADMINISTRATOR);
  if (isOrdered && !isSubject && why === "") return context.deny("no-reason");
  if (!isOrdered && !isSubject) {
    // Who is wrong about his own days, or about days that are nobody's, harms nobody.
    if (!isOfAnother(context, asked.participant, meter, told)) return context.deny("not-subject", told);
    return breach(context, asked, "not-subject", told);
  }
  if (!isOrdered && context.parameters.erasure !== "subject") return context.deny("not-for-the-subject");
  // Records of a day may still come while it is not over.
  if (end > todayOf(context)) return context.deny("not-over");
  const before = erasedRows(context, meter);
  const id = `${asked.participant}-${asked.seq}`;
  const after = withErased(before, { from: first, until: end }, id, context.time_s);
  // Whatever subjects have erased, an order is carried out.
  const [had, has] = [before, after].map((rows) => rows.filter((row) => partyOf(row[2]) === asked.participant).length);
  if (!isOrdered && has! > Math.max(had!, ERASURES_MAX)) return context.deny("too-many");
  putErased(context, meter, before, after);
  context.effect("erasure", { id, ...told, reason: why, ordered: !isSubject, by: asked.participant });
  cutErased(context, meter, { from: first, until: end });
}

/** Whether somebody else is the subject of any of these days. */
function isOfAnother(context: Context, participant: string, meter: string, period: Period): boolean {
  return subjectsOf(context, meter).some((run) => run[2] !== participant && within(run, period).length > 0);
}

/** Whether he is the subject of every one of these days. */
function isSubjectOf(context: Context, participant: string, meter: string, period: Period): boolean {
  const own = subjectsOf(context, meter).filter(([, , subject]) => subject === participant);
  const days = own.flatMap((run) => within(run, period)).reduce((sum, [first, end]) => sum + end - first, 0);
  return days === period.until - period.from;
}
