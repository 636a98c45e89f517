// Whose consent counts for a meter, day by day. An administrator states it, never for days that are over. What takes days from anybody,
// from him too whom it states, needs his confirmation, or that of a second administrator.

import type { Context, Operation } from "../../contracts/author.js";
import { breach } from "./breach.js";
import { type Days, joined, within, without } from "./days.js";
import { dayIn, isId, itemsIn, numberSet, type Row, rowAt, subjectsOf, textIn, todayOf } from "./kept.js";
import { cutToSubjects } from "./requests.js";
import {
  DAY_MAX,
  HORIZON_DAYS_DEFAULT,
  METERED_DATA_ADMINISTRATOR,
  PERMISSION_ADMINISTRATOR,
  SUBJECTS_MAX,
} from "./types.js";

interface Stated {
  readonly meter: string;
  readonly participant: string;
  readonly first: number;
  readonly end: number;
}

/** [meter, participant, first day, day behind the last / null] */
export function nameSubject(context: Context, asked: Operation): void {
  if (!isAdministrator(context, asked)) return context.deny("role");
  const [meter, participant, from, until] = itemsIn(asked.body, 4);
  const [first, end] = [dayIn(from), until === null ? DAY_MAX : dayIn(until)];
  if (!isId(meter) || !isId(participant) || first === undefined || end === undefined || end <= first) {
    return context.deny("malformed");
  }
  if (first < todayOf(context)) return context.deny("past");
  if (first > todayOf(context) + numberSet(context, "horizon_days", HORIZON_DAYS_DEFAULT)) {
    return context.deny("too-far");
  }
  const stated = { meter, participant, first, end };
  if (losersOf(context, stated).length === 0) return takeSubject(context, stated);
  const id = `${asked.participant}-${asked.seq}`;
  context.put(`change/${meter}`, { id, participant, first, end, by: asked.participant });
  context.effect("change", { id, meter, participant, from: first, until: end });
}

/** [meter, statement, whether it is right]: by who loses days by it, all of them, or by a second administrator. */
export function confirm(context: Context, asked: Operation): void {
  const [meter, statement, isRight] = itemsIn(asked.body, 3);
  const id = textIn(statement ?? null);
  const row = isId(meter) ? rowAt(context, `change/${meter}`) : undefined;
  if (!isId(meter) || row === undefined || row.id !== id || typeof isRight !== "boolean") {
    return context.deny("no-such-change");
  }
  const stated = {
    meter,
    participant: String(row.participant),
    first: Math.max(Number(row.first), todayOf(context)),
    end: Number(row.end),
  };
  const isSecond = asked.roles.includes(PERMISSION_ADMINISTRATOR) && asked.participant !== row.by;
  const losers = losersOf(context, stated);
  const isTheirs =
    losers.length === 0 ? asked.participant === stated.participant : losers.every((one) => one === asked.participant);
  if (!isSecond && !isTheirs) return breach(context, asked, "not-subject", { meter, statement: row.id } as Row);
  context.remove(`change/${meter}`);
  if (!isRight) return context.effect("change-refused", { id: row.id!, meter });
  if (stated.end <= stated.first) return context.deny("past");
  takeSubject(context, stated);
}

/** Whether he states subjects and groups. */
export function isAdministrator({ parameters }: Context, { roles, participant }: Operation): boolean {
  const { administrators } = parameters;
  if (typeof administrators === "string" && !administrators.split(",").includes(participant)) return false;
  return roles.includes(METERED_DATA_ADMINISTRATOR) || roles.includes(PERMISSION_ADMINISTRATOR);
}

/** Who would be the subject of fewer days by it: others from its first day on, and he himself behind its last one. */
function losersOf(context: Context, { meter, participant, first, end }: Stated): string[] {
  const taken = subjectsOf(context, meter).flatMap((days) => within(days, from(first)));
  const own = taken.filter(([, , subject]) => subject === participant);
  const lost = [...taken.filter((days) => !own.includes(days)), ...without(own, { from: first, until: end })];
  return lost.flatMap(([, , subject]) => (subject === null ? [] : [subject]));
}

function takeSubject(context: Context, { meter, participant, first, end }: Stated): void {
  const before = without(subjectsOf(context, meter), from(first));
  const after = joined([...before, [first, end, participant] satisfies Days]);
  if (after.length > SUBJECTS_MAX) return context.deny("too-many");
  context.put(
    `subject/${meter}`,
    after.map(([begin, behind, subject]) => [subject, begin, behind]),
  );
  context.effect("subject", [meter, participant, first, end]);
  cutToSubjects(context, meter);
}

function from(first: number) {
  return { from: first, until: Number.MAX_SAFE_INTEGER };
}
