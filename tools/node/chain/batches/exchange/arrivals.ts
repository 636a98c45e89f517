// Temporary blocks of peers, from their frame to the acknowledgement: read, verified record by record, given a place, written.

import { equalBytes, toHex } from "../../../../../src/wire/bytes.js";
import { WireError } from "../../../../../src/wire/error.js";
import { GridsealError } from "../../../../errors.js";
import {
  isSealable,
  type ReadBatch,
  type Repetition,
  readSignedBatch,
  repetitionOf,
} from "../../../../ledger/compose.js";
import type { SignedRecord } from "../../../../ledger/record-scan.js";
import { encodeBatchNote } from "../../frame.js";
import { awaitOthers, dutyDelay } from "./duty.js";
import { falseWordCharge, refute, verifyLater } from "./examination.js";
import { drop, type ExchangeEffect, type ExchangeState, type InputOf, nameOf, sign } from "./state.js";

/** Ed25519 and P-256 signatures, with which the encoding of a temporary block ends. */
const SIGNATURE_BYTES = 64;

export function onBatch(state: ExchangeState, { from, payload }: InputOf<"batch">): ExchangeEffect[] {
  if (!state.pool.members.has(state.self)) return drop("batch-not-member"); // not this node's to acknowledge any more
  const mark = toHex(payload.subarray(-SIGNATURE_BYTES));
  const marked = state.marks.get(mark);
  if (marked !== undefined) {
    const unwanted = unwantedCharge(from, payload.length);
    if (state.verifying.has(toHex(marked))) return [unwanted, ...drop("batch-under-way")]; // not on disk yet, though the pool has it
    const held = state.pool.find(marked);
    if (held !== undefined) return [unwanted, answerCharge(from), sign(state, held)];
    state.marks.delete(mark);
  }
  let content: ReturnType<typeof readSignedBatch>;
  try {
    content = readSignedBatch(state.config.genesisHash, ownBytes(payload));
  } catch (error) {
    return [{ type: "refuse", error }];
  }
  if (state.refuted.has(toHex(content.read.id))) return spoilt(from, content.read);
  const charge = batchCharge(from, "record", content.signed.length);
  return [charge, ...onContent(state, { from, mark, bytes: payload.length, ...content })];
}

interface Content {
  readonly from: string;
  readonly mark: string;
  readonly bytes: number;
  readonly read: ReadBatch;
  readonly signed: readonly SignedRecord[];
}

/** What is read may be known, sealed, or too much; its records are verified where it is neither and its origin has signed it. */
function onContent(state: ExchangeState, { from, mark, bytes, read, signed }: Content): ExchangeEffect[] {
  const { config, pool, verifying } = state;
  const { batch } = read;
  const key = pool.members.keyOf(toHex(batch.origin));
  const id = toHex(read.id);
  if (batch.chain !== config.service) return refused("batch is not of this chain");
  if (key === undefined) return untimely("batch is of no member of this height");
  const unwanted = unwantedCharge(from, bytes);
  if (!isSealable(config.view, batch)) return [unwanted, ...drop("batch-sealed")];
  if (verifying.has(id)) return [unwanted, ...drop("batch-under-way")];
  if (pool.find(read.id) !== undefined) return [unwanted, answerCharge(from), sign(state, read)];
  if (!config.verify(key, read.signedBytes, read.signature)) {
    return [answerCharge(from), ...refused("batch is not signed by its origin")];
  }
  const repetition = repetitionOf(config.view, read);
  const { repeats } = repetition;
  const charges = repeats === 0 ? [] : [batchCharge(from, "repeat", repeats)];
  if (!isRoomFor(state, read, repetition)) {
    return [...charges, answerCharge(from), unwanted, ...drop("batch-no-room")];
  }
  verifying.add(id);
  state.marks.set(mark, read.id);
  const records = dutyDelay(state, read) === 0;
  const charge = answerCharge(from, 1 + batch.notices.length + (records ? signed.length : 0));
  return [...charges, charge, { type: "verify", from, read, signed, records }];
}

/** Asked before the records are verified. One of this node's own may displace another; of two of one number their origin is told. */
function isRoomFor({ pool, self }: ExchangeState, read: ReadBatch, { isSpent }: Repetition): boolean {
  return toHex(read.batch.origin) === self || pool.placingOf(read, isSpent) !== "full";
}

/** Gives it its place in the pool. */
export function onVerified(
  state: ExchangeState,
  { from, read, records }: InputOf<"verified">,
  now_ms: number,
): ExchangeEffect[] {
  if (records) state.verified.set(toHex(read.id), true);
  const effects = place(state, from, read, now_ms);
  const isUnderWay = effects.some(({ type }) => type === "keep" || type === "giveUp");
  if (!isUnderWay) state.verifying.delete(toHex(read.id));
  return effects;
}

function place(state: ExchangeState, from: string, read: ReadBatch, now_ms: number): ExchangeEffect[] {
  const { config, pool } = state;
  if (!isSealable(config.view, read.batch)) return drop("batch-sealed"); // by a block that came meanwhile
  const { origin, number } = read.batch;
  const other = pool.readsOf(origin).find((held) => held.batch.number === number && !equalBytes(held.id, read.id));
  const isOwn = equalBytes(origin, config.self);
  if (isOwn && !config.mayTake(number)) return drop("batch-number-taken");
  if (isOwn && other !== undefined && pool.acceptance(other.id) === undefined && !state.kept.has(toHex(other.id))) {
    pool.remove([other.id]); // peers hold this one, so the other one could not be accepted
  }
  switch (pool.add(read, now_ms, repetitionOf(config.view, read).isSpent)) {
    case "full":
      return drop("batch-no-room"); // not acknowledged: its origin says it again when there is room
    case "conflict":
      return onConflict(state, from, read, other);
    default: {
      if (isOwn) state.kept.add(toHex(read.id));
      const acceptance = pool.acceptance(read.id);
      const note = acceptance === undefined ? undefined : encodeBatchNote(nameOf(read), acceptance);
      return [{ type: "keep", arrival: { read, isOwn, displaced: isOwn ? other : undefined, acceptance: note } }];
    }
  }
}

