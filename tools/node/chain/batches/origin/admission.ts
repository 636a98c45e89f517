// What a record, an order or evidence is to this node that comes to it: known, in the way, too much, or taken. What runs for each
// record makes no object.

import type { ExecutionNotice } from "../../../../ledger/execution.js";
import { isSameNotice } from "../../../../ledger/notices.js";
import { type ExecutionRecord, meterOf, type ReadRecord } from "../../../../ledger/record-scan.js";
import { newestRules } from "../../../../ledger/scripts.js";
import { chainKnows, isMember, isUsedUp, type OriginNode } from "./state.js";

/** What is known of a record before anything is checked with cost; `other`: another one with its number. */
export type Knowledge = "sealed" | "waiting" | "other" | "none";

/** What became of an order or evidence; `reason` is for whoever submitted it. */
export type Submission = { readonly type: "taken" } | { readonly type: "refused"; readonly reason: string };

/**
 * `waiting`: taken before · `busy`: not taken, to be offered again · taken as the `first` that waits, as one that makes the next temporary
 * block `full`, or beside others, `more`
 */
export type Taking = "waiting" | "busy" | "first" | "full" | "more";

export function knowledgeOf({ gather, config }: OriginNode, { kid, claims, hash }: ReadRecord): Knowledge {
  const meter = meterOf(kid);
  const waiting = gather.waiting(meter, claims.seq, hash);
  if (waiting !== "none") return waiting === "same" ? "waiting" : "other";
  return chainKnows(config.view, meter, claims.seq, hash);
}

/** Takes a checked record; it is still to be written. */
export function takeRecord(node: OriginNode, record: ExecutionRecord, now_ms: number): Taking {
  const { gather } = node;
  const waiting = gather.waiting(record.meter, record.seq, record.hash);
  if (waiting === "same") return "waiting";
  // Another record with this number waits: the meter says it again, and when that one is sealed this one proves the fork.
  if (waiting === "other" || !gather.hasRoom || node.config.isStopped() || !isMember(node) || isUsedUp(node)) {
    return "busy";
  }
  const isFirst = gather.pending === 0;
  if (isFirst) node.pendingSince_ms = now_ms;
  if (gather.add(record)) return "full";
  return isFirst ? "first" : "more";
}

/** Whether the notice is in a temporary block of this node. */
export function isUnderWay({ pool, config }: OriginNode, notice: ExecutionNotice): boolean {
  return pool.readsOf(config.self).some(({ notices }) => notices.some((known) => isSameNotice(known, notice)));
}

/** Whether an order or evidence is worth waiting here. */
export function examine(node: OriginNode, notice: ExecutionNotice): Submission {
  if (node.config.isStopped() || !isMember(node)) return refused("this node is no member of the chain");
  if (!newestRules.takesEffect(node.config.place(), notice)) return refused("it changes nothing on the chain");
  return { type: "taken" };
}

export function refused(reason: string): Submission {
  return { type: "refused", reason };
}
