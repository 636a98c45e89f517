// What requesters of studies have spent of their privacy budgets, as blocks of the contract `mining` say it: an effect `budget` at each
// study that is asked, a violation `budget` at one that is beyond it.

import type { Block } from "../../src/wire/block.js";
import { toHex } from "../../src/wire/bytes.js";
import { outcomesIn } from "../../src/wire/outcome.js";
import { decodeOutput, type Value } from "../../src/wire/value.js";
import { BoundedMap } from "../bounded-map.js";
import { decodeResults } from "../ledger/violations.js";

const CONTRACT = "mining";
const BUDGET = "budget";
/** A budget of which so much is spent is nearly so. */
const NEARLY_PERCENT = 80;
/** Requesters that are known at a time, and those that a line names. */
const KNOWN_MAX = 10_000;
const NAMED_MAX = 5;

export interface Spent {
  readonly service: number;
  /** of the block that says it */
  readonly height: number;
  /** the requester's id */
  readonly participant: string;
  /** undefined where more was asked than is left */
  readonly spent: number | undefined;
  readonly budget: number;
  /** UTC seconds at which a new one begins */
  readonly until_s: number;
}

/** What a block says of budgets, in its order. Another contract of this name may say other things, which are passed over. */
export function budgetsIn({ chain: service, height, results }: Pick<Block, "chain" | "height" | "results">): Spent[] {
  const effects = outcomesIn(results).flatMap((outcome) => {
    if (!("contract" in outcome) || outcome.contract !== CONTRACT || !("effects" in outcome)) return [];
    return outcome.effects.filter(({ name, to }) => name === BUDGET && to === undefined);
  });
  const said = effects.map(({ body }) => fieldsIn(body));
  const beyond = decodeResults(results).violations.flatMap((violation) => {
    if (violation.kind !== "contract" || violation.contract !== CONTRACT || violation.name !== BUDGET) return [];
    return [{ ...fieldsIn(violation.body), participant: toHex(violation.subject), spent: null }];
  });
  return [...said, ...beyond].flatMap((fields) => spentFrom({ service, height }, fields));
}

type Fields = { readonly [name: string]: Value };

function fieldsIn(body: Uint8Array): Fields {
  const said = decodeOutput(body);
  return typeof said === "object" && said !== null && !Array.isArray(said) ? (said as Fields) : {};
}

function spentFrom(of: Pick<Spent, "service" | "height">, { participant, spent, budget, until_s }: Fields): Spent[] {
  const isSound = typeof participant === "string" && typeof budget === "number" && typeof until_s === "number";
  if (!isSound || (spent !== null && typeof spent !== "number")) return [];
  return [{ ...of, participant, spent: spent ?? undefined, budget, until_s }];
}

export interface Budgets {
  note(spent: Spent): void;
  /** A sentence each of the budgets of a chain that are nearly spent, and that somebody wanted to pass, in the window that goes on. */
  complaints(
    service: number,
    now_ms: number,
  ): { readonly near: string | undefined; readonly beyond: string | undefined };
}

export function createBudgets(): Budgets {
  const known = new BoundedMap<string, Spent>(KNOWN_MAX);
  return {
    note(spent) {
      const name = `${spent.service}/${spent.participant}`;
      const before = known.get(name);
      // Each node's blocks say it again, and the newest block has the window: an order makes it shorter or longer.
      if (before === undefined || isNewer(spent, before)) known.set(name, spent);
    },
    complaints(service, now_ms) {
      const own = [...known.values()].filter((each) => each.service === service && each.until_s * 1_000 > now_ms);
      return {
        near: sentenceOf(own.filter(isNear)),
        beyond: sentenceOf(own.filter((each) => each.spent === undefined)),
      };
    },
  };
}

/** What is passed stays so within its window. */
function isNewer(spent: Spent, before: Spent): boolean {
  if (before.until_s === spent.until_s && before.spent === undefined) return false;
  if (before.height !== spent.height) return spent.height > before.height;
  return before.spent !== undefined && (spent.spent === undefined || spent.spent >= before.spent);
}

function isNear({ spent, budget }: Spent): boolean {
  return spent !== undefined && 100 * spent >= NEARLY_PERCENT * budget;
}

function sentenceOf(all: readonly Spent[]): string | undefined {
  if (all.length === 0) return undefined;
  const named = all.slice(0, NAMED_MAX).map(({ participant, spent, budget }) => {
    const what = spent === undefined ? "asked for more than is left of its" : `has spent ${spent} of`;
    return `${participant} ${what} ${budget}`;
  });
  return `${named.join(", ")}${all.length > NAMED_MAX ? `, and ${all.length - NAMED_MAX} others` : ""}`;
}
