import assert from "node:assert/strict";
import { test } from "node:test";
import { keyId } from "../../../src/wire/key.js";
import { makeBatch, type ReadBatch } from "../../../tools/node/chain/compose.js";
import { memberSetOf } from "../../../tools/node/chain/members.js";
import { BATCHES_PER_ORIGIN_MAX, createPool } from "../../../tools/node/chain/pool.js";
import { BLOCK_BATCHES_MAX } from "../../../tools/node/chain/proposal.js";
import { executionRecord } from "../../../tools/node/chain/record-scan.js";
import { generateSeed, signerFromSeed } from "../../../tools/node/crypto.js";
import { makeRecord } from "./cluster.js";

const signers = Array.from({ length: 4 }, () => signerFromSeed(generateSeed()));
const members = signers.map((signer, index) => ({ id: keyId(signer.key), key: signer.key, name: `node-${index}` }));
const set = memberSetOf(members);
const meter = signerFromSeed(generateSeed());

function batch(number: number, origin = 0, seq = number): ReadBatch {
  const records = [makeRecord(meter, keyId(meter.key), { seq, previous: new Uint8Array(seq === 0 ? 0 : 32) })];
  const content = {
    chain: 1,
    origin: members[origin]!.id,
    number,
    notices: [],
  };
  return makeBatch(new Uint8Array(32), content, records.map(executionRecord), (bytes) => signers[origin]!.sign(bytes));
}

const nameOf = (read: ReadBatch) => ({ origin: read.batch.origin, number: read.batch.number, id: read.id });
const by = (node: number) => ({ node: members[node]!.id, signature: new Uint8Array(64).fill(node) });

test("accepts a batch with the third of four acknowledgements, once", () => {
  const pool = createPool(set);
  const read = batch(0);
  assert.equal(pool.add(read), "added");
  const completes = [3, 3, 0, 1, 2].map((node) => pool.acknowledge(nameOf(read), by(node)));
  assert.deepEqual(completes, [false, false, false, true, false]);
  assert.equal(pool.acceptance(read.id)?.length, 3);
  assert.ok(pool.hasWork());
});

test("gives the acknowledgements in the order of the members", () => {
  const pool = createPool(set);
  const read = batch(0);
  pool.add(read);
  for (const node of [3, 1, 0]) pool.acknowledge(nameOf(read), by(node));
  assert.deepEqual(pool.acceptance(read.id), [by(0), by(1), by(3)]);
});

test("does not count an acknowledgement of somebody who is no member", () => {
  const pool = createPool(set);
  const read = batch(0);
  pool.add(read);
  for (const node of [0, 1]) pool.acknowledge(nameOf(read), by(node));
  assert.equal(pool.acknowledge(nameOf(read), { node: new Uint8Array(8), signature: new Uint8Array(64) }), false);
  assert.equal(pool.acceptance(read.id), undefined);
});

test("holds one batch for an origin and number", () => {
  const pool = createPool(set);
  assert.equal(pool.add(batch(0, 0, 1)), "added");
  assert.equal(pool.add(batch(0, 0, 1)), "known");
  assert.equal(pool.add(batch(0, 0, 2)), "conflict");
  assert.equal(pool.add(batch(0, 1, 3)), "added");
});

test("holds so many batches of an origin, and others' beside them", () => {
  const pool = createPool(set);
  for (let number = 0; number < BATCHES_PER_ORIGIN_MAX; number += 1) assert.equal(pool.add(batch(number)), "added");
  assert.equal(pool.add(batch(BATCHES_PER_ORIGIN_MAX)), "full");
  assert.equal(pool.add(batch(0, 1)), "added");
});

test("names what is accepted and not here, and has work when it comes", () => {
  const pool = createPool(set);
  const read = batch(0);
  for (const node of [0, 1, 2]) pool.acknowledge(nameOf(read), by(node));
  assert.deepEqual(pool.missing(), [nameOf(read)]);
  assert.equal(pool.hasWork(), false);
  assert.equal(pool.add(read), "added");
  assert.deepEqual(pool.missing(), []);
  assert.equal(pool.hasWork(), true);
});

test("offers accepted batches in the order of their arrival, no more than a block holds", () => {
  const pool = createPool(set);
  const reads = Array.from({ length: BLOCK_BATCHES_MAX + 4 }, (_, number) => batch(number));
  for (const read of reads) {
    pool.add(read);
    for (const node of [0, 1, 2]) pool.acknowledge(nameOf(read), by(node));
  }
  const offered = pool.candidates(({ batch: { number } }) => number !== 1).map(({ read }) => read.batch.number);
  assert.deepEqual(offered, [0, ...Array.from({ length: BLOCK_BATCHES_MAX - 1 }, (_, index) => index + 2)]);
});

test("a batch that would seal nothing is no work, but goes with one that does", () => {
  const pool = createPool(set);
  const [barren, fruitful] = [batch(0), batch(1)];
  for (const read of [barren, fruitful]) {
    pool.add(read);
    for (const node of [0, 1, 2]) pool.acknowledge(nameOf(read), by(node));
  }
  pool.markBarren([barren.id, fruitful.id]);
  assert.equal(pool.hasWork(), false);
  const third = batch(2);
  pool.add(third);
  for (const node of [0, 1, 2]) pool.acknowledge(nameOf(third), by(node));
  assert.equal(pool.hasWork(), true);
  assert.equal(pool.candidates(() => true).length, 3);
});

test("offers the oldest batch that seals something first, however many barren ones are older", () => {
  const pool = createPool(set);
  const reads = Array.from({ length: BLOCK_BATCHES_MAX + 2 }, (_, number) => batch(number));
  for (const read of reads) {
    pool.add(read);
    for (const node of [0, 1, 2]) pool.acknowledge(nameOf(read), by(node));
  }
  pool.markBarren(reads.slice(0, BLOCK_BATCHES_MAX + 1).map(({ id }) => id));
  const offered = pool.candidates(() => true).map(({ read }) => read.batch.number);
  assert.deepEqual(offered, [
    BLOCK_BATCHES_MAX + 1,
    ...Array.from({ length: BLOCK_BATCHES_MAX - 1 }, (_, index) => index),
  ]);
});

test("says which members an own batch waits for", () => {
  const pool = createPool(set);
  const read = batch(0);
  pool.add(read);
  pool.acknowledge(nameOf(read), by(0));
  assert.deepEqual(
    pool.unacknowledged(members[0]!.id).map(({ waitingFor }) => waitingFor.length),
    [3],
  );
  assert.deepEqual(pool.unacknowledged(members[1]!.id), []);
});
