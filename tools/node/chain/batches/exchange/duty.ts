// Who of a chain's members verifies a temporary block, and when the others do it in their place. The order follows from the temporary
// block's id alone, so that anybody can compute it and nobody is asked.

import { compareBytes, concatBytes, equalBytes, toHex } from "../../../../../src/wire/bytes.js";
import type { MemberKey } from "../../../../../src/wire/genesis.js";
import { sha256 } from "../../../../../src/wire/hash.js";
import type { ReadBatch } from "../../../../ledger/compose.js";
import type { ExchangeEffect, ExchangeState, Urgency } from "./state.js";

/** Each member waits at least so much longer for an acceptance than the one before it, before it verifies what is another's to verify; */
export const TAKE_OVER_MS = 2_000;
/** and so much longer at most. */
export const TAKE_OVER_MAX_MS = 8_000;
/**
 * It waits so many times what acceptances took lately: under load all members are slow, and verifying in their place would make them
 * slower. Less than half of the temporary blocks have a silent member on duty, so that silence does not make the others wait ever longer.
 */
const PATIENCE = 2;
/** What the newest acceptance counts in the mean (as RFC 6298 section 2 smooths). */
const NEWEST = 1 / 8;

/**
 * The members' ids as hex in the order in which they are to verify the temporary block: its origin, which has verified the
 * records on admission, then the others by the hash of the temporary block's id and theirs.
 */
export function dutyOrder(id: Uint8Array, origin: Uint8Array, members: readonly Pick<MemberKey, "id">[]): string[] {
  const first = members.filter((member) => equalBytes(member.id, origin));
  const others = members.filter((member) => !equalBytes(member.id, origin));
  const placed = others.map((member) => ({ id: member.id, place: sha256(concatBytes(id, member.id)) }));
  placed.sort((left, right) => compareBytes(left.place, right.place));
  return [...first, ...placed].map((member) => toHex(member.id));
}

/**
 * How long after its coming this node is to verify a temporary block, if it is not accepted by then: 0 where it is on duty. Who is away
 * is passed over.
 */
export function dutyDelay(state: ExchangeState, { id, batch }: ReadBatch): number {
  const { config, pool, self } = state;
  const { members, verifiers } = pool.members;
  if (verifiers >= members.length) return 0;
  const order = dutyOrder(id, batch.origin, members);
  const before = order.slice(0, order.indexOf(self)).filter((member) => !config.isAway(member));
  const each_ms = Math.min(Math.max(state.acceptance_ms * PATIENCE, TAKE_OVER_MS), TAKE_OVER_MAX_MS);
  return Math.max(0, before.length - verifiers + 1) * each_ms;
}

/** It is accepted, and this node only stored it: so long do the others take. What it took over itself tells nothing of them. */
export function noteAcceptance(state: ExchangeState, id: Uint8Array, now_ms: number): void {
  const key = toHex(id);
  const came_ms = state.pool.cameAt(id);
  if (came_ms === undefined || state.verified.has(key) || state.examining.get(key) === "duty") return;
  state.acceptance_ms += (now_ms - came_ms - state.acceptance_ms) * NEWEST;
}

/** It is here and not verified: the others have so long to do it. */
export function awaitOthers(state: ExchangeState, read: ReadBatch, now_ms: number): ExchangeEffect[] {
  return alarm(state, now_ms + dutyDelay(state, read), now_ms);
}

function alarm(state: ExchangeState, at_ms: number, now_ms: number): ExchangeEffect[] {
  if (at_ms >= state.takeOverAt_ms) return [];
  state.takeOverAt_ms = at_ms;
  return [{ type: "setTimer", delay_ms: at_ms - now_ms }];
}

/** Verifies what is due and not accepted, and comes back when the next one is. */
export function takeOver(state: ExchangeState, now_ms: number): ExchangeEffect[] {
  const { pool, self } = state;
  state.takeOverAt_ms = Number.POSITIVE_INFINITY;
  if (!pool.members.has(self)) return [];
  const effects: ExchangeEffect[] = [];
  let next_ms = Number.POSITIVE_INFINITY;
  for (const { read, since_ms } of pool.unaccepted()) {
    if (!isOpen(state, read)) continue;
    const due_ms = since_ms + dutyDelay(state, read);
    if (due_ms <= now_ms) effects.push(...examine(state, read, "duty"));
    else next_ms = Math.min(next_ms, due_ms);
  }
  return [...effects, ...alarm(state, next_ms, now_ms)];
}

/** Whether this node could still verify it: it is on disk, and neither verified, nor refuted, nor being verified as its duty. */
function isOpen({ verified, refuted, verifying, examining }: ExchangeState, { id }: ReadBatch): boolean {
  const key = toHex(id);
  return !verified.has(key) && !refuted.has(key) && !verifying.has(key) && examining.get(key) !== "duty";
}

/** Every record of one that is held, now or when there is time. */
export function examine({ examining }: ExchangeState, read: ReadBatch, urgency: Urgency): ExchangeEffect[] {
  examining.set(toHex(read.id), urgency);
  return [{ type: "examine", read, urgency }];
}
