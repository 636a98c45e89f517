// A rating computed again from the facts of its months, each of which is proved, by the code that the contract itself runs.

import { type Evidence, type Facts, type FactsByMonth, MONTHS, type Rating, rate } from "../../market/credit/rating.js";
import type { Rules } from "../../market/credit/rules.js";
import type { Recomputed } from "./recompute.js";

/** What the contract keeps of a rating, with what it was made by. */
export interface KeptRating extends Rating {
  readonly month: number;
  readonly since: number;
  readonly rules: Rules;
  readonly time_s: number;
}

/** The months, from 1970, whose facts a rating is made of. */
export function monthsOf({ month }: Pick<KeptRating, "month">): number[] {
  return Array.from({ length: MONTHS }, (_, back) => month - back).filter((each) => each >= 0);
}

export function recomputeRating(kept: KeptRating, facts: FactsByMonth): Recomputed {
  const { since, month, time_s, rules } = kept;
  const again = rate({ facts, since, month, time_s, rules });
  if (textOf(again) === textOf(kept)) return { state: "verified" };
  return { state: "wrong", reason: `its facts come to ${again.score} and ${again.grade}` };
}

/** In one order, whatever the order of fields is. */
function textOf({ score, grade, indicators }: Rating): string {
  const rows = indicators.map(({ name, value, weight, inputs }) => [
    ...[name, String(value), weight],
    Object.entries(inputs)
      .map(([input, amount]) => `${input} ${amount}`)
      .sort(),
  ]);
  return JSON.stringify([score, grade, rows]);
}

/** A fact, and where it is sealed. */
export interface FactRow {
  readonly month: number;
  readonly what: string;
  readonly evidence: Evidence;
}

/** The facts of the months, the newest first: each breach and payment, and of sums the first and last message. */
export function factRows(facts: FactsByMonth): FactRow[] {
  return [...facts]
    .sort(([one], [other]) => other - one)
    .flatMap(([month, { breaches, payments, evidence }]: readonly [number, Facts]) => [
      ...breaches.map(([rule, , , at]) => ({ month, what: rule, evidence: at })),
      ...payments.map(([bill, , , at]) => ({ month, what: bill, evidence: at })),
      ...Object.entries(evidence).flatMap(([kind, [first, last, count]]) => {
        const what = `${kind} × ${count}`;
        return count === 1
          ? [{ month, what, evidence: first }]
          : [first, last].map((at) => ({ month, what, evidence: at }));
      }),
    ]);
}
