// How much longer a round waits for its proposal where contracts are to run for it: the proposer runs them before it proposes, and each
// voter before it votes. Rounds that end before that would follow each other, each with new runs.

import { type ChainTip, type ReadBatch, rulingOf } from "../../../ledger/compose.js";
import type { ContractInForce } from "../../../ledger/contract-orders.js";
import { BLOCK_DUE_MAX } from "../../../ledger/deadlines.js";
import { governedHeight } from "../../../ledger/governance.js";
import { BLOCK_MESSAGES_MAX } from "../../../ledger/intake.js";
import { nextDue } from "../../../ledger/reserved-keys.js";
import { BLOCK_OPERATIONS_MAX, kindShare } from "../../../ledger/run-plan.js";
import { newestRules } from "../../../ledger/scripts.js";
import { SLOT_RUNS_MAX } from "../../../ledger/settlement/settle.js";

/** Of the clock, for one of the budget and for the start of a run: several times what a machine takes that does nothing else. */
const BUDGET_MS = 0.75;
const START_MS = 15;
/** The proposer's runs, and then the voters'. */
const TIMES = 2;
/** How much longer than lately runs may take. */
const LATELY = 3;

export interface RunRoom {
  readonly tip: ChainTip;
  /** of this node's clock */
  readonly now_ms: number;
  /** what runs have taken lately, in milliseconds */
  readonly lately_ms: number;
  /** Whether a temporary block waits of which it holds, or one that is not known yet. */
  waits(holds: (read: ReadBatch) => boolean): boolean;
}

/** In force for a block after the tip that is judged at the newest orders. */
export function contractsAfter(tip: ChainTip): readonly ContractInForce[] {
  return rulingOf(tip, newestRules.name, Math.max(tip.judgedAt, governedHeight(tip.governance))).contracts;
}

/** Milliseconds beside those of a round without contracts. */
export function roomForRuns(room: RunRoom): number {
  const contracts = contractsAfter(room.tip);
  if (contracts.length === 0) return 0;
  const atMost = kinds.reduce((sum, kind) => sum + roomOf(kind, contracts, room), 0);
  return TIMES * Math.max(LATELY * room.lately_ms, atMost);
}

/** What contracts may run for in the next block. */
interface Kind {
  readonly calls: number;
  /** Whether it is the contract's. */
  isFor(contract: ContractInForce): boolean;
  /** Whether it may come. */
  mayCome(room: RunRoom, contracts: readonly ContractInForce[]): boolean;
}

const kinds: readonly Kind[] = [
  {
    calls: BLOCK_OPERATIONS_MAX,
    isFor: ({ install }) => install.types.length > 0,
    mayCome: ({ waits }, contracts) =>
      waits(({ records }) => records.some(({ type }) => type !== undefined && isTaken(type, contracts))),
  },
  {
    calls: BLOCK_MESSAGES_MAX,
    isFor: ({ install }) => install.messages.length > 0,
    mayCome: ({ waits }) => waits(({ notices }) => notices.some(({ kind }) => kind === "message")),
  },
  {
    calls: SLOT_RUNS_MAX,
    isFor: ({ install }) => install.slots !== undefined,
    mayCome: ({ tip, now_ms }) => mayShow(tip, now_ms),
  },
  {
    calls: BLOCK_DUE_MAX,
    isFor: () => true,
    mayCome: ({ tip, now_ms }) => (nextDue(tip.view.state) ?? Number.POSITIVE_INFINITY) * 1_000 <= now_ms,
  },
];

function roomOf({ calls, isFor, mayCome }: Kind, contracts: readonly ContractInForce[], room: RunRoom): number {
  const called = contracts.filter(isFor);
  if (called.length === 0 || !mayCome(room, called)) return 0;
  const most = Math.max(...called.map(({ install }) => install.budget));
  return Math.min(kindShare.budget, calls * most) * BUDGET_MS + calls * START_MS;
}

function isTaken(type: number, contracts: readonly ContractInForce[]): boolean {
  return contracts.some(({ install }) => install.types.includes(type));
}

/** Whether rows of a closed slot are left to be shown, or the open slot has ended. */
function mayShow({ view }: ChainTip, now_ms: number): boolean {
  const { head } = view.settlement;
  if (head === undefined) return false;
  return head.showing !== undefined || (head.open_s + head.plan.slot_s) * 1_000 <= now_ms;
}
