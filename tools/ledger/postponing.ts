// What of a block's entries its contracts leave room for, pure. The runs for one kind of entry share what a block has for that kind;
// at the first that needs more than is left, it and those of its kind behind it are for a later block, as if they had not come. So are
// those behind as many calls as the proposer lets each kind have.

import type { CalledKind } from "../../src/wire/entry.js";
import { assertInvariant } from "../errors.js";
import type { PlannedEntry } from "./entry.js";
import type { Outcome, RunResult } from "./outcome.js";
import type { Room } from "./room.js";

/** What the block has room for; undefined where all of its entries have run. */
export function roomOf(planned: readonly PlannedEntry[], results: readonly RunResult[]): Room | undefined {
  if (results.every(({ type }) => type !== "postponed")) return undefined;
  return roomFor(planned, (call) => {
    const result = results[call];
    assertInvariant(result !== undefined, "each call of a plan has a result");
    return result.type === "postponed";
  });
}

/** Room for so many calls of each kind; undefined where there are no more. Before anything has run, no other number depends on it. */
export function roomWithin(planned: readonly PlannedEntry[], calls: number): Room | undefined {
  const called = planned.filter(({ fate }) => fate.type === "run");
  const counts = new Map<CalledKind, number>();
  const isBeyond = called.map(({ entry: { kind } }) => {
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
    return counts.get(kind)! > calls;
  });
  return isBeyond.includes(true) ? roomFor(planned, (call) => isBeyond[call]!) : undefined;
}

/** What remains of each kind of which some call, by its place, is postponed. */
function roomFor(planned: readonly PlannedEntry[], isPostponed: (call: number) => boolean): Room {
  const taken = takenOf(planned, isPostponed);
  const all = (kind: CalledKind) => planned.filter(({ entry }) => entry.kind === kind);
  const some = (kind: CalledKind) => {
    const kept = taken.filter(({ entry }) => entry.kind === kind);
    return kept.length < all(kind).length ? kept : undefined;
  };
  const messages = some("message");
  return {
    ...counted("operations", some("operation")),
    ...(messages !== undefined && { messages: bySource(messages) }),
    ...counted("slots", some("slot")),
    ...counted("deadlines", some("due")),
  };
}

/** The outcomes among the results: those of the entries that there is room for. */
export function outcomesAmong(results: readonly RunResult[]): Outcome[] {
  return results.flatMap((result) => (result.type === "postponed" ? [] : [result]));
}

/** Of each kind those before the first that is postponed. */
function takenOf(planned: readonly PlannedEntry[], isPostponed: (call: number) => boolean): PlannedEntry[] {
  const full = new Set<CalledKind>();
  let next = 0;
  return planned.filter(({ entry, fate }) => {
    if (fate.type === "run") {
      if (isPostponed(next)) full.add(entry.kind);
      next += 1;
    }
    return !full.has(entry.kind);
  });
}

function counted<Name extends "operations" | "slots" | "deadlines">(name: Name, kept: readonly unknown[] | undefined) {
  return kept === undefined ? {} : ({ [name]: kept.length } as Record<Name, number>);
}

function bySource(messages: readonly PlannedEntry[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const { entry } of messages) {
    if (entry.kind === "message") counts.set(entry.service, (counts.get(entry.service) ?? 0) + 1);
  }
  return counts;
}
