// The exchange's decisions against whatever members send in whatever order, with answers of threads and disk that come late or fail.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { acknowledgementBytes, type BatchName } from "../../../../../src/wire/batch.js";
import { toHex } from "../../../../../src/wire/bytes.js";
import { WireError } from "../../../../../src/wire/error.js";
import { keyId } from "../../../../../src/wire/key.js";
import { quorum } from "../../../../../src/wire/quorum.js";
import { GridsealError } from "../../../../../tools/errors.js";
import { simulatedSigner, simulatedVerify } from "../../../../../tools/lab/simulation/world/keys.js";
import { makeBatch, type ReadBatch } from "../../../../../tools/ledger/compose.js";
import { badRecordOf, decodeDisproof } from "../../../../../tools/ledger/disproof.js";
import type { ChainView } from "../../../../../tools/ledger/execution.js";
import { memberSetOf } from "../../../../../tools/ledger/members.js";
import { executionRecord } from "../../../../../tools/ledger/record-scan.js";
import type { OriginState } from "../../../../../tools/ledger/state.js";
import {
  createExchangeState,
  type ExchangeEffect,
  type ExchangeInput,
  nameOf,
} from "../../../../../tools/node/chain/batches/exchange/state.js";
import { step } from "../../../../../tools/node/chain/batches/exchange/step.js";
import { ACCEPTED_PER_ORIGIN_MAX, createPool } from "../../../../../tools/node/chain/batches/pool.js";
import { decodeBatchNote } from "../../../../../tools/node/chain/frame.js";
import { createMeter } from "../../cluster.js";

const SELF = 3;
const NUMBERS = 3;
const genesisHash = new Uint8Array(32).fill(7);
const signers = ["a", "b", "c", "d", "stranger"].map(simulatedSigner);
const nodes = signers.map(({ key }, index) => ({ id: keyId(key), key, name: `node-${index}` }));
const ids = nodes.map(({ id }) => toHex(id));
const members = nodes.slice(0, 4);
const meter = createMeter(simulatedSigner("authority"));

/** Two different ones of each number of each member and of a stranger. */
const batches: readonly ReadBatch[] = nodes.flatMap(({ id }, origin) =>
  Array.from({ length: 2 * NUMBERS }, (_, index) =>
    makeBatch(
      genesisHash,
      { chain: 1, origin: id, number: Math.floor(index / 2), notices: [] },
      [executionRecord(meter.next())],
      signers[origin]!.sign,
    ),
  ),
);

const signedOf = (name: BatchName, verified: boolean) => acknowledgementBytes(genesisHash, 1, name, verified);
const acknowledgement = (node: number, read: ReadBatch, isGood: boolean, verified: boolean) => ({
  node: nodes[node]!.id,
  signature: signers[node]!.sign(isGood ? signedOf(nameOf(read), verified) : read.id),
  verified,
});

type Event =
  | { readonly type: "cut"; readonly batch: number }
  | { readonly type: "batch"; readonly from: number; readonly batch: number; readonly bit: number | undefined }
  | {
      readonly type: "acknowledge";
      readonly from: number;
      readonly batch: number;
      readonly isGood: boolean;
      readonly verified: boolean;
    }
  | {
      readonly type: "accepted";
      readonly from: number;
      readonly batch: number;
      readonly nodes: readonly number[];
      readonly stored: readonly number[];
    }
  | { readonly type: "needBatch"; readonly from: number; readonly batch: number }
  | { readonly type: "answer"; readonly which: number; readonly outcome: "good" | "bad" | "full" }
  | { readonly type: "seal"; readonly origin: number }
  | { readonly type: "pass" };

