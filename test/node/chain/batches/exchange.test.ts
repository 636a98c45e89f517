import assert from "node:assert/strict";
import { test } from "node:test";
import { acknowledgementBytes } from "../../../../src/wire/batch.js";
import { BATCH_RECORDS_MAX } from "../../../../src/wire/bounds.js";
import { toHex } from "../../../../src/wire/bytes.js";
import type { Genesis } from "../../../../src/wire/genesis.js";
import { keyId } from "../../../../src/wire/key.js";
import { simulatedSigner, simulatedVerify } from "../../../../tools/lab/simulation/world/keys.js";
import { makeBatch, readBatch } from "../../../../tools/ledger/compose.js";
import { badRecordOf } from "../../../../tools/ledger/disproof.js";
import type { ChainView } from "../../../../tools/ledger/execution.js";
import { memberSetOf } from "../../../../tools/ledger/members.js";
import { type ExecutionRecord, executionRecord } from "../../../../tools/ledger/record-scan.js";
import { createExchangeState, type ExchangeEffect } from "../../../../tools/node/chain/batches/exchange/state.js";
import { step } from "../../../../tools/node/chain/batches/exchange/step.js";
import { createExchange } from "../../../../tools/node/chain/batches/exchange.js";
import { createPool } from "../../../../tools/node/chain/batches/pool.js";
import { decodeFrame, encodeBatchNote } from "../../../../tools/node/chain/frame.js";
import type { ChainPorts } from "../../../../tools/node/chain/ports.js";
import { createMeter, makeRecord } from "../cluster.js";

const nodes = ["a", "b", "c", "d", "e"].map((name) => {
  const { key } = simulatedSigner(name);
  return { id: keyId(key), key, name };
});

test("who is a member no more asks for no temporary block and passes none on: nobody would answer", () => {
  const sent: string[] = [];
  let clock_ms = 0;
  const pool = createPool(memberSetOf(nodes, 5));
  const ports = {
    genesis: { hash: new Uint8Array(32) },
    chain: { service: 1 },
    self: nodes[4],
    store: { write: () => Promise.resolve() },
    monotonic_ms: () => (clock_ms += 10_000),
    send: (node: string) => void sent.push(node),
  } as unknown as ChainPorts;
  const returned = { mayTake: () => true, onTaking() {}, onTaken() {}, onGone() {}, onEvidence() {} };
  const exchange = createExchange(ports, pool, () => {}, returned);
  const name = { origin: nodes[0]!.id, number: 0, id: new Uint8Array(32) };
  for (const { id } of nodes.slice(0, 4))
    pool.acknowledge(name, { node: id, signature: new Uint8Array(64), verified: true });
  exchange.resend();
  assert.equal(sent.length, 4, "a member asks all others for what it lacks");
  exchange.onMembers(pool.changeMembers(memberSetOf(nodes.slice(0, 4), 4)));
  exchange.resend();
  assert.equal(sent.length, 4);
});

test("a temporary block that has come and is being verified is not asked for", async () => {
  const authority = simulatedSigner("authority");
  const genesis = { network: "test", authority: authority.key, hash: new Uint8Array(32) } as Genesis;
  const meter = createMeter(authority);
  const origin = simulatedSigner("a");
  const notices = [{ kind: "credential" as const, bytes: meter.credential }];
  const content = { chain: 1, origin: nodes[0]!.id, number: 0, notices };
  const read = makeBatch(genesis.hash, content, [executionRecord(meter.next())], origin.sign);
  const sent: unknown[] = [];
  let conclude: (() => void) | undefined;
  const ports = {
    genesis,
    chain: { service: 1 },
    self: nodes[4],
    signer: simulatedSigner("e"),
    store: { get: () => undefined, write: () => Promise.resolve() },
    monotonic_ms: () => 0,
    charge() {},
    onDropped() {},
    verify: () => true,
    verifyRecords: () => {
      if (conclude !== undefined) return Promise.resolve(false); // which of them it is
      return new Promise<boolean>((resolve) => (conclude = () => resolve(false)));
    },
    send: (_node: string, frame: Uint8Array) => void sent.push(decodeFrame(frame)?.kind),
  } as unknown as ChainPorts;
  const returned = { mayTake: () => true, onTaking() {}, onTaken() {}, onGone() {}, onEvidence() {} };
  const exchange = createExchange(ports, createPool(memberSetOf(nodes, 5)), () => {}, returned);
  const name = { origin: nodes[0]!.id, number: 0, id: read.id };
  const taken = exchange.onBatch(nodes[0]!.name, read.bytes);
  exchange.need(name);
  assert.deepEqual(sent, []);
  conclude?.();
  await assert.rejects(taken, /signature does not verify/);
  exchange.need(name);
  assert.deepEqual(sent, ["needBatch", "needBatch", "needBatch", "needBatch"], "it was not what it says");
  conclude = undefined;
  await assert.rejects(exchange.onBatch(nodes[0]!.name, read.bytes), /signature does not verify/);
  assert.equal(conclude, undefined, "what is known not to verify is not verified again");
});

