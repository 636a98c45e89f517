// The access contract: who may see what a meter confides, for which purpose, for which days. What no rule allows is denied, and a
// prohibition wins. States of a request have the names of EDDIE, roles those of Regulation (EU) 2023/1162.
// Parameters: `rule-ROLE-PURPOSE`, "BASIS DAYS PLACES" with BASIS `consent`, `decision` or `law`, DAYS the longest period and PLACES
// `*` or codes of ISO 3166 with commas between; `prohibit-PURPOSE`, PLACES; `answer_days`, how long a request waits for its answer
// (14); `grant_days`, how long a grant holds behind its period and its decision (30); `requests`, how many one party may have (100).

import type { Context, Deadline, Operation, Value } from "../../contracts/author.js";

export const reads: readonly string[] = [];
export const writes = ["need/", "subject/", "request/", "grant/", "open/", "due/"];

const DAY_S = 86_400;
const PERMISSION_ADMINISTRATOR = 12;
const METERED_DATA_ADMINISTRATOR = 13;
const TYPES = { subject: 64, need: 65, request: 66, consent: 67, objection: 68, withdrawal: 69, decision: 70 };
/** Days from 1970 that a period may have. */
const DAY_MAX = 50_000_000;
/** Numbers of purposes, 1 to 12 (PROTOCOL.md, access). */
const PURPOSE_MAX = 12;
const TEXT_MAX = 200;
/** Rows of one meter, subjects that it had included. */
const SUBJECTS_MAX = 64;

type Row = { readonly [name: string]: Value };

export function operation(context: Context, asked: Operation): void {
  switch (asked.type) {
    case TYPES.subject:
      return nameSubject(context, asked);
    case TYPES.need:
      return publishNeed(context, asked);
    case TYPES.request:
      return request(context, asked);
    case TYPES.consent:
      return answer(context, asked, true);
    case TYPES.objection:
      return answer(context, asked, false);
    case TYPES.withdrawal:
      return withdraw(context, asked);
    case TYPES.decision:
      return decide(context, asked);
    default:
      return context.deny("unknown");
  }
}

export function due(context: Context, { body }: Deadline): void {
  const id = textIn(body) ?? "";
  const row = rowAt(context, `request/${id}`);
  if (row === undefined) return;
  if (row.state === "sent") close(context, id, row, "timed-out");
  else if (row.state === "accepted") close(context, id, row, "fulfilled");
}

/** [meter, participant, first day, day behind the last / null]: whose consent counts for the meter. */
function nameSubject(context: Context, { roles, body }: Operation): void {
  const isAllowed = roles.includes(METERED_DATA_ADMINISTRATOR) || roles.includes(PERMISSION_ADMINISTRATOR);
  if (!isAllowed) return context.deny("role");
  const [meter, participant, from, until] = itemsIn(body, 4);
  const [first, end] = [dayIn(from), until === null ? DAY_MAX : dayIn(until)];
  if (!isId(meter) || !isId(participant) || first === undefined || end === undefined || end <= first) {
    return context.deny("malformed");
  }
  const rows = listAt(context, `subject/${meter}`);
  if (rows.length >= SUBJECTS_MAX) return context.deny("too-many");
  context.put(`subject/${meter}`, [...endedAt(rows, first), [participant!, first, end]]);
  context.effect("subject", [meter!, participant!, first, end]);
}

/** The rows as they are from that day on: who was the subject before is it no more. */
function endedAt(rows: readonly Value[], day: number): Value[] {
  return rows.flatMap((item) => {
    const [named, first, end] = itemsIn(item, 3);
    if (Number(first) >= day) return [];
    return [[named!, first!, Math.min(Number(end), day)]];
  });
}

/** [purpose, longest period in days, text]: what somebody wants data for, named by who says it and the operation's number. */
function publishNeed(context: Context, { participant, seq, body }: Operation): void {
  const [purpose, days, text] = itemsIn(body, 3);
  const isSound = isCount(purpose, PURPOSE_MAX) && isCount(days, DAY_MAX) && typeof text === "string";
  if (!isSound || text.length > TEXT_MAX) return context.deny("malformed");
  const id = `${participant}-${seq}`;
  context.put(`need/${id}`, [purpose!, days!, text]);
  context.effect("need", [id, purpose!, days!, text]);
}

