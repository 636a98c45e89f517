// By which weights, thresholds and rewards a participant is rated: parameters of the credit contract, which a jurisdiction may set
// otherwise (docs/credit.md has the table).

import type { Context } from "../../contracts/author.js";

export const grades = ["AAA", "AA", "A", "BBB", "BB", "B", "CCC", "CC", "C"] as const;
export type Grade = (typeof grades)[number];

export const indicatorNames = ["delivery", "settlement", "data", "conduct", "tenure"] as const;
export type IndicatorName = (typeof indicatorNames)[number];

/** All of them whole numbers; where no order sets one, these hold. */
export const defaults = {
  weight_delivery: 350,
  weight_settlement: 250,
  weight_data: 200,
  weight_conduct: 150,
  weight_tenure: 50,
  /** what a breach of a class takes from conduct; halved each half year */
  breach_1: 300,
  breach_2: 100,
  breach_3: 20,
  /** class that a day with a deviation beyond tolerance counts as; 0 for none */
  deviation_class: 2,
  /** days after its due date within which a payment counts as on time */
  grace_days: 0,
  /** least score of each grade; C has none */
  from_AAA: 950,
  from_AA: 900,
  from_A: 850,
  from_BBB: 800,
  from_BB: 700,
  from_B: 600,
  from_CCC: 500,
  from_CC: 400,
  /** bond in per cent of the usual one */
  bond_AAA: 50,
  bond_AA: 70,
  bond_A: 100,
  bond_BBB: 100,
  bond_BB: 130,
  bond_B: 150,
  bond_CCC: 150,
  bond_CC: 150,
  bond_C: 150,
  /** exposure in 10^-5 of the currency's unit where the bond is the usual one */
  limit_usual: 100_000_000,
  /** per mille of fees that are given back, and the score from which they are */
  rebate_permille: 50,
  rebate_from: 900,
  /** a firm below this score is listed for attention, and has so many days to mend it */
  attention_below: 500,
  mend_days: 90,
  /** a firm below this score leaves the market: it may owe nothing; 0 for none */
  leave_below: 0,
} as const;

export type Rules = { readonly [Name in keyof typeof defaults]: number };

/** Those of the network, or of the participant's jurisdiction where he signs. Throws a RangeError, which fails the run. */
export function rulesOf({ parameters }: Pick<Context, "parameters">): Rules {
  const rules: { [name: string]: number } = { ...defaults };
  for (const name of Object.keys(defaults)) {
    const value = parameters[name];
    if (value === undefined) continue;
    if (typeof value !== "number") throw new RangeError(`parameter ${name} is no whole number`);
    rules[name] = value;
  }
  return rules as unknown as Rules;
}

export function gradeOf(score: number, rules: Rules): Grade {
  for (const grade of grades) if (grade === "C" || score >= rules[`from_${grade}`]) return grade;
  return "C";
}
