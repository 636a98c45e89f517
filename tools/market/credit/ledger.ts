// What the credit contract knows of participants, and how a fact changes it. A rating is made anew of whoever a fact is about, and trading
// is told where limit, bond or lists changed.

import type { Context, Value } from "../../contracts/author.js";
import { granted } from "../asked.js";
import { chains, LIMIT_ROWS_MAX, type LimitRow, tell } from "../messages.js";
import type { Standing, Subject } from "./kinds.js";
import { capped, type Evidence, type Facts, MONTHS, monthOf, noFacts, rate } from "./rating.js";
import { listFor, rewardsOf } from "./rewards.js";
import { type Rules, rulesOf } from "./rules.js";

/** Breaches and payments of a participant in a month, which stand in one value of the state. */
const LISTED_MAX = 48;
/** Participants that are known: each has some twenty keys, of those that the contract keeps. */
const SUBJECTS_MAX = 2_500;
/** Those of them that one participant has named. */
const NAMED_MAX = 1_000;
/** A rating is looked at again so long after the last time, as facts and lists grow old. */
const AGAIN_S = 2_592_000;

export interface Known {
  readonly context: Context;
  readonly rules: Rules;
  /** those whom this run is about */
  readonly touched: Set<string>;
  /** who has signed what this run is for; null where another chain has told of it */
  readonly by: string | null;
  /** Rates all of them. */
  rateAll(): void;
}

export function openLedger(context: Context, by: string | null): Known {
  const rules = rulesOf(context);
  const touched = new Set<string>();
  const known: Known = {
    ...{ context, rules, touched, by },
    rateAll() {
      const changed = [...touched].flatMap((id) => rateOne(known, id));
      for (let at = 0; at < changed.length; at += LIMIT_ROWS_MAX) {
        tell(context, tradingOf(context), "limit", { rows: changed.slice(at, at + LIMIT_ROWS_MAX) });
      }
    },
  };
  return known;
}

function tradingOf({ parameters }: Context): number {
  return Number(parameters.trading_chain ?? chains.trading);
}

export function subjectOf({ context }: Pick<Known, "context">, id: string): Subject {
  const absent: Subject = { kind: "household", since: monthOf(context.time_s), listed: null, by: null };
  return (context.get(`subject/${id}`) as unknown as Subject | undefined) ?? absent;
}

/** Throws Denied where there is no room for another participant. */
export function setKind(known: Known, id: string, kind: Subject["kind"]): void {
  granted(hasRoom(known, id), "full", id);
  const { listed, ...subject } = subjectOf(known, id);
  // A household stands on no list, whatever it was before.
  put(known, id, { ...subject, kind, listed: kind === "household" ? null : listed });
}

export function put(known: Known, id: string, subject: Subject): void {
  const { context, touched, by } = known;
  const isNew = context.get(`subject/${id}`) === undefined;
  const first = isNew ? { ...subject, by } : subject;
  if (isNew) count(context, first.by, 1);
  context.put(`subject/${id}`, first as unknown as Value);
  touched.add(id);
}

/** Whether it is known already, or may become so. */
function hasRoom({ context, by }: Known, id: string): boolean {
  if (context.get(`subject/${id}`) !== undefined) return true;
  const isBelow = Number(context.get("count/subjects") ?? 0) < SUBJECTS_MAX;
  return isBelow && (by === null || Number(context.get(`count/by/${by}`) ?? 0) < NAMED_MAX);
}

function count(context: Context, by: string | null, more: number): void {
  for (const key of ["count/subjects", ...(by === null ? [] : [`count/by/${by}`])]) {
    const after = Number(context.get(key) ?? 0) + more;
    if (after > 0) context.put(key, after);
    else context.remove(key);
  }
}

interface Fact {
  readonly time_s: number;
  readonly evidence: Evidence;
}

export function noteDelivery(
  known: Known,
  id: string,
  fact: Fact & { readonly contracted: number; readonly beyond: number },
): void {
  const { contracted, beyond, time_s, evidence } = fact;
  change(known, id, { time_s, evidence, kind: "delivery" }, (facts) => ({
    ...facts,
    contracted: capped(BigInt(facts.contracted) + BigInt(contracted)),
    beyond: capped(BigInt(facts.beyond) + BigInt(beyond)),
  }));
  const { deviation_class } = known.rules;
  if (beyond === 0 || deviation_class === 0) return;
  // Of the slots of a day one counts: a day is one occasion.
  const day = Math.floor(time_s / 86_400);
  const isNoted = factsOf(known, id, monthOf(time_s)).breaches.some(
    ([rule, , at_s]) => rule === "dispatch/deviation" && Math.floor(at_s / 86_400) === day,
  );
  if (!isNoted) noteBreach(known, id, { rule: "dispatch/deviation", class_: deviation_class, time_s, evidence });
}

export function noteQuality(
  known: Known,
  id: string,
  { slots, flawed, time_s, evidence }: Fact & { readonly slots: number; readonly flawed: number },
): void {
  change(known, id, { time_s, evidence, kind: "quality" }, (facts) => ({
    ...facts,
    ...{ slots: facts.slots + slots, flawed: facts.flawed + flawed },
  }));
}

/** A bill counts once: what is said of it later takes the place of what was said before. */
export function notePayment(
  known: Known,
  id: string,
  fact: Fact & { readonly bill: string; readonly due_s: number; readonly paid_s: number | null },
): void {
  const { bill, due_s, paid_s, evidence } = fact;
  if (monthOf(due_s) > monthOf(known.context.time_s) - MONTHS) forgetBill(known, id, { bill, month: monthOf(due_s) });
  change(known, id, { time_s: due_s, evidence, kind: "payment" }, (facts) => {
    const others = facts.payments.filter(([other]) => other !== bill);
    if (others.length >= LISTED_MAX) return full(known, facts, "payments");
    return { ...facts, payments: [...others, [bill, due_s, paid_s, evidence]] };
  });
}

