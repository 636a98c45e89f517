// A participant's rating from the facts of twelve months, pure: the contract computes it, and `gridseal credit explain` does again.

import { least, sum } from "../amounts.js";
import { type Grade, gradeOf, type IndicatorName, indicatorNames, type Rules } from "./rules.js";

export const MONTHS = 12;
const HALF_YEAR = 6;
const DAY_S = 86_400;
/** What a sum of energies ends at: an integer of the state has 64 bits. */
const SUM_MAX = 9_223_372_036_854_775_807n;

/** What is known of a participant in one month of UTC: sums, and each breach and payment by itself. */
export interface Facts {
  /** mWh that contracts had it feed in or take, and what of it deviated beyond tolerance */
  readonly contracted: number | bigint;
  readonly beyond: number | bigint;
  /** slots of its points, and those whose data was estimated or missing */
  readonly slots: number;
  readonly flawed: number;
  readonly payments: readonly Payment[];
  readonly breaches: readonly Breach[];
  /** messages that the sums come from, the first and the last of each kind */
  readonly evidence: { readonly [kind: string]: readonly [first: Evidence, last: Evidence, count: number] };
}

/** Where a fact is sealed: chain and height of the block that says it, and the number of the message, or who signed which operation. */
export type Evidence = readonly [service: number, height: number, what: string];

export type Payment = readonly [bill: string, due_s: number, paid_s: number | null, evidence: Evidence];
export type Breach = readonly [rule: string, class_: number, time_s: number, evidence: Evidence];

export const noFacts: Facts = {
  ...{ contracted: 0, beyond: 0, slots: 0, flawed: 0, payments: [], breaches: [], evidence: {} },
};

/** Facts by month; months count from 1970. */
export type FactsByMonth = ReadonlyMap<number, Facts>;

export interface Indicator {
  readonly name: IndicatorName;
  /** 0 to 1000; null where nothing is known, and then it has no weight */
  readonly value: number | null;
  readonly weight: number;
  /** what the value is of */
  readonly inputs: { readonly [name: string]: number | bigint };
}

export interface Rating {
  readonly score: number;
  readonly grade: Grade;
  readonly indicators: readonly Indicator[];
}

export interface Question {
  readonly facts: FactsByMonth;
  /** month of the first fact */
  readonly since: number;
  /** the month and the moment in which it is rated */
  readonly month: number;
  readonly time_s: number;
  readonly rules: Rules;
}

export function rate(question: Question): Rating {
  const { rules } = question;
  const recent = [...question.facts].filter(([month]) => month > question.month - MONTHS && month <= question.month);
  const found = {
    delivery: deliveryOf(recent),
    settlement: settlementOf(recent, question),
    data: dataOf(recent),
    conduct: conductOf(recent, question),
    tenure: tenureOf(question),
  };
  const indicators = indicatorNames.map(
    (name): Indicator => ({ name, weight: rules[`weight_${name}`], ...found[name] }),
  );
  let [weighed, weights] = [0, 0];
  for (const { value, weight } of indicators) {
    if (value === null) continue;
    weighed += weight * value;
    weights += weight;
  }
  const score = weights === 0 ? 0 : Math.floor(weighed / weights);
  return { score, grade: gradeOf(score, rules), indicators };
}

type Recent = readonly (readonly [month: number, facts: Facts])[];
type Found = Pick<Indicator, "value" | "inputs">;

function deliveryOf(recent: Recent): Found {
  const contracted = capped(sum(recent.map(([, facts]) => BigInt(facts.contracted))));
  const beyond = capped(sum(recent.map(([, facts]) => BigInt(facts.beyond))));
  return { value: partOf(contracted - least(beyond, contracted), contracted), inputs: { contracted, beyond } };
}

function dataOf(recent: Recent): Found {
  const [slots, flawed] = [total(recent, "slots"), total(recent, "flawed")];
  return { value: partOf(BigInt(slots - Math.min(flawed, slots)), BigInt(slots)), inputs: { slots, flawed } };
}

/** A bill that is not paid counts once it is late. */
function settlementOf(recent: Recent, { rules: { grace_days }, time_s }: Question): Found {
  const grace_s = grace_days * DAY_S;
  const payments = recent
    .flatMap(([, facts]) => facts.payments)
    .filter(([, due_s, paid_s]) => paid_s !== null || time_s > due_s + grace_s);
  const onTime = payments.filter(([, due_s, paid_s]) => paid_s !== null && paid_s <= due_s + grace_s).length;
  const count = payments.length;
  return { value: partOf(BigInt(onTime), BigInt(count)), inputs: { payments: count, on_time: onTime } };
}

/** Full without a breach; the older half of the months counts half. */
function conductOf(recent: Recent, { month: now, rules }: Question): Found {
  let [taken, breaches] = [0, 0];
  for (const [month, facts] of recent) {
    const share = now - month >= HALF_YEAR ? 2 : 1;
    for (const [, class_] of facts.breaches) {
      taken += Math.floor(rules[`breach_${class_ as 1 | 2 | 3}`] / share);
      breaches += 1;
    }
  }
  return { value: Math.max(0, 1_000 - taken), inputs: { breaches, taken } };
}

function tenureOf({ since, month }: Question): Found {
  const months = Math.min(MONTHS, month - since);
  return { value: Math.floor((1_000 * months) / MONTHS), inputs: { months } };
}

function total(recent: Recent, field: "slots" | "flawed"): number {
  let count = 0;
  for (const [, facts] of recent) count += facts[field];
  return count;
}

/** In thousandths; null of nothing. */
function partOf(part: bigint, whole: bigint): number | null {
  return whole === 0n ? null : Number((part * 1_000n) / whole);
}

/** A sum that an integer of the state holds. */
export function capped(amount: bigint): bigint {
  return least(amount, SUM_MAX);
}

/** Months of UTC from 1970 on (Hinnant's days_from_civil, turned around). */
export function monthOf(time_s: number): number {
  const days = Math.floor(time_s / 86_400) + 719_468;
  const era = Math.floor(days / 146_097);
  const day = days - era * 146_097;
  const year = Math.floor((day - Math.floor(day / 1_460) + Math.floor(day / 36_524) - Math.floor(day / 146_096)) / 365);
  const ofYear = day - (365 * year + Math.floor(year / 4) - Math.floor(year / 100));
  // March is the first of these.
  const month = Math.floor((5 * ofYear + 2) / 153);
  return (era * 400 + year - 1_970) * 12 + month + 2;
}
