// What a node works for each of its peers, in milliseconds of CPU, and what comes of more than a share: its frames are read later, and
// who wastes on top of that loses its link for a while. Two token buckets a peer (RFC 2697's idea), pure: time is handed in.

import { type BucketTerms, tokensAfter } from "../limits/token-bucket.js";
import type { NodeId } from "./hello.js";

/**
 * `message`: read at all · `verification`: of a signature that is good, or an answer that is signed · `failure`: of one that is not ·
 * `unwanted`: a byte of what it sends that is read and can be used for nothing, which late repetitions of correct nodes are too ·
 * `served`: a byte of what it asked for · `unserved`: it asks while the last answer is on its way · `refused`: a byte of a frame that
 * is dropped as malformed or unproven · `record`: one of a temporary block, read and hashed · `repeat`: one of those whose number is
 * sealed, and is looked up in its block
 */
export type PeerWork =
  | "message"
  | "verification"
  | "failure"
  | "unwanted"
  | "served"
  | "unserved"
  | "refused"
  | "record"
  | "repeat";

/**
 * Milliseconds of CPU for each, with room for a slow core. Waste is what no correct peer causes but by chance: it costs more than it
 * takes, so that a flood of it is slowed down before it is ended.
 */
const prices: Readonly<Record<PeerWork, { readonly work_ms: number; readonly waste_ms: number }>> = {
  message: { work_ms: 0.01, waste_ms: 0 },
  verification: { work_ms: 0.05, waste_ms: 0 },
  failure: { work_ms: 0.4, waste_ms: 0.1 },
  unwanted: { work_ms: 8e-6, waste_ms: 0 },
  served: { work_ms: 4e-6, waste_ms: 0 },
  unserved: { work_ms: 0.02, waste_ms: 0.005 },
  refused: { work_ms: 1.2e-3, waste_ms: 3e-4 },
  // Measured with records of 224 bytes: reading one and its hashes takes 0.004 to 0.005 ms. Finding out whether one that is sealed proves
  // a fork takes 0.006 to 0.011, again for each block that is made of it, where the hashes of the block that has it are at hand.
  // Else that block is read first, 0.001 ms for each record in it: once, where many records are of one block.
  // A cluster of four that seals 10,000 records a second has 2,500 of each origin: 25 ms a second here, and 125 where all verify all.
  // A temporary block of 1,000 records that are sealed costs 60 ms: of these little more than three a second are read.
  record: { work_ms: 0.01, waste_ms: 0 },
  repeat: { work_ms: 0.05, waste_ms: 0 },
};
/** Beside its bytes, a refused frame costs what a failed verification does. */
const REFUSED_BYTES_MIN = 340;

export interface BudgetLimits {
  /** work that a peer may cause in a second, in the long run and at once */
  readonly work_ms_per_s: number;
  readonly work_burst_ms: number;
  readonly waste_ms_per_s: number;
  readonly waste_burst_ms: number;
  /** no frame is held back for longer */
  readonly delay_max_ms: number;
  /** how long a peer is kept out; each further time twice as long, up to the most */
  readonly shut_min_ms: number;
  readonly shut_max_ms: number;
}

export const defaultBudgetLimits: BudgetLimits = {
  work_ms_per_s: 200,
  work_burst_ms: 1_000,
  waste_ms_per_s: 10,
  waste_burst_ms: 400,
  delay_max_ms: 1_000,
  shut_min_ms: 30_000,
  shut_max_ms: 120_000,
};

export type BudgetVerdict =
  | { readonly type: "within" }
  /** nothing more is read from it for so long */
  | { readonly type: "delay"; readonly for_ms: number }
  /** its link ends, and it is not let in for so long */
  | { readonly type: "shut"; readonly for_ms: number };

export interface PeerBudget {
  /** Charges a peer for so many of a kind. `now_ms` is monotonic. */
  charge(peer: NodeId, work: PeerWork, amount: number, now_ms: number): BudgetVerdict;
  /** Whether the peer is kept out. */
  isShut(peer: NodeId, now_ms: number): boolean;
}

interface Account {
  work_ms: number;
  waste_ms: number;
  at_ms: number;
  shuts: number;
  until_ms: number;
}

/** Peers whose accounts are kept: more than a node has links. */
const ACCOUNTS_MAX = 512;
const within: BudgetVerdict = { type: "within" };

export function createPeerBudget(limits: BudgetLimits): PeerBudget {
  const accounts = new Map<NodeId, Account>();
  const work: BucketTerms = { tokens_s: limits.work_ms_per_s, tokens_max: limits.work_burst_ms };
  const waste: BucketTerms = { tokens_s: limits.waste_ms_per_s, tokens_max: limits.waste_burst_ms };

  const refilled = (account: Account, now_ms: number): Account => {
    const passed_ms = now_ms - account.at_ms;
    account.work_ms = tokensAfter(account.work_ms, passed_ms, work);
    account.waste_ms = tokensAfter(account.waste_ms, passed_ms, waste);
    account.at_ms = now_ms;
    return account;
  };

  const accountOf = (peer: NodeId, now_ms: number): Account => {
    const known = accounts.get(peer);
    if (known !== undefined) return refilled(known, now_ms);
    if (accounts.size >= ACCOUNTS_MAX) accounts.delete(leastOf(accounts));
    const full = { work_ms: limits.work_burst_ms, waste_ms: limits.waste_burst_ms };
    const account = { ...full, at_ms: now_ms, shuts: 0, until_ms: Number.NEGATIVE_INFINITY };
    accounts.set(peer, account);
    return account;
  };

  return {
    charge(peer, kind, amount, now_ms) {
      const account = accountOf(peer, now_ms);
      const { work_ms, waste_ms } = prices[kind];
      const count = kind === "refused" ? amount + REFUSED_BYTES_MIN : amount;
      account.work_ms -= work_ms * count;
      account.waste_ms -= waste_ms * count;
      if (account.waste_ms < 0) return shut(account, limits, now_ms);
      if (account.work_ms >= 0) return within;
      const for_ms = Math.ceil((-1_000 * account.work_ms) / limits.work_ms_per_s);
      return { type: "delay", for_ms: Math.min(limits.delay_max_ms, for_ms) };
    },
    isShut: (peer, now_ms) => now_ms < (accounts.get(peer)?.until_ms ?? Number.NEGATIVE_INFINITY),
  };
}

/** It begins anew when it is let in again, but for how often it was shut out: that is forgotten after a day without. */
function shut(account: Account, limits: BudgetLimits, now_ms: number): BudgetVerdict {
  if (now_ms - account.until_ms > FORGOTTEN_MS) account.shuts = 0;
  const for_ms = Math.min(limits.shut_max_ms, limits.shut_min_ms * 2 ** Math.min(account.shuts, 16));
  account.shuts += 1;
  account.until_ms = now_ms + for_ms;
  account.work_ms = limits.work_burst_ms;
  account.waste_ms = limits.waste_burst_ms;
  return { type: "shut", for_ms };
}

const FORGOTTEN_MS = 86_400_000;

/** Who has been quiet longest, and is not kept out for it. */
function leastOf(accounts: ReadonlyMap<NodeId, Account>): NodeId {
  let least: readonly [NodeId, Account] | undefined;
  for (const entry of accounts) {
    const last = Math.max(entry[1].at_ms, entry[1].until_ms);
    if (least === undefined || last < Math.max(least[1].at_ms, least[1].until_ms)) least = entry;
  }
  return least![0];
}
