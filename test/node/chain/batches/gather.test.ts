import assert from "node:assert/strict";
import { test } from "node:test";
import { BATCH_BYTES_MAX, decodeBatch, encodeBatch } from "../../../../src/wire/batch.js";
import { BATCH_RECORDS_MAX } from "../../../../src/wire/bounds.js";
import { CREDENTIAL_BYTES_MAX } from "../../../../src/wire/credential.js";
import { OPERATION_BYTES_MAX } from "../../../../src/wire/operation.js";
import { ORDER_BYTES_MAX } from "../../../../src/wire/order.js";
import type { ExecutionRecord } from "../../../../tools/ledger/record-scan.js";
import { BLOCK_OPERATIONS_MAX } from "../../../../tools/ledger/run-plan.js";
import { createGather, WAITING_BYTES_MAX } from "../../../../tools/node/chain/batches/gather.js";

const recordOf = (seq: number, size: number, meter = "00"): ExecutionRecord => {
  const hash = new Uint8Array(32).fill(seq);
  return { bytes: new Uint8Array(size), hash, leaf: hash, meter, seq, previousAt: 0, type: undefined, hides: false };
};

/** The temporary block of what is cut, with the largest credential of each record and these orders. */
function blockOf(records: readonly ExecutionRecord[], orders: readonly Uint8Array[]): Uint8Array {
  const credentials = records.map(() => ({ kind: "credential" as const, bytes: new Uint8Array(CREDENTIAL_BYTES_MAX) }));
  const notices = [...credentials, ...orders.map((bytes) => ({ kind: "order" as const, bytes }))];
  const batch = { chain: 5, origin: new Uint8Array(8), number: 0, notices, records: records.map(({ bytes }) => bytes) };
  return encodeBatch(batch, new Uint8Array(64));
}

test("cuts no more than a temporary block holds with a credential for each record, however large the last one is", () => {
  const gather = createGather(BATCH_RECORDS_MAX);
  for (let seq = 0; seq < BATCH_RECORDS_MAX - 1; seq += 1) gather.add(recordOf(seq, 1_049));
  assert.equal(gather.add(recordOf(BATCH_RECORDS_MAX - 1, OPERATION_BYTES_MAX)), true);
  const records = gather.cut(0);
  const bytes = blockOf(records, []);
  assert.ok(bytes.length <= BATCH_BYTES_MAX, String(bytes.length));
  assert.equal(decodeBatch(bytes).batch.records.length, records.length);
  assert.ok(records.length >= 900 && gather.pending === BATCH_RECORDS_MAX - records.length);
});

test("makes room for as many orders as a temporary block may have, the largest of them", () => {
  const gather = createGather(BATCH_RECORDS_MAX);
  for (let seq = 0; seq < BATCH_RECORDS_MAX; seq += 1) gather.add(recordOf(seq, 1_040));
  const orders = Array.from({ length: 16 }, () => new Uint8Array(ORDER_BYTES_MAX));
  const records = gather.cut(16 * ORDER_BYTES_MAX);
  assert.ok(blockOf(records, orders).length <= BATCH_BYTES_MAX);
  assert.ok(records.length > 400);
});

test("has no room for more bytes than a node keeps, and room again for what is sealed", () => {
  const gather = createGather(BATCH_RECORDS_MAX);
  const count = WAITING_BYTES_MAX / OPERATION_BYTES_MAX;
  const bytes = new Uint8Array(OPERATION_BYTES_MAX);
  for (let seq = 0; seq < count; seq += 1) {
    assert.equal(gather.hasRoom, true);
    gather.note({ ...recordOf(seq, 0), bytes });
  }
  assert.equal(gather.hasRoom, false);
  gather.note({ ...recordOf(0, 0), bytes });
  assert.equal(gather.waitingOf("00"), count, "the same record again");
  gather.forget("00", 7);
  gather.forget("00", 7);
  assert.equal(gather.hasRoom, true);
});

test("a record that comes again while it waits stands once in what is cut, and two of one number both", () => {
  const gather = createGather(BATCH_RECORDS_MAX);
  const record = recordOf(0, 100);
  const fork = { ...record, hash: new Uint8Array(32).fill(9) };
  gather.add(record);
  gather.add({ ...record });
  gather.add(fork);
  assert.deepEqual(gather.cut(0), [record, fork]);
  gather.add(record);
  assert.deepEqual(gather.cut(0), [record], "what was cut and comes back waits again");
  gather.add(record);
  gather.add(fork);
  gather.add(fork);
  assert.equal(gather.pending, 2);
});

test("participants take turns, and what a block left out comes first", () => {
  const gather = createGather(BATCH_RECORDS_MAX);
  const asked = (meter: string, seq: number) => ({ ...recordOf(seq, 100, meter), type: 1 });
  const named = (records: readonly ExecutionRecord[]) => records.map(({ meter, seq }) => `${meter}${seq}`);
  for (let seq = 0; seq < 40; seq += 1) gather.add(asked("a", seq));
  gather.add(recordOf(0, 100, "m"));
  for (let seq = 0; seq < 2; seq += 1) gather.add(asked("b", seq));
  const first = named(gather.cut(0));
  assert.deepEqual(first.slice(0, 6), ["a0", "b0", "a1", "b1", "a2", "a3"]);
  assert.equal(first.length, BLOCK_OPERATIONS_MAX, "an operation more has no room");
  gather.putBack([asked("b", 1), asked("a", 2)]);
  assert.equal(gather.waiting("b", 1, asked("b", 1).hash), "same");
  gather.putBack([asked("b", 0), asked("b", 0), asked("b", 1)]);
  assert.deepEqual(named(gather.cut(0)).slice(0, 4), ["b0", "a2", "b1", "a30"]);
  assert.equal(gather.pending, 0);
});
