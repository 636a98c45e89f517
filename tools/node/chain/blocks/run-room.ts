// How much longer a round waits for its proposal where contracts are to run for it: the proposer runs them before it proposes, and each
// voter before it votes. Rounds that end before that would follow each other, each with new runs.

import { type ChainTip, rulingOf } from "../../../ledger/compose.js";
import type { ContractInForce } from "../../../ledger/contract-orders.js";
import { governedHeight } from "../../../ledger/governance.js";
import { BLOCK_BUDGET, BLOCK_OPERATIONS_MAX } from "../../../ledger/run-plan.js";
import { newestRules } from "../../../ledger/scripts.js";

/** Of the clock, for one of the budget and for the start of a run: several times what a machine takes that does nothing else. */
const BUDGET_MS = 0.75;
const START_MS = 15;
/** The proposer's runs, and then the voters'. */
const TIMES = 2;
/** How much longer than lately runs may take. */
const LATELY = 3;

export interface RunRoom {
  readonly tip: ChainTip;
  /** what runs have taken lately, in milliseconds */
  readonly lately_ms: number;
  /** Whether an operation waits of a type that contracts take. */
  waits(takes: (type: number) => boolean): boolean;
}

/** In force for a block after the tip that is judged at the newest orders. */
export function contractsAfter(tip: ChainTip): readonly ContractInForce[] {
  return rulingOf(tip, newestRules.name, Math.max(tip.judgedAt, governedHeight(tip.governance))).contracts;
}

/** Milliseconds beside those of a round without contracts. */
export function roomForRuns({ tip, lately_ms, waits }: RunRoom): number {
  const contracts = contractsAfter(tip);
  if (contracts.length === 0) return 0;
  const lately = TIMES * LATELY * lately_ms;
  // Whether a message or a slot comes is not known here. What they take is, once some have run.
  const isUnknown =
    lately_ms === 0 && contracts.some(({ install }) => install.slots !== undefined || install.messages.length > 0);
  if (!isUnknown && !waits((type) => contracts.some(({ install }) => install.types.includes(type)))) return lately;
  const most = Math.max(...contracts.map(({ install }) => install.budget));
  const budget = Math.min(BLOCK_BUDGET, BLOCK_OPERATIONS_MAX * most);
  return Math.max(lately, TIMES * (budget * BUDGET_MS + BLOCK_OPERATIONS_MAX * START_MS));
}