const index = (count: number) => fc.nat({ max: count - 1 });
const batchIndex = index(batches.length);
const event: fc.Arbitrary<Event> = fc.oneof(
  fc.record({ type: fc.constant("cut" as const), batch: batchIndex }),
  fc.record({
    type: fc.constant("batch" as const),
    from: index(4),
    batch: batchIndex,
    bit: fc.oneof({ arbitrary: fc.constant(undefined), weight: 4 }, fc.nat({ max: 2_000 })),
  }),
  fc.record({
    type: fc.constant("acknowledge" as const),
    from: index(5),
    batch: batchIndex,
    isGood: fc.boolean(),
    verified: fc.boolean(),
  }),
  fc.record({
    type: fc.constant("accepted" as const),
    from: index(4),
    batch: batchIndex,
    nodes: fc.subarray([0, 1, 2, 3, 4]),
    stored: fc.subarray([0, 1, 2, 3]),
  }),
  fc.record({ type: fc.constant("needBatch" as const), from: index(4), batch: batchIndex }),
  {
    arbitrary: fc.record({
      type: fc.constant("answer" as const),
      which: fc.nat({ max: 8 }),
      outcome: fc.constantFrom("good" as const, "good" as const, "good" as const, "bad" as const, "full" as const),
    }),
    weight: 3,
  },
  fc.record({ type: fc.constant("seal" as const), origin: index(4) }),
  fc.record({ type: fc.constant("pass" as const) }),
);

/** Ids as hex of temporary blocks that the shell has answered for. */
interface Known {
  readonly durable: Set<string>;
  readonly checked: Set<string>;
  readonly verified: Set<string>;
  readonly refuted: Set<string>;
}

/** What must hold of each effect, whatever came before. */
function createCheck(verifiers: number, { durable, checked, verified, refuted }: Known) {
  return (effect: ExchangeEffect) => {
    if (effect.type === "sign") assert.ok(durable.has(toHex(effect.read.id)), "acknowledged, not on disk");
    if (effect.type === "sign" && effect.verified) {
      const isOwn = toHex(effect.read.batch.origin) === ids[SELF];
      assert.ok(isOwn || verified.has(toHex(effect.read.id)), "said to be verified, and is not");
      assert.ok(!refuted.has(toHex(effect.read.id)), "said to be verified, and was found not to");
    }
    if (effect.type === "accuse") {
      const { bad, word } = decodeDisproof(effect.evidence);
      const accused = `${toHex(bad.summary.origin)}/${bad.summary.number}`;
      const isRefuted = [...refuted].some((id) => {
        const read = batches.find((known) => toHex(known.id) === id)!;
        return accused === `${toHex(read.batch.origin)}/${read.batch.number}`;
      });
      assert.ok(isRefuted, "accused of what was not refuted");
      assert.notEqual(toHex(word.node), ids[SELF]);
    }
    if (effect.type === "keep") assert.ok(checked.has(toHex(effect.arrival.read.id)), "written, not checked");
    if (effect.type === "refuse") assert.ok(effect.error instanceof WireError);
    if (effect.type === "fatal") assert.ok(effect.error instanceof GridsealError);
    if (effect.type === "sendBatch") assert.ok(durable.has(toHex(effect.read.id)), "sent, not on disk");
    if (effect.type !== "send") return;
    if (effect.kind === "accepted") {
      const { acknowledgements, ...name } = decodeBatchNote(effect.payload);
      const read = batches.find(({ id }) => toHex(id) === toHex(name.id))!;
      const genuine = acknowledgements.filter(({ node, signature, verified: isVerified }) => {
        const member = members.find(({ id }) => toHex(id) === toHex(node));
        return member !== undefined && simulatedVerify(member.key, signedOf(nameOf(read), isVerified), signature);
      });
      const needed = Math.min(verifiers, quorum(4));
      assert.ok(genuine.filter((one) => one.verified).length >= needed, "passed on, not verified by as many");
      assert.equal(new Set(genuine.map(({ node }) => toHex(node))).size, quorum(4), "passed on, not a quorum's");
    }
  };
}