/** [need, meter, first day, day behind the last, X25519 key as hex]: what is to be delivered to whom. */
function request(context: Context, asked: Operation): void {
  const { participant, seq, time_s } = asked;
  const [need, meter, from, until, key] = itemsIn(asked.body, 5);
  const [first, end] = [dayIn(from), dayIn(until)];
  if (!isId(meter) || !isHex(key, 64) || first === undefined || end === undefined || end <= first) {
    return context.deny("malformed");
  }
  const stated = listAt(context, `need/${textIn(need ?? null)}`);
  if (stated.length !== 3) return context.deny("unknown-need");
  const [purpose, days] = [Number(stated[0]), Number(stated[1])];
  const verdict = judge(context, asked, { purpose, days: end - first, most: days });
  const told = { need: need!, meter: meter!, purpose, from: first, until: end };
  if (verdict.breach !== undefined) return breach(context, asked, verdict.breach, told);
  const id = `${participant}-${seq}`;
  const row = { ...told, requester: participant, key: key!, basis: verdict.basis!, state: "sent", time_s };
  context.put(`request/${id}`, row);
  count(context, participant, 1);
  context.effect("request", { id, ...told, requester: participant, basis: verdict.basis!, state: "sent" });
  if (verdict.basis === "law") return grant(context, id, row);
  context.put(`due/answer/${id}`, [context.time_s + Number(context.parameters.answer_days ?? 14) * DAY_S, id]);
}

interface Wanted {
  readonly purpose: number;
  /** of the period, and of the longest one that the need states */
  readonly days: number;
  readonly most: number;
}

/** By which rule it is allowed, or which one it breaks. */
function judge(context: Context, { participant, roles, jurisdiction }: Operation, { purpose, days, most }: Wanted) {
  const prohibited = context.parameters[`prohibit-${purpose}`];
  if (prohibited !== undefined && holdsPlace(prohibited, jurisdiction)) return { breach: "prohibited" };
  const rules = roles
    .map((role) => context.parameters[`rule-${role}-${purpose}`])
    .filter((rule): rule is string => typeof rule === "string")
    .map((rule) => rule.split(" "));
  if (rules.length === 0) return { breach: "role" };
  const here = rules.filter(([, , places]) => holdsPlace(places ?? "", jurisdiction));
  if (here.length === 0) return { breach: "jurisdiction" };
  const fitting = here.find(([, longest]) => days <= Number(longest));
  if (fitting === undefined || days > most) return { breach: "period" };
  if (openOf(context, participant) >= Number(context.parameters.requests ?? 100)) return { breach: "budget" };
  return { basis: fitting[0] ?? "" };
}

/** The subject's consent or objection: [request]. */
function answer(context: Context, asked: Operation, isConsent: boolean): void {
  const [named] = itemsIn(asked.body, 1);
  const id = textIn(named ?? null) ?? "";
  const row = rowAt(context, `request/${id}`);
  if (row === undefined || row.state !== "sent") return context.deny("no-open-request");
  if (!isSubject(context, asked.participant, row)) return breach(context, asked, "not-subject", { request: id });
  if (isConsent && row.basis === "consent") return grant(context, id, row);
  if (isConsent) return context.deny("not-for-the-subject");
  close(context, id, row, "rejected");
}

/** The permission administrator's: [request, whether it is granted]. */
function decide(context: Context, asked: Operation): void {
  const [named, isGranted] = itemsIn(asked.body, 2);
  const id = textIn(named ?? null) ?? "";
  if (!asked.roles.includes(PERMISSION_ADMINISTRATOR)) return breach(context, asked, "role", { request: id });
  const row = rowAt(context, `request/${id}`);
  if (row === undefined || row.state !== "sent") return context.deny("no-open-request");
  if (row.basis !== "decision") return context.deny("not-for-the-administrator");
  if (isGranted === true) grant(context, id, row);
  else close(context, id, row, "rejected");
}

