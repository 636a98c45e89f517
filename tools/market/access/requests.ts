// Requests for what a meter confides: asked within a rule, answered by subjects or administrators, granted day by day, ended.

import { lowOrderPoints } from "../../../src/wire/low-order.js";
import type { Context, Operation, Value } from "../../contracts/author.js";
import { breach } from "./breach.js";
import { type Days, joined, type Period, within, without } from "./days.js";
import { erasedRows, notErased } from "./erased-rows.js";
import { endOfGrant, grantGroup, ofWhat } from "./group-grants.js";
import {
  count,
  countAt,
  dayIn,
  daysIn,
  isHex,
  isId,
  itemsIn,
  listAt,
  numberSet,
  putList,
  type Row,
  rowAt,
  subjectsOf,
  textIn,
  todayOf,
} from "./kept.js";
import { needNamed } from "./needs.js";
import { judge } from "./policy.js";
import {
  ANSWER_DAYS_DEFAULT,
  CLOSED_MAX,
  DAY_S,
  HORIZON_DAYS_DEFAULT,
  OBJECTIONS_MAX,
  PERMISSION_ADMINISTRATOR,
  REQUESTS_OF_METER_AND_REQUESTER_MAX,
  REQUESTS_OF_METER_MAX,
} from "./types.js";

/** [need, meter, first day, day behind the last, X25519 key as hex]: what is to be delivered to whom. */
export function request(context: Context, asked: Operation): void {
  const { participant, issued_id, seq, time_s } = asked;
  const [need, meter, from, until, key] = itemsIn(asked.body, 5);
  const [first, end] = [dayIn(from), dayIn(until)];
  const isSound = isId(meter) && isDeliveryKey(key) && first !== undefined && end !== undefined && end > first;
  if (!isSound) return context.deny("malformed");
  const stated = needNamed(context, need);
  if (stated === undefined) return context.deny("unknown-need");
  const { purpose, most } = stated;
  const told = { need: need!, meter, purpose, from: first, until: end };
  const verdict = judge(context, asked, { purpose, days: end - first, most }, "rule");
  if (verdict.type === "breach") return breach(context, asked, verdict.rule, { ...told, ...verdict.by });
  if (end > todayOf(context) + numberSet(context, "horizon_days", HORIZON_DAYS_DEFAULT)) {
    return context.deny("too-far");
  }
  if (!makeRoom(context, meter, issued_id)) return context.deny("too-many");
  const { basis } = verdict;
  const id = `${participant}-${seq}`;
  const asking = { requester: participant, issued_id, key: key!, basis };
  const row = { ...told, ...asking, state: "sent", time_s, days: [], consented: [] };
  context.put(`request/${id}`, row);
  context.put(`of/${meter}`, [...listAt(context, `of/${meter}`), id]);
  count(context, `of/${meter}/${issued_id}`, 1);
  count(context, `open/${issued_id}`, 1);
  context.effect("request", { id, ...told, requester: participant, basis, state: "sent" });
  if (basis === "law") return grant(context, id, row, [[first, end, null]]);
  awaitAnswer(context, id);
}

/** Of a request that waits: it ends without an answer in time. */
export function awaitAnswer(context: Context, id: string): void {
  const answer_days = numberSet(context, "answer_days", ANSWER_DAYS_DEFAULT);
  context.put(`due/answer/${id}`, [context.time_s + answer_days * DAY_S, id]);
}

/**
 * Whether one who asks, by all of its keys, may have another request of the meter. Where it has all it may, the oldest goes that waits of who has most of
 * them, if he has more than the other one comes to: a few together press nobody out.
 */
function makeRoom(context: Context, meter: string, issued_id: string): boolean {
  const own = countAt(context, `of/${meter}/${issued_id}`);
  if (own >= REQUESTS_OF_METER_AND_REQUESTER_MAX) return false;
  const others = listAt(context, `of/${meter}`).map(String);
  if (others.length < REQUESTS_OF_METER_MAX) return true;
  const waiting = others.flatMap((id) => {
    const row = rowAt(context, `request/${id}`);
    const count = countAt(context, `of/${meter}/${row?.issued_id}`);
    return row?.state === "sent" && count > own + 1 ? [{ id, row, count }] : [];
  });
  const most = waiting.reduce((found, { count }) => Math.max(found, count), 0);
  const oldest = waiting.find(({ count }) => count === most);
  if (oldest === undefined) return false;
  close(context, oldest.id, oldest.row, "unfulfillable");
  return true;
}

