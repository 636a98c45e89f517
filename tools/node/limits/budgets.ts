// Budgets by name, token buckets: of a meter's records, a session's repetitions, all that strangers ask for. Pure: the time is handed
// in, and memory is bounded, whoever spends.

import { BoundedMap } from "../../bounded-map.js";
import { type BucketTerms, tokensAfter } from "./token-bucket.js";

export interface Budgets {
  /** Spends so many tokens of the name's; false, and nothing spent, where there are not as many. */
  take(name: string, tokens: number, now_ms: number): boolean;
  /** Tokens that the name has. */
  left(name: string, now_ms: number): number;
  /** names that are remembered */
  readonly size: number;
}

interface Budget {
  tokens: number;
  at_ms: number;
}

/** Of more than `names_max` names, those that have spent nothing for longest have their whole budget again. */
export function createBudgets(terms: BucketTerms, names_max: number): Budgets {
  /** the one that spent last is last */
  const budgets = new BoundedMap<string, Budget>(names_max);

  const refill = (budget: Budget, now_ms: number): void => {
    budget.tokens = tokensAfter(budget.tokens, now_ms - budget.at_ms, terms);
    budget.at_ms = now_ms;
  };

  return {
    get size() {
      return budgets.size;
    },
    left(name, now_ms) {
      const budget = budgets.get(name);
      if (budget === undefined) return terms.tokens_max;
      refill(budget, now_ms);
      return budget.tokens;
    },
    take(name, tokens, now_ms) {
      const budget = budgets.get(name) ?? { tokens: terms.tokens_max, at_ms: now_ms };
      refill(budget, now_ms);
      if (budget.tokens < tokens) return false;
      budget.tokens -= tokens;
      budgets.set(name, budget);
      return true;
    },
  };
}