/** By the subject or by who has asked: [request]. From this height on nothing is delivered. */
function withdraw(context: Context, asked: Operation): void {
  const [named] = itemsIn(asked.body, 1);
  const id = textIn(named ?? null) ?? "";
  const row = rowAt(context, `request/${id}`);
  if (row === undefined || (row.state !== "sent" && row.state !== "accepted")) return context.deny("no-open-request");
  if (row.requester === asked.participant) return close(context, id, row, "terminated");
  if (!isSubject(context, asked.participant, row)) return breach(context, asked, "not-subject", { request: id });
  close(context, id, row, row.state === "sent" ? "rejected" : "revoked");
}

function grant(context: Context, id: string, row: Row): void {
  const { requester, meter, from, until, purpose, key } = row;
  const until_s = Math.max(Number(until) * DAY_S, context.time_s) + Number(context.parameters.grant_days ?? 30) * DAY_S;
  context.put(`request/${id}`, { ...row, state: "accepted" });
  context.put(`grant/${id}`, { requester, meter, from, until, purpose, key, until_s } as Row);
  context.remove(`due/answer/${id}`);
  context.put(`due/end/${id}`, [until_s, id]);
  context.effect("decision", { id, granted: true, rule: row.basis!, requester: requester!, meter: meter!, until_s });
}

function close(context: Context, id: string, row: Row, state: string): void {
  context.put(`request/${id}`, { ...row, state });
  context.remove(`grant/${id}`);
  context.remove(`due/answer/${id}`);
  context.remove(`due/end/${id}`);
  count(context, String(row.requester), -1);
  context.effect("decision", { id, granted: false, rule: state, requester: row.requester!, meter: row.meter! });
}

/** Denied, reported with the ID of who asked, counted, and told to everybody. */
function breach(context: Context, { participant }: Operation, rule: string, body: Row): void {
  context.deny(rule, body);
  context.violation(rule, participant, body);
}

/** Whether the participant is the meter's subject on every day of the request's period. */
function isSubject(context: Context, participant: string, { meter, from, until }: Row): boolean {
  return listAt(context, `subject/${meter}`).some((item) => {
    const [named, first, end] = itemsIn(item, 3);
    return named === participant && Number(first) <= Number(from) && Number(until) <= Number(end);
  });
}

function openOf(context: Context, participant: string): number {
  return Number(context.get(`open/${participant}`) ?? 0);
}

function count(context: Context, participant: string, change: number): void {
  const after = openOf(context, participant) + change;
  if (after > 0) context.put(`open/${participant}`, after);
  else context.remove(`open/${participant}`);
}

function holdsPlace(places: Value, place: string | null): boolean {
  if (places === "*") return true;
  return typeof places === "string" && place !== null && places.split(",").includes(place);
}

/** The items of a list of so many; of anything else none. */
function itemsIn(value: Value, length: number): readonly Value[] {
  return Array.isArray(value) && value.length === length ? value : [];
}

function listAt(context: Context, key: string): readonly Value[] {
  const value = context.get(key);
  return Array.isArray(value) ? value : [];
}

function rowAt(context: Context, key: string): Row | undefined {
  const value = context.get(key);
  return value === undefined || value === null || typeof value !== "object" || Array.isArray(value)
    ? undefined
    : (value as Row);
}

function textIn(value: Value): string | undefined {
  return typeof value === "string" && value.length <= TEXT_MAX ? value : undefined;
}

function dayIn(value: Value | undefined): number | undefined {
  return typeof value === "number" && value >= 0 && value <= DAY_MAX ? value : undefined;
}

function isCount(value: Value | undefined, most: number): boolean {
  return typeof value === "number" && value >= 1 && value <= most;
}

function isId(value: Value | undefined): boolean {
  return isHex(value, 16);
}

function isHex(value: Value | undefined, length: number): boolean {
  if (typeof value !== "string" || value.length !== length) return false;
  for (const character of value) if (!"0123456789abcdef".includes(character)) return false;
  return true;
}