test("a temporary block that nobody can seal any more costs its sender what reading it took", async () => {
  const authority = simulatedSigner("authority");
  const genesis = { network: "test", authority: authority.key, hash: new Uint8Array(32) } as Genesis;
  const meter = createMeter(authority);
  const content = { chain: 1, origin: nodes[0]!.id, number: 0, notices: [] };
  const read = makeBatch(genesis.hash, content, [executionRecord(meter.next())], simulatedSigner("a").sign);
  const charged: unknown[] = [];
  const ports = {
    genesis,
    chain: { service: 1 },
    self: nodes[4],
    store: { get: () => ({ next: 5, beyond: [] }) },
    monotonic_ms: () => 0,
    charge: (...work: unknown[]) => void charged.push(work),
    onDropped() {},
  } as unknown as ChainPorts;
  const returned = { mayTake: () => true, onTaking() {}, onTaken() {}, onGone() {}, onEvidence() {} };
  const exchange = createExchange(ports, createPool(memberSetOf(nodes, 5)), () => {}, returned);
  await exchange.onBatch("b", read.bytes);
  assert.deepEqual(charged, [
    ["b", "record", 1],
    ["b", "unwanted", read.bytes.length],
  ]);
});

test("records that are sealed already cost their sender each, and of what seals nothing little is verified or acknowledged", async () => {
  const authority = simulatedSigner("authority");
  const genesis = { network: "test", authority: authority.key, hash: new Uint8Array(32) } as Genesis;
  const meter = createMeter(authority);
  const records = Array.from({ length: BATCH_RECORDS_MAX }, () => executionRecord(meter.next()));
  const sealed = new Map(records.map(({ seq, hash }) => [seq, hash]));
  const view = {
    origin: () => undefined,
    meter: () => ({ high: BATCH_RECORDS_MAX - 1, gaps: [], forks: [] }),
    sealedHash: (_meter: string, seq: number) => sealed.get(seq),
  } as unknown as ChainView;
  const reads = [0, 1].map((number) => {
    const content = { chain: 1, origin: nodes[0]!.id, number, notices: [] };
    return makeBatch(genesis.hash, content, records, simulatedSigner("a").sign);
  });
  const places = { genesisHash: genesis.hash, service: 1, self: nodes[4]!.id, view };
  const pool = createPool(memberSetOf(nodes, 5));
  const state = createExchangeState(
    { ...places, verify: simulatedVerify, mayTake: () => true, isAway: () => false },
    pool,
  );
  const origin = toHex(nodes[0]!.id);
  const [first, second] = reads.map((read) => step(state, { type: "batch", from: origin, payload: read.bytes }, 0));
  const chargesOf = (effects: readonly ExchangeEffect[]) =>
    effects.flatMap((effect) => (effect.type === "charge" ? [[effect.work, effect.amount]] : []));
  assert.deepEqual(chargesOf(first!), [
    ["record", BATCH_RECORDS_MAX],
    ["repeat", BATCH_RECORDS_MAX],
    ["verification", 1 + BATCH_RECORDS_MAX],
  ]);
  assert.equal(first!.at(-1)!.type, "verify");
  // Another one of this kind while the first waits for a block.
  step(state, { type: "verified", from: origin, read: reads[0]!, records: true }, 0);
  const third = step(state, { type: "batch", from: origin, payload: reads[1]!.bytes }, 0);
  assert.equal(second!.at(-1)!.type, "verify", "neither is held yet");
  assert.deepEqual(third.at(-1), { type: "drop", reason: "batch-under-way" });
  assert.deepEqual(chargesOf(third), [["unwanted", reads[1]!.bytes.length]]);
  const late = makeBatch(genesis.hash, { ...reads[1]!.batch, number: 2 }, records, simulatedSigner("a").sign);
  const last = step(state, { type: "batch", from: origin, payload: late.bytes }, 0);
  assert.deepEqual(chargesOf(last), [
    ["record", BATCH_RECORDS_MAX],
    ["repeat", BATCH_RECORDS_MAX],
    ["verification", 1],
    ["unwanted", late.bytes.length],
  ]);
  assert.deepEqual(last.at(-1), { type: "drop", reason: "batch-no-room" });
});

