// What a chain's policy allows: rules and prohibitions, by role, purpose, place and period. What none allows is denied; a prohibition
// wins.

import type { Context, Operation, Value } from "../../contracts/author.js";
import { countAt, numberSet } from "./kept.js";
import { NODES, REQUESTS_DEFAULT } from "./types.js";

export interface Wanted {
  readonly purpose: number;
  /** of the period, and of the longest one that the need states */
  readonly days: number;
  readonly most: number;
}

export type Verdict =
  | { readonly type: "allowed"; readonly basis: string }
  | { readonly type: "breach"; readonly rule: string; readonly by: Bound };

/** The parameter that something is beyond, and the paragraph that `PARAMETER_law` names beside it; empty where none does. */
export type Bound = { readonly parameter?: string; readonly law?: string };

/** What of the policy names the paragraph by which nothing may be asked that no rule allows. */
const RULES = "rules";

/** What states who may ask: rules for single meters, and for sums over groups. */
export type RuleKind = "rule" | "group";

/** By which basis it is allowed, or which rule it breaks; who asks has no more requests than the chain allows, by all of its keys. */
export function judge(context: Context, asked: Operation, wanted: Wanted, kind: RuleKind): Verdict {
  const verdict = judgeRules(context, asked, wanted, kind);
  if (verdict.type === "breach") return verdict;
  const isSpent = countAt(context, `open/${asked.issued_id}`) >= numberSet(context, "requests", REQUESTS_DEFAULT);
  return isSpent ? breachOf(context, "budget", "requests") : verdict;
}

/** By which basis the chain's rules of that kind allow it, or which of them it breaks. */
export function judgeRules(
  context: Context,
  asked: Operation,
  { purpose, days, most }: Wanted,
  kind: RuleKind,
): Verdict {
  const { parameters } = context;
  const { roles, jurisdiction } = asked;
  const prohibition = `prohibit-${purpose}`;
  const prohibited = parameters[prohibition];
  if (prohibited !== undefined && mayLieIn(prohibited, jurisdiction))
    return breachOf(context, "prohibited", prohibition);
  const rules = roles.flatMap((role) => ruleAt(context, `${kind}-${role}-${purpose}`));
  if (rules.length === 0) return breachOf(context, "role", RULES);
  const here = rules.filter(({ places }) => liesIn(places, jurisdiction));
  if (here.length === 0) return breachOf(context, "jurisdiction", rules[0]!.name);
  const fitting = here.find(({ longest }) => days <= longest);
  if (fitting === undefined || days > most) return breachOf(context, "period", here[0]!.name);
  if (isAbroad(context, purpose)) return breachOf(context, "residency", residencyOf(purpose));
  return { type: "allowed", basis: fitting.basis };
}

interface Rule {
  readonly name: string;
  readonly basis: string;
  /** days */
  readonly longest: number;
  readonly places: string;
}

/** The rule of that name; none where no text is set. */
function ruleAt({ parameters }: Context, name: string): readonly Rule[] {
  const rule = parameters[name];
  if (typeof rule !== "string") return [];
  const [basis = "", longest, places = ""] = rule.split(" ");
  return [{ name, basis, longest: Number(longest), places }];
}

function residencyOf(purpose: number): string {
  return `residency-${purpose}`;
}

/** Whether a node that may keep shares stands where none may for that purpose, or nothing says where nodes stand. */
function isAbroad({ parameters }: Context, purpose: number): boolean {
  const allowed = parameters[residencyOf(purpose)];
  if (allowed === undefined) return false;
  const places = Object.keys(parameters).flatMap((name) => (name.startsWith(NODES) ? [name.slice(NODES.length)] : []));
  return places.length === 0 || !places.every((place) => liesIn(allowed, place));
}

function breachOf({ parameters }: Context, rule: string, parameter: string): Verdict {
  const law = parameters[`${parameter}_law`];
  return { type: "breach", rule, by: typeof law === "string" ? { parameter, law } : {} };
}

/** Whether the place is one of those, or lies in one: `AT-9` lies in `AT`. */
export function liesIn(places: Value, place: string | null): boolean {
  if (places === "*") return true;
  if (typeof places !== "string" || place === null) return false;
  return places.split(",").some((wider) => place === wider || place.startsWith(`${wider}-`));
}

/** The same for a prohibition, which also holds for who states no place: nothing shows that he is elsewhere. */
export function mayLieIn(places: Value, place: string | null): boolean {
  return place === null || liesIn(places, place);
}