/** A shell that answers when it is told to. */
function bench(verifiers = 2) {
  const origins = new Map<string, OriginState>();
  const view = { origin: (node: string) => origins.get(node), meter: () => undefined } as unknown as ChainView;
  const pool = createPool(memberSetOf(members, verifiers));
  const config = { genesisHash, service: 1, self: nodes[SELF]!.id, view, verify: simulatedVerify };
  const state = createExchangeState({ ...config, mayTake: () => true, isAway: (member) => away.has(member) }, pool);
  const waiting: Extract<ExchangeEffect, { type: "verify" | "keep" | "giveUp" | "examine" }>[] = [];
  const durable = new Set<string>();
  const checked = new Set<string>();
  const verified = new Set<string>();
  const refuted = new Set<string>();
  const away = new Set<string>();
  const check = createCheck(verifiers, { durable, checked, verified, refuted });
  const performed: ExchangeEffect[] = [];
  let now_ms = 0;

  const feed = (input: ExchangeInput): void => {
    for (const effect of step(state, input, now_ms)) {
      performed.push(effect);
      check(effect);
      if (effect.type === "verify" || effect.type === "keep" || effect.type === "giveUp") waiting.push(effect);
      if (effect.type === "examine") waiting.push(effect);
      if (effect.type === "sign") {
        const { read, verified: isVerified } = effect;
        const signature = signers[SELF]!.sign(signedOf(nameOf(read), isVerified));
        feed({ type: "signed", read, verified: isVerified, signature });
      }
    }
  };

  const answer = (which: number, outcome: "good" | "bad" | "full") => {
    const [effect] = waiting.splice(which % Math.max(1, waiting.length), 1);
    if (effect?.type === "verify") {
      const { from, read, records } = effect;
      if (outcome === "good") checked.add(toHex(read.id));
      if (outcome === "good" && records) verified.add(toHex(read.id));
      if (outcome === "good") feed({ type: "verified", from, read, records });
      else {
        const bad = outcome === "bad" && records ? badRecordOf(read, 0, meter.credential) : undefined;
        if (bad !== undefined) refuted.add(toHex(read.id));
        feed({ type: "refuted", from, read, error: new WireError("unproven", "a record is not signed"), bad });
      }
    }
    if (effect?.type === "examine") {
      const { read, urgency } = effect;
      const id = toHex(read.id);
      // Whether a record verifies does not change.
      const isBad = refuted.has(id) || (outcome === "bad" && !verified.has(id));
      if (outcome === "full") feed({ type: "examined", read, urgency, outcome: { type: "failed" } });
      else if (isBad) {
        refuted.add(id);
        const bad = badRecordOf(read, 0, meter.credential);
        feed({ type: "examined", read, urgency, outcome: { type: "refuted", bad } });
      } else {
        verified.add(id);
        feed({ type: "examined", read, urgency, outcome: { type: "verified" } });
      }
    }
    if (effect?.type === "keep") {
      const { arrival } = effect;
      if (outcome === "good") durable.add(toHex(arrival.read.id));
      if (outcome === "good") feed({ type: "kept", arrival });
      else if (outcome === "bad") feed({ type: "unkept", arrival, error: new WireError("limit", "no such row") });
      else feed({ type: "unkept", arrival, error: new GridsealError("STORE_FULL", "disk is full") });
      return outcome === "full";
    }
    if (effect?.type === "giveUp") feed({ type: "givenUp", rival: effect.rival });
    return false;
  };

  /** False where the node stops. */
  const take = (event: Event): boolean => {
    now_ms += 400;
    switch (event.type) {
      case "cut": {
        const read = batches[2 * NUMBERS * SELF + (event.batch % (2 * NUMBERS))]!;
        // An origin takes a number that is free and not sealed, and has verified every record.
        const isTaken = pool.readsOf(read.batch.origin).some(({ batch }) => batch.number === read.batch.number);
        const isSealed = (origins.get(ids[SELF]!)?.next ?? 0) > read.batch.number;
        const isBad = refuted.has(toHex(read.id));
        if (isTaken || isSealed || isBad || state.verifying.has(toHex(read.id))) return true;
        durable.add(toHex(read.id));
        feed({ type: "cut", read });
        return true;
      }
      case "batch": {
        const payload = Uint8Array.from(batches[event.batch]!.bytes);
        if (event.bit !== undefined) payload[Math.floor(event.bit / 8) % payload.length]! ^= 1 << (event.bit % 8);
        feed({ type: "batch", from: ids[event.from]!, payload });
        return true;
      }
      case "acknowledge": {
        const read = batches[event.batch]!;
        const by = acknowledgement(event.from, read, event.isGood, event.verified);
        const note = { ...nameOf(read), acknowledgements: [by] };
        feed({ type: "acknowledge", from: ids[event.from]!, note });
        return true;
      }
      case "accepted": {
        const read = batches[event.batch]!;
        const acknowledgements = event.nodes.map((node) =>
          acknowledgement(node, read, true, !event.stored.includes(node)),
        );
        const note = { ...nameOf(read), acknowledgements };
        feed({ type: "accepted", from: ids[event.from]!, note, payload: new Uint8Array(1) });
        return true;
      }
      case "needBatch": {
        const note = { ...nameOf(batches[event.batch]!), acknowledgements: [] };
        feed({ type: "needBatch", from: ids[event.from]!, note, isServed: false });
        return true;
      }
      case "answer":
        return !answer(event.which, event.outcome);
      case "seal": {
        const origin = ids[event.origin]!;
        const next = (origins.get(origin)?.next ?? 0) + 1;
        origins.set(origin, { next, beyond: [] });
        const sealed = pool.readsOf(nodes[event.origin]!.id).filter(({ batch }) => batch.number === next - 1);
        const words = (read: ReadBatch) => [0, 1, 2].map((node) => acknowledgement(node, read, true, node < 2));
        feed({ type: "sealed", sealed: sealed.map((read) => ({ id: read.id, acknowledgements: words(read) })) });
        feed({ type: "discard", reads: pool.retain((name) => toHex(name.origin) !== origin || name.number >= next) });
        return true;
      }
      case "pass":
        now_ms += 5_000;
        if (away.size === 0) away.add(ids[1]!);
        else away.clear();
        feed({ type: "takeOver" });
        feed({ type: "repeatOwn", come: undefined });
        feed({ type: "repeatAccepted" });
        return true;
    }
  };

  return { state, pool, waiting, performed, take, answer };
}