/** The subject's consent: [request]. It opens the days whose subject he is. */
export function consent(context: Context, asked: Operation): void {
  const { id, row } = named(context, asked);
  if (row === undefined || (row.state !== "sent" && row.state !== "accepted")) return context.deny("no-open-request");
  if (row.group !== undefined) return context.deny("not-for-the-subject");
  const own = ownDays(context, asked.participant, row);
  if (own.length === 0) return breach(context, asked, "not-subject", { request: id });
  if (row.basis !== "consent") return context.deny("not-for-the-subject");
  const known = daysIn(row.days);
  const added = known.reduce((left, [from, until]) => without(left, { from, until }), own);
  if (added.length === 0) return context.deny("no-open-request");
  const consented = [...new Set([...(row.consented as readonly Value[]), asked.participant])];
  grant(context, id, { ...row, consented }, [...known, ...added]);
}

/** The subject's objection, before anything is granted: [+ request]. That of the subject of any of its days ends each, or none. */
export function object(context: Context, asked: Operation): void {
  const names = Array.isArray(asked.body) ? new Set(asked.body as readonly Value[]) : new Set<Value>();
  if (names.size > OBJECTIONS_MAX) return context.deny("too-many");
  const rows: { readonly id: string; readonly row: Row }[] = [];
  for (const name of names) {
    const id = textIn(name) ?? "";
    const row = rowAt(context, `request/${id}`);
    if (row === undefined || row.state !== "sent") return context.deny("no-open-request");
    if (row.group !== undefined) return context.deny("not-for-the-subject");
    if (ownDays(context, asked.participant, row).length === 0) {
      return breach(context, asked, "not-subject", { request: id });
    }
    rows.push({ id, row });
  }
  if (rows.length === 0) return context.deny("no-open-request");
  for (const { id, row } of rows) close(context, id, row, "rejected");
}

/** The permission administrator's: [request, whether it is granted]. */
export function decide(context: Context, asked: Operation): void {
  const [, isGranted] = itemsIn(asked.body, 2);
  const { id, row } = named(context, asked);
  if (!asked.roles.includes(PERMISSION_ADMINISTRATOR)) return breach(context, asked, "role", { request: id });
  if (row === undefined || row.state !== "sent") return context.deny("no-open-request");
  if (row.basis !== "decision") return context.deny("not-for-the-administrator");
  if (isGranted === true && row.group !== undefined) grantGroup(context, id, row);
  else if (isGranted === true) grant(context, id, row, [[Number(row.from), Number(row.until), null]]);
  else close(context, id, row, "rejected");
}

/**
 * By who has asked, with any of its keys, or by the subject of some of its days: [request]. From this height on nothing is delivered of the days of who
 * withdraws. What the law allows no subject ends.
 */
export function withdraw(context: Context, asked: Operation): void {
  const { id, row } = named(context, asked);
  if (row === undefined || (row.state !== "sent" && row.state !== "accepted")) return context.deny("no-open-request");
  if (row.issued_id === asked.issued_id) return close(context, id, row, "terminated");
  if (row.group !== undefined) return context.deny("not-for-the-subject");
  const own = ownDays(context, asked.participant, row);
  const hasConsented = (row.consented as readonly Value[]).includes(asked.participant);
  if (own.length === 0 && !hasConsented) return breach(context, asked, "not-subject", { request: id });
  if (row.state === "sent") return context.deny("nothing-granted");
  if (row.basis === "law") return context.deny("not-for-the-subject");
  const left = own.reduce((days, [from, until]) => without(days, { from, until }), daysIn(row.days));
  if (left.length > 0) grant(context, id, row, left);
  else close(context, id, row, "revoked");
}

/** What has come due of a request: its answer, or the end of its grant. */
export function end(context: Context, body: Value): void {
  const id = textIn(body) ?? "";
  const row = rowAt(context, `request/${id}`);
  if (row === undefined) return;
  if (row.state === "sent") close(context, id, row, "timed-out");
  else if (row.state === "accepted") close(context, id, row, "fulfilled");
}