/** What was said of a bill under another due date. */
function forgetBill(
  known: Known,
  id: string,
  { bill, month }: { readonly bill: string; readonly month: number },
): void {
  for (const [at, facts] of monthsOf(known, id)) {
    const others = facts.payments.filter(([other]) => other !== bill);
    if (at === month || others.length === facts.payments.length) continue;
    known.context.put(factsKey(id, at), { ...facts, payments: others } as unknown as Value);
  }
}

export function noteBreach(
  known: Known,
  id: string,
  { rule, class_, time_s, evidence }: Fact & { readonly rule: string; readonly class_: number },
): void {
  change(known, id, { time_s, evidence, kind: "breach" }, (facts) => {
    if (facts.breaches.length >= LISTED_MAX) return full(known, facts, "breaches");
    return { ...facts, breaches: [...facts.breaches, [rule, class_, time_s, evidence]] };
  });
}

/** What a month has no room for is said, and not noted. */
function full({ context }: Known, facts: Facts, what: string): Facts {
  context.deny("too-many", what);
  return facts;
}

/** Takes out of a month what an objection has shown to be wrong. */
export function strike(
  known: Known,
  id: string,
  [month, what, at]: readonly [number, "breaches" | "payments", number],
) {
  const facts = factsOf(known, id, month);
  granted(at < facts[what].length, "unknown-fact", at);
  const left = facts[what].filter((_, index) => index !== at);
  known.context.put(factsKey(id, month), { ...facts, [what]: left } as unknown as Value);
  known.touched.add(id);
}

export function factsOf({ context }: Pick<Known, "context">, id: string, month: number): Facts {
  return (context.get(factsKey(id, month)) as unknown as Facts | undefined) ?? noFacts;
}

function change(
  known: Known,
  id: string,
  { time_s, evidence, kind }: Fact & { readonly kind: string },
  to: (facts: Facts) => Facts,
): void {
  const { context } = known;
  const month = monthOf(time_s);
  if (month <= monthOf(context.time_s) - MONTHS) return;
  if (!hasRoom(known, id)) return context.deny("full", id);
  const facts = to(factsOf(known, id, month));
  const [first = evidence, , count = 0] = facts.evidence[kind] ?? [];
  const told = { ...facts.evidence, [kind]: [first, evidence, count + 1] };
  context.put(factsKey(id, month), { ...facts, evidence: told } as unknown as Value);
  const subject = subjectOf(known, id);
  put(known, id, { ...subject, since: Math.min(subject.since, month) });
}

/** The facts that are kept, by month. */
function monthsOf({ context }: Known, id: string): [month: number, facts: Facts][] {
  const prefix = `facts/${id}/`;
  return context.keys(prefix).map((key) => [Number(key.slice(prefix.length)), context.get(key) as unknown as Facts]);
}

/** Takes up a participant's rating again: `rate/ID`. Of whom nothing is known any more nothing is kept. */
export function rateAgain(known: Known, id: string): void {
  known.touched.add(id);
  known.rateAll();
}

/** What trading is told of a participant where it is another than before. */
function rateOne(known: Known, id: string): LimitRow[] {
  const { context, rules } = known;
  const month = monthOf(context.time_s);
  const facts = new Map<number, Facts>();
  for (const [at, kept] of monthsOf(known, id)) {
    if (at > month - MONTHS) facts.set(at, kept);
    else context.remove(factsKey(id, at));
  }
  const subject = subjectOf(known, id);
  if (facts.size === 0 && subject.kind === "household" && context.get(`open/${id}`) === undefined) {
    return forget(context, id, subject);
  }
  context.put(`due/rate/${id}`, [context.time_s + AGAIN_S, null]);
  const rating = rate({ facts, since: subject.since, month, time_s: context.time_s, rules });
  const listed = listFor(subject, rating, { rules, time_s: context.time_s });
  if (listed !== subject.listed) context.put(`subject/${id}`, { ...subject, listed } as unknown as Value);
  const standing = rewardsOf({ ...subject, listed }, rating, rules);
  const before = context.get(`rating/${id}`) as unknown as { readonly standing: Standing } | undefined;
  const { height, time_s } = context;
  const said = { ...rating, standing, month, since: subject.since, rules, time_s };
  context.put(`rating/${id}`, said as unknown as Value);
  if (before !== undefined && isSame(before.standing, standing)) return [];
  context.effect("rating", { participant: id, height, ...rating, standing } as unknown as Value);
  const { limit, bond_percent, rebate_permille, list } = standing;
  return [[id, rating.grade, limit, bond_percent, rebate_permille, list]];
}

/** A household without a fact is as one that was never rated. */
function forget(context: Context, id: string, { by }: Subject): LimitRow[] {
  if (context.get(`subject/${id}`) !== undefined) count(context, by, -1);
  const wasRated = context.get(`rating/${id}`) !== undefined;
  for (const key of [`subject/${id}`, `rating/${id}`, `due/rate/${id}`]) context.remove(key);
  return wasRated ? [[id, "none", null, 100, 0, "none"]] : [];
}

function isSame(one: Standing, other: Standing): boolean {
  return (["grade", "limit", "bond_percent", "rebate_permille", "list"] as const).every(
    (field) => one[field] === other[field],
  );
}

function factsKey(id: string, month: number): string {
  // Months of five digits stand in their order.
  return `facts/${id}/${String(month).padStart(5, "0")}`;
}