test("an own temporary block whose records others have sealed is not sent again, and makes room", () => {
  const meter = createMeter(simulatedSigner("authority"));
  const record = executionRecord(meter.next());
  const content = { chain: 1, origin: nodes[0]!.id, number: 0, notices: [] };
  const read = makeBatch(new Uint8Array(32), content, [record], simulatedSigner("a").sign);
  let high = -1;
  let next = 0;
  const view = {
    origin: () => ({ next, beyond: [] }),
    meter: () => ({ high, gaps: [], forks: [] }),
    sealedHash: () => record.hash,
  } as unknown as ChainView;
  const places = { genesisHash: new Uint8Array(32), service: 1, self: nodes[0]!.id, view };
  const pool = createPool(memberSetOf(nodes, 2));
  const state = createExchangeState(
    { ...places, verify: simulatedVerify, mayTake: () => true, isAway: () => false },
    pool,
  );
  step(state, { type: "cut", read }, 0);
  const sentAt = (now_ms: number) =>
    step(state, { type: "repeatOwn", come: undefined }, now_ms).filter(({ type }) => type === "sendBatch").length;
  assert.equal(sentAt(0), 4);
  assert.equal(sentAt(60_000), 4);
  high = 0;
  assert.equal(sentAt(120_000), 0);
  assert.deepEqual(pool.readsOf(nodes[0]!.id), []);
  // Its row is there until no block can seal the number, so that it is not used again, and no longer.
  assert.deepEqual(step(state, { type: "discard", reads: [] }, 0), []);
  next = 1;
  const place = { origin: nodes[0]!.id, number: 0 };
  assert.deepEqual(step(state, { type: "discard", reads: [] }, 0), [{ type: "delete", places: [place] }]);
  assert.deepEqual(step(state, { type: "discard", reads: [] }, 0), []);
});

test("what was on disk when the node stopped leaves as little room for what is sealed already as before", () => {
  const meter = createMeter(simulatedSigner("authority"));
  const records = Array.from({ length: BATCH_RECORDS_MAX }, () => executionRecord(meter.next()));
  const view = {
    origin: () => undefined,
    meter: () => ({ high: BATCH_RECORDS_MAX - 1, gaps: [], forks: [] }),
    sealedHash: (_meter: string, seq: number) => records[seq]!.hash,
  } as unknown as ChainView;
  const [held, late] = [0, 1].map((number) =>
    makeBatch(
      new Uint8Array(32),
      { chain: 1, origin: nodes[0]!.id, number, notices: [] },
      records,
      simulatedSigner("a").sign,
    ),
  );
  const places = { genesisHash: new Uint8Array(32), service: 1, self: nodes[4]!.id, view };
  const pool = createPool(memberSetOf(nodes, 5));
  const state = createExchangeState(
    { ...places, verify: simulatedVerify, mayTake: () => true, isAway: () => false },
    pool,
  );
  const stored = [{ origin: nodes[0]!.id, number: 0, bytes: held!.bytes, acceptance: undefined }];
  step(state, { type: "restore", stored }, 0);
  const effects = step(state, { type: "batch", from: toHex(nodes[0]!.id), payload: late!.bytes }, 0);
  assert.deepEqual(effects.at(-1), { type: "drop", reason: "batch-no-room" });
});

test("a record that is found later not to verify is waste of the origin, whoever has passed it on", () => {
  const meter = createMeter(simulatedSigner("authority"));
  const content = { chain: 1, origin: nodes[0]!.id, number: 0, notices: [] };
  const read = makeBatch(new Uint8Array(32), content, [executionRecord(meter.next())], simulatedSigner("a").sign);
  const view = { origin: () => undefined, meter: () => undefined } as unknown as ChainView;
  const places = { genesisHash: new Uint8Array(32), service: 1, self: nodes[4]!.id, view };
  const pool = createPool(memberSetOf(nodes, 2));
  const state = createExchangeState(
    { ...places, verify: simulatedVerify, mayTake: () => true, isAway: () => false },
    pool,
  );
  const outcome = { type: "refuted", bad: badRecordOf(read, 0, meter.credential) } as const;
  const effects = step(state, { type: "examined", read, urgency: "late", outcome }, 0);
  const charge = { type: "charge", node: toHex(nodes[0]!.id), work: "refused", amount: read.bytes.length };
  assert.deepEqual(effects[0], charge);
});

test("a temporary block with one record twice is none, one with two records of a number is", () => {
  const meter = createMeter(simulatedSigner("authority"));
  const [one, other] = [meter.next(), meter.next()].map(executionRecord) as [ExecutionRecord, ExecutionRecord];
  const content = { chain: 1, origin: nodes[0]!.id, number: 0, notices: [] };
  const hash = new Uint8Array(32);
  const made = (records: readonly ExecutionRecord[]) =>
    makeBatch(hash, content, records, simulatedSigner("a").sign).bytes;
  assert.throws(() => readBatch(hash, made([one, other, one])), /batch holds a record twice/);
  const fork = executionRecord(
    makeRecord(meter.signer, meter.kid, { seq: one.seq, previous: new Uint8Array(0), time_s: 7 }),
  );
  assert.equal(readBatch(hash, made([one, fork])).records.length, 2);
});