/** Other subjects: what somebody has consented to who is not the subject of the day any more is granted no more. */
export function cutToSubjects(context: Context, meter: string): void {
  const subjects = subjectsOf(context, meter);
  cutGrants(context, meter, (days) =>
    days.flatMap((run) => {
      const [from, until, subject] = run;
      if (subject === null) return [run];
      return subjects.filter(([, , one]) => one === subject).flatMap((own) => within(own, { from, until }));
    }),
  );
}

/** Days that are erased are granted no more. */
export function cutErased(context: Context, meter: string, erased: Period): void {
  cutGrants(context, meter, (days) => without(days, erased));
}

function cutGrants(context: Context, meter: string, left: (days: readonly Days[]) => readonly Days[]): void {
  for (const named of listAt(context, `of/${meter}`)) {
    const id = String(named);
    const row = rowAt(context, `request/${id}`);
    if (row === undefined || row.state !== "accepted") continue;
    const days = daysIn(row.days);
    const after = joined(left(days));
    if (lengthOf(after) < lengthOf(days)) grantWhole(context, id, row, after);
  }
}

function lengthOf(days: readonly Days[]): number {
  return days.reduce((sum, [first, behind]) => sum + behind - first, 0);
}

/** Grants those days: what is erased of the meter is not among them. */
function grant(context: Context, id: string, row: Row, wanted: readonly Days[]): void {
  grantWhole(context, id, row, joined(notErased(wanted, erasedRows(context, String(row.meter)))));
}

/** Grants those days and no others. */
function grantWhole(context: Context, id: string, row: Row, days: readonly Days[]): void {
  const { requester, meter, from, until, purpose, key } = row;
  if (days.length === 0) return close(context, id, row, "unfulfillable");
  const until_s = Number(row.until_s ?? endOfGrant(context, Number(until)));
  context.put(`request/${id}`, { ...row, state: "accepted", days, until_s });
  context.put(`grant/${id}`, { requester, meter, from, until, purpose, key, days, until_s } as Row);
  context.remove(`due/answer/${id}`);
  context.put(`due/end/${id}`, [until_s, id]);
  const rule = row.basis!;
  context.effect("decision", { id, granted: true, rule, requester: requester!, meter: meter!, days, until_s });
}

function close(context: Context, id: string, row: Row, state: string): void {
  const issued_id = String(row.issued_id);
  context.put(`request/${id}`, { ...row, state, ended_s: context.time_s });
  context.remove(`grant/${id}`);
  context.remove(`due/answer/${id}`);
  context.remove(`due/end/${id}`);
  count(context, `open/${issued_id}`, -1);
  if (row.meter !== undefined) leaveMeter(context, id, String(row.meter), issued_id);
  const closed = [...listAt(context, `closed/${issued_id}`), id];
  for (const old of closed.slice(0, -CLOSED_MAX)) context.remove(`request/${old}`);
  context.put(`closed/${issued_id}`, closed.slice(-CLOSED_MAX));
  context.effect("decision", { id, granted: false, rule: state, requester: row.requester!, ...ofWhat(row) });
}

/** The meter has one request less. */
function leaveMeter(context: Context, id: string, meter: string, issued_id: string): void {
  count(context, `of/${meter}/${issued_id}`, -1);
  const of = `of/${meter}`;
  putList(
    context,
    of,
    listAt(context, of).filter((other) => other !== id),
  );
}

/** The request that an operation's body names first. */
function named(context: Context, { body }: Operation): { readonly id: string; readonly row: Row | undefined } {
  const [first] = Array.isArray(body) ? (body as readonly Value[]) : [];
  const id = textIn(first ?? null) ?? "";
  return { id, row: rowAt(context, `request/${id}`) };
}

/** Of the request's days those whose subject the participant is. */
function ownDays(context: Context, participant: string, { meter, from, until }: Row): Days[] {
  const subjects = subjectsOf(context, String(meter));
  const period = { from: Number(from), until: Number(until) };
  return subjects.filter(([, , subject]) => subject === participant).flatMap((days) => within(days, period));
}

/** A key that a secret can be agreed with (RFC 7748, section 6.1). */
export function isDeliveryKey(key: Value | undefined): key is string {
  if (!isHex(key, 64)) return false;
  const high = Number.parseInt(key.slice(62), 16) & 0x7f;
  const unsigned = `${key.slice(0, 62)}${high.toString(16).padStart(2, "0")}`;
  return !lowOrderPoints.includes(unsigned);
}
