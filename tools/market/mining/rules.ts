// By which numbers studies are judged: parameters of the mining contract (docs/mining.md has the table). Which role may ask for which
// purpose, and how large groups are, is stated as in the access contract: `rule-ROLE-PURPOSE`, `prohibit-PURPOSE`, `group_residential`,
// `group_nonresidential`, `group_share`.

import type { Context } from "../../contracts/author.js";
import { groupRule } from "../access/groups.js";
import type { askedKinds, CohortClass } from "./kinds.js";

/** All of them whole numbers; where no order sets one, these hold. */
export const defaults = {
  /** what a requester may spend in a window of so many days, counted from 1970 */
  budget: 24,
  budget_days: 30,
  /** how long an asked study waits for its result */
  answer_days: 14,
  "cost_load-curve": 1,
  "cost_day-shapes": 4,
  cost_anomalies: 2,
  cost_forecast: 1,
  cost_quality: 1,
  cost_sql: 8,
} as const;

export type RuleName = keyof typeof defaults;

/** Throws a RangeError, which fails the run, where an order has set something else than a whole number that is not negative. */
export function ruleOf({ parameters }: Pick<Context, "parameters">, name: RuleName): number {
  const value = parameters[name] ?? defaults[name];
  if (typeof value !== "number" || value < 0) throw new RangeError(`parameter ${name} is no whole number`);
  return value;
}

export function costOf(context: Context, kind: (typeof askedKinds)[number]): number {
  return ruleOf(context, `cost_${kind}`);
}

/** Which of the group's rules does not hold, with its threshold; undefined where all do. */
export function groupComplaint(
  context: Pick<Context, "parameters">,
  group: { readonly class: CohortClass; readonly size: number; readonly largest_permille?: number },
): { readonly [name: string]: number } | undefined {
  const { meters_min, share_percent_max } = groupRule(context, group.class);
  const { size, largest_permille } = group;
  if (size < meters_min) return { meters_min, size };
  if (largest_permille === undefined || largest_permille <= 10 * share_percent_max) return undefined;
  return { share_percent_max, largest_permille };
}
