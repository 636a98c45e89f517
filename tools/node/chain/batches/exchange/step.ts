// The exchange of temporary blocks as a state machine: what happens in, what is to be done out. What a node acknowledges it has
// on disk, and what it acknowledges as verified it has verified record by record.

import { toHex } from "../../../../../src/wire/bytes.js";
import { WireError } from "../../../../../src/wire/error.js";
import { assertInvariant } from "../../../../errors.js";
import { isSealable, type ReadBatch, readBatch, repetitionOf } from "../../../../ledger/compose.js";
import { decodeBatchNote } from "../../frame.js";
import type { StoredBatch } from "../../tables/batches.js";
import { isAccepted, noteAccepted, onAccepted, onAcknowledge, onSigned } from "./acceptances.js";
import { discard, onBatch, onGivenUp, onKept, onRefuted, onUnkept, onVerified } from "./arrivals.js";
import { takeOver } from "./duty.js";
import { accuseOf, onBlock, onExamined, verifyLater } from "./examination.js";
import { discardLetGo, need, onNeedBatch, repeatAccepted, repeatOwn } from "./repeats.js";
import {
  type BatchPlace,
  type ExchangeEffect,
  type ExchangeInput,
  type ExchangeState,
  type InputOf,
  sign,
} from "./state.js";

/**
 * Effects are to be performed in their order, and those that have an answer are answered before the next one. Nothing that a peer
 * sends throws.
 */
export function step(state: ExchangeState, input: ExchangeInput, now_ms: number): ExchangeEffect[] {
  switch (input.type) {
    case "cut":
      return onCut(state, input.read, now_ms);
    case "batch":
      return onBatch(state, input);
    case "verified":
      return onVerified(state, input, now_ms);
    case "refuted":
      return onRefuted(state, input);
    case "kept":
      return onKept(state, input, now_ms);
    case "examined":
      return onExamined(state, input);
    case "takeOver":
      return takeOver(state, now_ms);
    case "sealed":
      return onBlock(state, input);
    case "unkept":
      return onUnkept(state, input);
    case "givenUp":
      return onGivenUp(state, input);
    case "signed":
      return onSigned(state, input);
    case "acknowledge":
      return onAcknowledge(state, input);
    case "accepted":
      return onAccepted(state, input, now_ms);
    case "needBatch":
      return onNeedBatch(state, input);
    case "need":
      return onNeed(state, input, now_ms);
    case "repeatOwn":
      return repeatOwn(state, input.come, now_ms);
    case "repeatAccepted":
      return repeatAccepted(state, now_ms);
    case "members":
      return [...onMembers(state, input.dropped), ...takeOver(state, now_ms)];
    case "discard":
      return [...discard(state, input.reads), ...discardLetGo(state)];
    case "restore":
      return restore(state, input.stored, now_ms);
  }
}

/** Until a quorum has acknowledged it, it is said again: there is work. Its records were verified when they were admitted. */
function onCut(state: ExchangeState, read: ReadBatch, now_ms: number): ExchangeEffect[] {
  const { pool } = state;
  state.verified.set(toHex(read.id), true);
  assertInvariant(pool.add(read, now_ms) !== "full", "a node cuts no more temporary blocks than it may hold");
  return [{ type: "sendBatch", to: "members", read }, sign(state, read), { type: "work" }];
}

function onNeed(state: ExchangeState, { name, acceptance }: InputOf<"need">, now_ms: number): ExchangeEffect[] {
  if (acceptance === undefined) return need(state, name, now_ms);
  noteAccepted(state, name, acceptance);
  return [...accuseOf(state, toHex(name.id), acceptance), ...need(state, name, now_ms)];
}

/** What others cut who are no members any more is forgotten; all that is left is due again at once. */
function onMembers(state: ExchangeState, dropped: readonly ReadBatch[]): ExchangeEffect[] {
  state.resends.clear();
  return discard(
    state,
    dropped.filter(({ batch }) => toHex(batch.origin) !== state.self),
  );
}

/** Takes back what was on disk when the node stopped. */
function restore(state: ExchangeState, stored: readonly StoredBatch[], now_ms: number): ExchangeEffect[] {
  const { pool, config } = state;
  const effects: ExchangeEffect[] = [];
  const gone: BatchPlace[] = [];
  for (const row of stored) {
    const read = readStored(state, row, effects);
    if (read === undefined || !isSealable(config.view, row)) {
      if (read !== undefined && toHex(row.origin) === state.self) effects.push({ type: "gone", read });
      gone.push(row);
      continue;
    }
    if (!pool.members.has(toHex(row.origin))) continue;
    if (pool.add(read, now_ms) !== "added") continue;
    if (repetitionOf(config.view, read).isSpent) pool.markSpent(read.id);
    if (toHex(row.origin) === state.self) state.verified.set(toHex(read.id), true);
    else effects.push(...verifyLater(state, read));
    if (row.acceptance === undefined) continue;
    const { acknowledgements, ...name } = decodeBatchNote(row.acceptance);
    if (isAccepted(state, name, acknowledgements)) noteAccepted(state, name, acknowledgements);
  }
  if (gone.length > 0) effects.push({ type: "delete", places: gone });
  return [...effects, ...takeOver(state, now_ms)];
}

/** Undefined where it is none by what is taken today: no quorum acknowledges it again. */
function readStored({ config }: ExchangeState, { bytes }: StoredBatch, effects: ExchangeEffect[]) {
  try {
    return readBatch(config.genesisHash, bytes);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    effects.push({ type: "warn", reason: error.message, message: "a stored temporary block is let go of" });
    return undefined;
  }
}