test("a member that comes is told at once what it has not acknowledged, however lately it was sent to who was there", () => {
  const authority = simulatedSigner("authority");
  const genesis = { network: "test", authority: authority.key, hash: new Uint8Array(32) } as Genesis;
  const meter = createMeter(authority);
  const content = { chain: 1, origin: nodes[0]!.id, number: 0, notices: [] };
  const read = makeBatch(genesis.hash, content, [executionRecord(meter.next())], simulatedSigner("a").sign);
  const sent: string[] = [];
  let now_ms = 0;
  const ports = {
    genesis,
    chain: { service: 1 },
    self: nodes[0],
    signer: simulatedSigner("a"),
    store: { get: () => undefined },
    monotonic_ms: () => now_ms,
    send: (node: string, frame: Uint8Array) => void sent.push(`${decodeFrame(frame)!.kind} to ${node}`),
  } as unknown as ChainPorts;
  const returned = { mayTake: () => true, onTaking() {}, onTaken() {}, onGone() {}, onEvidence() {} };
  const exchange = createExchange(ports, createPool(memberSetOf(nodes, 5)), () => {}, returned);
  exchange.publish(read);
  exchange.resend();
  sent.length = 0;
  now_ms += 10;
  exchange.resend();
  assert.deepEqual(sent, [], "it was sent a moment ago");
  const id = toHex(nodes[2]!.id);
  exchange.resend(id);
  assert.deepEqual(sent, [`batch to ${id}`]);
});

test("what an honest member may send at the wrong time is dropped as untimely, and not as what no honest one sends", async () => {
  const authority = simulatedSigner("authority");
  const genesis = { network: "test", authority: authority.key, hash: new Uint8Array(32) } as Genesis;
  const meter = createMeter(authority);
  const notices = [{ kind: "credential" as const, bytes: meter.credential }];
  const batchBy = (origin: string, number: number) => {
    const content = { chain: 1, origin: keyId(simulatedSigner(origin).key), number, notices };
    return makeBatch(genesis.hash, content, [executionRecord(meter.next())], simulatedSigner(origin).sign);
  };
  const ports = {
    genesis,
    chain: { service: 1 },
    self: nodes[4],
    signer: simulatedSigner("e"),
    store: { get: () => undefined, write: () => Promise.resolve() },
    monotonic_ms: () => 0,
    charge() {},
    verify: simulatedVerify,
    verifyRecords: () => Promise.resolve(true),
    send() {},
  } as unknown as ChainPorts;
  const returned = { mayTake: () => true, onTaking() {}, onTaken() {}, onGone() {}, onEvidence() {} };
  const exchange = createExchange(ports, createPool(memberSetOf(nodes, 5)), () => {}, returned);
  const [a] = nodes.map(({ id }) => toHex(id)) as [string];
  await exchange.onBatch(a, batchBy("a", 0).bytes);
  await assert.rejects(exchange.onBatch(a, batchBy("a", 0).bytes), { code: "untimely" }, "its disk was lost");
  await assert.rejects(exchange.onBatch(a, batchBy("f", 0).bytes), { code: "untimely" }, "a member of another height");

  const read = batchBy("b", 0);
  const acknowledged = (names: readonly string[]) => {
    const name = { origin: read.batch.origin, number: 0, id: read.id };
    const message = acknowledgementBytes(genesis.hash, 1, name, true);
    const by = names
      .map(simulatedSigner)
      .map(({ key, sign }) => ({ node: keyId(key), signature: sign(message), verified: true }));
    return encodeBatchNote(name, by);
  };
  const accept = (names: readonly string[]) => () => exchange.onAccepted(a, acknowledged(names));
  assert.throws(accept(["a", "b", "c"]), { code: "untimely" }, "a quorum of fewer members");
  assert.throws(accept(["a", "b", "c", "f"]), { code: "untimely" }, "a quorum of others");
  const spoilt = acknowledged(["a", "b", "c", "d"]);
  spoilt[spoilt.length - 2]! ^= 1; // the last byte says verified
  assert.throws(() => exchange.onAccepted(a, spoilt), { code: "unproven" });
  const forged = batchBy("b", 1).bytes.slice();
  forged[forged.length - 1]! ^= 1;
  await assert.rejects(exchange.onBatch(a, forged), { code: "unproven" });
});
