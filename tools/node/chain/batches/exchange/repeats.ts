// What of temporary blocks is said again until it has its answer, and asked for again until it is here.

import type { BatchName } from "../../../../../src/wire/batch.js";
import { equalBytes, toHex } from "../../../../../src/wire/bytes.js";
import { isSealable, repetitionOf } from "../../../../ledger/compose.js";
import { encodeBatchNote } from "../../frame.js";
import { drop, type ExchangeEffect, type ExchangeState, type InputOf, sign } from "./state.js";

/** A missing batch is not asked for more often: each answer makes this node look again for what it lacks. */
const NEED_PERIOD_MS = 500;
/** An own batch is sent again after so long, and then after twice as long each time: the others may merely be slow. */
const RESEND_MS_MIN = 2_000;
const RESEND_MS_MAX = 16_000;
/** An accepted batch of another origin waits so long for a block before its acceptance is said again here. */
const PASSED_ON_MS = 4_000;

/** Own ones, to those that have not acknowledged them. Members answer each other alone. */
export function repeatOwn(state: ExchangeState, come: string | undefined, now_ms: number): ExchangeEffect[] {
  const { pool, resends, self } = state;
  if (!pool.members.has(self)) return [];
  const waiting = pool.unacknowledged(state.config.self);
  const ids = new Set(waiting.map(({ read }) => toHex(read.id)));
  for (const id of resends.keys()) if (!ids.has(id)) resends.delete(id);
  const effects: ExchangeEffect[] = [];
  for (const { read, waitingFor, unverified } of waiting) {
    const id = toHex(read.id);
    // Nor one that came back from a peer and is not on disk yet.
    if (state.givenUp.has(id) || state.verifying.has(id)) continue;
    if (!isDue(state, id, now_ms)) {
      const isNews = come !== undefined && (waitingFor.includes(come) || unverified.includes(come));
      if (isNews) effects.push({ type: "sendBatch", to: come, read });
      continue;
    }
    // Others have sealed all of it meanwhile, and need not keep it: it makes room here. Its row stays until its number is closed, so that
    // the number is not used again.
    if (repetitionOf(state.config.view, read).isSpent) {
      pool.remove([read.id]);
      state.letGo.add(read.batch.number);
      continue;
    }
    // Who has only stored it takes over by itself: what it said then may have been lost.
    const isLate = resends.get(id)!.after_ms > RESEND_MS_MIN;
    for (const node of isLate ? [...waitingFor, ...unverified] : waitingFor) {
      if (node !== self) effects.push({ type: "sendBatch", to: node, read });
    }
    if (waitingFor.includes(self)) effects.push(sign(state, read));
  }
  return effects;
}

/** Rows of own temporary blocks that were let go of, once no block can seal them. */
export function discardLetGo({ letGo, config }: ExchangeState): ExchangeEffect[] {
  const places = [...letGo].map((number) => ({ origin: config.self, number }));
  const closed = places.filter((place) => !isSealable(config.view, place));
  for (const { number } of closed) letGo.delete(number);
  return closed.length === 0 ? [] : [{ type: "delete", places: closed }];
}

/** Whether it is time to send it again; notes when the next time is. */
function isDue({ resends }: ExchangeState, id: string, now_ms: number): boolean {
  const last = resends.get(id);
  if (last !== undefined && now_ms < last.at_ms) return false;
  const after_ms = last === undefined ? RESEND_MS_MIN : Math.min(2 * last.after_ms, RESEND_MS_MAX);
  resends.set(id, { after_ms, at_ms: now_ms + after_ms });
  return true;
}

/** What a quorum has acknowledged, and what of it is missing here. */
export function repeatAccepted(state: ExchangeState, now_ms: number): ExchangeEffect[] {
  const { pool } = state;
  if (!pool.members.has(state.self)) return [];
  const own = pool.acceptedOf(state.config.self).map((name) => acceptanceOf(state, name));
  return [...own, ...passOn(state, now_ms), ...pool.missing().flatMap((name) => need(state, name, now_ms))];
}

/** Acceptances of others' batches that no block comes for: their origins may have lost them, and who else knows is not known. */
function passOn(state: ExchangeState, now_ms: number): ExchangeEffect[] {
  const { pool, acceptedAt } = state;
  const { self } = state.config;
  const names = pool.members.members.flatMap(({ id }) => (equalBytes(id, self) ? [] : pool.acceptedOf(id)));
  const ids = new Set(names.map(({ id }) => toHex(id)));
  for (const id of acceptedAt.keys()) if (!ids.has(id)) acceptedAt.delete(id);
  const effects: ExchangeEffect[] = [];
  for (const name of names) {
    const id = toHex(name.id);
    const since_ms = acceptedAt.get(id) ?? now_ms;
    acceptedAt.set(id, since_ms);
    if (now_ms - since_ms < PASSED_ON_MS) continue;
    acceptedAt.delete(id);
    effects.push(acceptanceOf(state, name));
  }
  return effects;
}

function acceptanceOf({ pool }: ExchangeState, name: BatchName): ExchangeEffect {
  const payload = encodeBatchNote(name, pool.acceptance(name.id)!);
  return { type: "send", to: "members", kind: "accepted", payload };
}

/** Asks everybody for one that is named and not here, now and then. */
export function need(state: ExchangeState, name: BatchName, now_ms: number): ExchangeEffect[] {
  const id = toHex(name.id);
  if (state.verifying.has(id)) return []; // it has come
  const last_ms = state.neededAt.get(id);
  if (last_ms !== undefined && now_ms - last_ms < NEED_PERIOD_MS) return [];
  state.neededAt.set(id, now_ms);
  return [{ type: "send", to: "members", kind: "needBatch", payload: encodeBatchNote(name, []) }];
}

/** Answers a peer that asks. */
export function onNeedBatch(
  { pool, verifying }: ExchangeState,
  { from, note, isServed }: InputOf<"needBatch">,
): ExchangeEffect[] {
  const read = pool.find(note.id);
  if (read === undefined) return drop("batch-unknown");
  if (verifying.has(toHex(read.id))) return drop("batch-under-way"); // not on disk yet: it is asked for again
  if (isServed) return [{ type: "charge", node: from, work: "unserved", amount: 1 }, ...drop("batch-unserved")];
  return [
    { type: "charge", node: from, work: "served", amount: read.bytes.length },
    { type: "sendBatch", to: from, read },
  ];
}
