// What comes of verifying temporary blocks that this node holds: a better acknowledgement, or evidence against who said that they
// verify. What a member has only stored it verifies later, when it has time; how much waits for that is bounded.

import type { Acknowledgement } from "../../../../../src/wire/batch.js";
import { toHex } from "../../../../../src/wire/bytes.js";
import type { ReadBatch } from "../../../../ledger/compose.js";
import { type BadRecord, encodeDisproof, type Word } from "../../../../ledger/disproof.js";
import { examine } from "./duty.js";
import { type BatchDrop, type ExchangeEffect, type ExchangeState, type InputOf, sign } from "./state.js";

/** Temporary blocks that wait to be verified when there is time, and their bytes: of more, the oldest is skipped. */
const LATE_MAX = 64;
const LATE_BYTES_MAX = 16 * 1_048_576;
const skipped: BatchDrop = "verification-skipped";

/** It is stored, and not verified: it is when nothing else is to do. */
export function verifyLater(state: ExchangeState, read: ReadBatch): ExchangeEffect[] {
  const { late } = state;
  late.set(toHex(read.id), { read, acknowledgements: [] });
  const effects: ExchangeEffect[] = [];
  let bytes = [...late.values()].reduce((sum, waiting) => sum + waiting.read.bytes.length, 0);
  for (const [id, oldest] of late) {
    if (late.size <= LATE_MAX && bytes <= LATE_BYTES_MAX) break;
    late.delete(id);
    bytes -= oldest.read.bytes.length;
    effects.push({ type: "drop", reason: skipped });
  }
  return [...effects, ...nextLate(state)];
}

/** One at a time. */
function nextLate(state: ExchangeState): ExchangeEffect[] {
  const { late, examining } = state;
  if (state.lateRuns) return [];
  for (const [id, { read }] of late) {
    if (examining.has(id)) continue;
    state.lateRuns = true;
    return examine(state, read, "late");
  }
  return [];
}

export function onExamined(state: ExchangeState, input: InputOf<"examined">): ExchangeEffect[] {
  const { read, urgency, outcome } = input;
  const id = toHex(read.id);
  if (urgency === "late") state.lateRuns = false;
  if (state.examining.get(id) === urgency) state.examining.delete(id);
  const effects = onOutcome(state, read, outcome);
  state.late.delete(id);
  return [...effects, ...nextLate(state)];
}

function onOutcome(state: ExchangeState, read: ReadBatch, outcome: InputOf<"examined">["outcome"]): ExchangeEffect[] {
  const { pool, verified } = state;
  switch (outcome.type) {
    case "verified":
      verified.set(toHex(read.id), true);
      // What is accepted needs no further word.
      return pool.find(read.id) === undefined || pool.acceptance(read.id) !== undefined ? [] : [sign(state, read)];
    case "refuted":
      return [falseWordCharge(read), ...refute(state, read, outcome.bad)];
    case "failed":
      return [{ type: "drop", reason: skipped }];
  }
}

/** A record of it does not verify: it goes into no block that this node proposes, and who said otherwise is accused. */
export function refute(state: ExchangeState, read: ReadBatch, bad: BadRecord): ExchangeEffect[] {
  const { pool, refuted, late } = state;
  const id = toHex(read.id);
  if (refuted.has(id)) return [];
  refuted.set(id, { bad, accused: new Set() });
  pool.refute(read.id);
  const acknowledgements = pool.acceptance(read.id) ?? late.get(id)?.acknowledgements ?? [];
  return [...accuse(state, id, [originsWord(read)]), ...accuseOf(state, id, acknowledgements)];
}

/** Its origin has signed that it had verified every record: whoever brought it, the waste is the origin's. */
export function falseWordCharge({ batch, bytes }: ReadBatch): ExchangeEffect {
  return { type: "charge", node: toHex(batch.origin), work: "refused", amount: bytes.length };
}

/** What the origin of a temporary block says of it: it has signed it. */
function originsWord({ batch, signature }: ReadBatch): Word {
  return { node: batch.origin, signature };
}

/** Genuine acknowledgements of one are here: who said verified of what was refuted is accused. */
export function accuseOf(
  state: ExchangeState,
  id: string,
  acknowledgements: readonly Acknowledgement[],
): ExchangeEffect[] {
  return accuse(
    state,
    id,
    acknowledgements.filter(({ verified }) => verified),
  );
}

function accuse({ refuted, self }: ExchangeState, id: string, words: readonly Word[]): ExchangeEffect[] {
  const known = refuted.get(id);
  if (known === undefined) return [];
  const effects: ExchangeEffect[] = [];
  for (const { node, signature } of words) {
    const accused = toHex(node);
    if (accused === self || known.accused.has(accused)) continue;
    known.accused.add(accused);
    effects.push({ type: "accuse", evidence: encodeDisproof({ bad: known.bad, word: { node, signature } }) });
  }
  return effects;
}

/** A block has sealed these: what is verified later is held against who acknowledged it there. */
export function onBlock(state: ExchangeState, { sealed }: InputOf<"sealed">): ExchangeEffect[] {
  const effects: ExchangeEffect[] = [];
  for (const { id, acknowledgements } of sealed) {
    const waiting = state.late.get(toHex(id));
    if (waiting !== undefined) waiting.acknowledgements = acknowledgements;
    effects.push(...accuseOf(state, toHex(id), acknowledgements));
  }
  return effects;
}