/** Of whose runs some end in an acknowledgement, some in an accusation. */
const FAR_SEED = 1;

test("whatever members send in whatever order, nothing is acknowledged or sent on that is not verified and on disk", () => {
  let acknowledged = 0;
  let accused = 0;
  const property = fc.property(fc.array(event, { maxLength: 80 }), (events) => {
    const { state, pool, performed, take } = bench();
    if (!events.every(take)) return;
    acknowledged += performed.filter((effect) => effect.type === "sign").length;
    accused += performed.filter((effect) => effect.type === "accuse").length;
    assert.ok(pool.size <= members.length * ACCEPTED_PER_ORIGIN_MAX);
    assert.ok(state.resends.size <= batches.length && state.acceptedAt.size <= batches.length);
  });
  fc.assert(property, { numRuns: 300 });
  fc.assert(property, { numRuns: 300, seed: FAR_SEED });
  assert.ok(acknowledged > 0 && accused > 0, "runs come as far as that");
});

test("when all that was asked of threads and disk is answered, nothing is held to be under way", () => {
  const property = fc.property(fc.array(event, { maxLength: 60 }), (events) => {
    const { state, waiting, take, answer } = bench();
    if (!events.every(take)) return;
    for (let count = 0; waiting.length > 0 && count < 1_000; count += 1) answer(0, "good");
    assert.deepEqual([waiting.length, state.verifying.size, state.examining.size], [0, 0, 0]);
    assert.deepEqual([state.late.size, state.lateRuns], [0, false]);
  });
  fc.assert(property, { numRuns: 200 });
});

test("a temporary block that comes again while it is written is dropped by name, and answered once it is on disk", () => {
  const { take, performed } = bench(4);
  const comes = { type: "batch", from: 0, batch: 0, bit: undefined } as const;
  const kinds = () => performed.splice(0).map((effect) => (effect.type === "drop" ? effect.reason : effect.type));
  for (const event of [comes, comes]) take(event);
  assert.deepEqual(kinds(), ["charge", "charge", "verify", "charge", "batch-under-way"]);
  for (const event of [{ type: "answer", which: 0, outcome: "good" }, comes] as const) take(event);
  assert.deepEqual(kinds(), ["keep", "charge", "batch-under-way"]);
  for (const event of [{ type: "answer", which: 0, outcome: "good" }, comes] as const) take(event);
  assert.deepEqual(kinds(), ["sign", "send", "charge", "charge", "sign", "send"]);
});