/** Of two temporary blocks of one number only one is held, unless a quorum has accepted the other. */
function onConflict(
  state: ExchangeState,
  from: string,
  read: ReadBatch,
  other: ReadBatch | undefined,
): ExchangeEffect[] {
  const origin = toHex(read.batch.origin);
  const effects: ExchangeEffect[] = [];
  // An origin that has lost its disk does not know what it had signed: it is told, once that is on disk here.
  if (other !== undefined && from === origin && !state.verifying.has(toHex(other.id))) {
    effects.push({ type: "charge", node: from, work: "served", amount: other.bytes.length });
    effects.push({ type: "sendBatch", to: from, read: other });
  }
  if (other === undefined || origin !== state.self || state.givenUp.has(toHex(other.id))) {
    return [...effects, ...contradicted(read)];
  }
  // Peers are split over two of one own number, so neither may ever be accepted: its records go on under another.
  state.givenUp.add(toHex(other.id));
  return [...effects, { type: "giveUp", read: other, rival: read }];
}

export function onGivenUp(state: ExchangeState, { rival }: InputOf<"givenUp">): ExchangeEffect[] {
  state.verifying.delete(toHex(rival.id));
  return contradicted(rival);
}

/** An origin whose disk is lost does so in good faith, and a peer that passes it on does not know. */
function contradicted({ batch }: ReadBatch): ExchangeEffect[] {
  return untimely(`origin ${toHex(batch.origin)} signed two batches ${batch.number}`);
}

export function onRefuted(state: ExchangeState, { from, read, error, bad }: InputOf<"refuted">): ExchangeEffect[] {
  state.verifying.delete(toHex(read.id));
  if (bad === undefined) return [{ type: "refuse", error }];
  const charges = from === toHex(read.batch.origin) ? [] : [falseWordCharge(read)];
  return [...charges, ...refute(state, read, bad), ...spoilt(from, read)];
}

/** A record of it does not verify. Who passes on what another has signed may only have stored it. */
function spoilt(from: string, { batch }: ReadBatch): ExchangeEffect[] {
  const reason = "batch holds a record whose signature does not verify";
  return from === toHex(batch.origin) ? refused(reason) : untimely(reason);
}

/** It is on disk: it may be acknowledged. */
export function onKept(state: ExchangeState, { arrival }: InputOf<"kept">, now_ms: number): ExchangeEffect[] {
  const { read, isOwn } = arrival;
  const { pool } = state;
  state.verifying.delete(toHex(read.id));
  const effects: ExchangeEffect[] = isOwn ? [{ type: "takenBack", arrival }] : [];
  // Its row is behind the block that has sealed its number meanwhile.
  if (pool.find(read.id) === undefined) return [...effects, ...discard(state, [read])];
  effects.push(sign(state, read));
  if (pool.acceptance(read.id) !== undefined) effects.push({ type: "work" });
  if (state.verified.has(toHex(read.id))) return effects;
  return [...effects, ...verifyLater(state, read), ...awaitOthers(state, read, now_ms)];
}

export function onUnkept(state: ExchangeState, { arrival, error }: InputOf<"unkept">): ExchangeEffect[] {
  const { id } = arrival.read;
  state.verifying.delete(toHex(id));
  if (error instanceof GridsealError) {
    return [{ type: "fatal", error }]; // the pool holds what is not on disk: nothing may be acknowledged from here on
  }
  state.pool.remove([id]);
  return [{ type: "refuse", error }]; // it cannot be written as it is: no disk is to blame
}

/** Rows that the block which sealed or closed their numbers left, or that were written behind it. */
export function discard(state: ExchangeState, reads: readonly ReadBatch[]): ExchangeEffect[] {
  for (const { id } of reads) state.givenUp.delete(toHex(id));
  if (reads.length === 0) return [];
  return [{ type: "delete", places: reads.map(({ batch }) => batch) }];
}

/** For the signature of an answer, or the verification of one. */
export function answerCharge(node: string, amount = 1): ExchangeEffect {
  return { type: "charge", node, work: "verification", amount };
}

/** What the records of a temporary block cost, whatever becomes of it. */
function batchCharge(node: string, work: "record" | "repeat", amount: number): ExchangeEffect {
  return { type: "charge", node, work, amount };
}

function unwantedCharge(node: string, bytes: number): ExchangeEffect {
  return { type: "charge", node, work: "unwanted", amount: bytes };
}

export function refused(reason: string): ExchangeEffect[] {
  return [{ type: "refuse", error: new WireError("unproven", reason) }];
}

/** What a correct node may send at the wrong time. */
export function untimely(reason: string): ExchangeEffect[] {
  return [{ type: "refuse", error: new WireError("untimely", reason) }];
}

/** The payload of a frame to keep: where that is a small part of the link's buffer, a copy. */
function ownBytes(payload: Uint8Array): Uint8Array {
  return payload.buffer.byteLength < 2 * payload.length ? payload : Uint8Array.from(payload);
}
