// Acknowledgements of temporary blocks: signed, counted at their origin, told to all members when they are a quorum's.

import type { Acknowledgement, BatchName } from "../../../../../src/wire/batch.js";
import { equalBytes, toHex } from "../../../../../src/wire/bytes.js";
import type { PublicKey } from "../../../../../src/wire/key.js";
import { isSealable } from "../../../../ledger/compose.js";
import { encodeBatchNote } from "../../frame.js";
import { answerCharge, refused, untimely } from "./arrivals.js";
import { noteAcceptance } from "./duty.js";
import { accuseOf } from "./examination.js";
import { need } from "./repeats.js";
import { acknowledgedBytes, drop, type ExchangeEffect, type ExchangeState, type InputOf, nameOf } from "./state.js";

/** This node has signed that it has the batch on disk: its origin is told. */
export function onSigned(state: ExchangeState, { read, verified, signature }: InputOf<"signed">): ExchangeEffect[] {
  const acknowledgement = { node: state.config.self, signature, verified };
  const name = nameOf(read);
  const origin = toHex(name.origin);
  if (origin === state.self) return count(state, name, acknowledgement);
  const acceptance = state.pool.acceptance(name.id);
  // Of two batches with one number a quorum accepts one: who holds it for that may have acknowledged the other, and says no more.
  if (acceptance !== undefined) {
    return [{ type: "send", to: origin, kind: "accepted", payload: encodeBatchNote(name, acceptance) }];
  }
  return [{ type: "send", to: origin, kind: "acknowledge", payload: encodeBatchNote(name, [acknowledgement]) }];
}

/** At the origin: completes the quorum and tells everybody. */
function count({ pool }: ExchangeState, name: BatchName, acknowledgement: Acknowledgement): ExchangeEffect[] {
  if (!pool.acknowledge(name, acknowledgement)) return [];
  const note = encodeBatchNote(name, pool.acceptance(name.id)!);
  return [
    { type: "keepAcceptance", name, note },
    { type: "send", to: "members", kind: "accepted", payload: note },
    { type: "work" },
  ];
}

/** Only for what this node has cut itself, so that nobody fills the pool with names of nothing. */
export function onAcknowledge(state: ExchangeState, { from, note }: InputOf<"acknowledge">): ExchangeEffect[] {
  const acknowledgement = note.acknowledgements[0];
  const read = state.pool.find(note.id);
  if (acknowledgement === undefined || toHex(acknowledgement.node) !== from) return drop("batch-foreign");
  if (read === undefined) return drop("batch-unknown");
  if (!equalBytes(read.batch.origin, state.config.self)) return drop("batch-foreign");
  if (state.pool.isKnown(note.id, acknowledgement)) return drop("batch-repeated");
  const key = state.pool.members.keyOf(toHex(acknowledgement.node));
  const name = nameOf(read);
  if (key === undefined || !isSigned(state, key, name, acknowledgement)) {
    return [answerCharge(from), ...refused("acknowledgement's signature does not verify")];
  }
  return [answerCharge(from), ...count(state, name, acknowledgement)];
}

export function onAccepted(
  state: ExchangeState,
  { from, note, payload }: InputOf<"accepted">,
  now_ms: number,
): ExchangeEffect[] {
  const { acknowledgements, ...name } = note;
  const { pool, config } = state;
  if (!isSealable(config.view, name)) return drop("batch-sealed");
  if (pool.acceptance(name.id) !== undefined) return drop("batch-repeated");
  const charge = answerCharge(from, acknowledgements.length);
  if (!isAccepted(state, name, acknowledgements)) {
    // Of another height it may be a quorum's: who is at which is not known here.
    const { members } = state.pool;
    const known = acknowledgements.filter(({ node }) => members.has(toHex(node))).length;
    const verified = acknowledgements.filter((acknowledgement) => acknowledgement.verified).length;
    const isOfOthers = known < acknowledgements.length || known < members.quorum || verified < members.verifiedNeeded;
    return [charge, ...(isOfOthers ? untimely : refused)("acceptance is not a quorum's")];
  }
  if (!noteAccepted(state, name, acknowledgements)) return [charge, ...drop("batch-no-room")];
  noteAcceptance(state, name.id, now_ms);
  const accusations = accuseOf(state, toHex(name.id), acknowledgements);
  if (pool.find(name.id) === undefined) return [charge, ...accusations, ...need(state, name, now_ms)];
  return [charge, ...accusations, { type: "keepAcceptance", name, note: Uint8Array.from(payload) }, { type: "work" }];
}

/**
 * Whether the acknowledgements are a quorum's for the batch, and as many of them as are to verify it say that they have; verifies what is
 * not known yet.
 */
export function isAccepted(
  state: ExchangeState,
  name: BatchName,
  acknowledgements: readonly Acknowledgement[],
): boolean {
  const { pool } = state;
  const nodes = new Set(acknowledgements.map(({ node }) => toHex(node)));
  if (nodes.size !== acknowledgements.length || nodes.size < pool.members.quorum) return false;
  const verified = acknowledgements.filter((acknowledgement) => acknowledgement.verified).length;
  if (verified < pool.members.verifiedNeeded) return false;
  return acknowledgements.every((acknowledgement) => {
    if (pool.isKnown(name.id, acknowledgement)) return true;
    const key = pool.members.keyOf(toHex(acknowledgement.node));
    return key !== undefined && isSigned(state, key, name, acknowledgement);
  });
}

function isSigned(
  state: ExchangeState,
  key: PublicKey,
  name: BatchName,
  { signature, verified }: Acknowledgement,
): boolean {
  return state.config.verify(key, acknowledgedBytes(state, name, verified), signature);
}

/** Notes genuine acknowledgements; true where they complete the acceptance. */
export function noteAccepted(
  { pool }: ExchangeState,
  name: BatchName,
  acknowledgements: readonly Acknowledgement[],
): boolean {
  let completed = false;
  for (const acknowledgement of acknowledgements) completed = pool.acknowledge(name, acknowledgement) || completed;
  return completed;
}
