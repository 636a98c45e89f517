import assert from "node:assert/strict";
import { test } from "node:test";
import { BLOCK_BATCHES_MAX } from "../../../../src/wire/bounds.js";
import {
  BATCH_BYTES_PER_ORIGIN_MAX,
  BATCHES_PER_ORIGIN_MAX,
  createPool,
  SPENT_RECORDS_PER_ORIGIN_MAX,
} from "../../../../tools/node/chain/batches/pool.js";
import { batch, by, members, nameOf, set } from "../batches.js";

test("accepts a batch with the third of four acknowledgements, once", () => {
  const pool = createPool(set);
  const read = batch(0);
  assert.equal(pool.add(read, 0), "added");
  const completes = [3, 3, 0, 1, 2].map((node) => pool.acknowledge(nameOf(read), by(node)));
  assert.deepEqual(completes, [false, false, false, true, false]);
  assert.equal(pool.acceptance(read.id)?.length, 3);
  assert.ok(pool.hasWork());
});

test("gives the acknowledgements in the order of the members", () => {
  const pool = createPool(set);
  const read = batch(0);
  pool.add(read, 0);
  for (const node of [3, 1, 0]) pool.acknowledge(nameOf(read), by(node));
  assert.deepEqual(pool.acceptance(read.id), [by(0), by(1), by(3)]);
});

test("does not count an acknowledgement of somebody who is no member", () => {
  const pool = createPool(set);
  const read = batch(0);
  pool.add(read, 0);
  for (const node of [0, 1]) pool.acknowledge(nameOf(read), by(node));
  assert.equal(pool.acknowledge(nameOf(read), { ...by(0), node: new Uint8Array(8) }), false);
  assert.equal(pool.acceptance(read.id), undefined);
});

test("holds one batch for an origin and number", () => {
  const pool = createPool(set);
  assert.equal(pool.add(batch(0, 0, 1), 0), "added");
  assert.equal(pool.add(batch(0, 0, 1), 0), "known");
  assert.equal(pool.add(batch(0, 0, 2), 0), "conflict");
  assert.equal(pool.add(batch(0, 1, 3), 0), "added");
});

test("holds so many batches of an origin, and others' beside them", () => {
  const pool = createPool(set);
  for (let number = 0; number < BATCHES_PER_ORIGIN_MAX; number += 1) assert.equal(pool.add(batch(number), 0), "added");
  assert.equal(pool.add(batch(BATCHES_PER_ORIGIN_MAX), 0), "full");
  assert.equal(pool.add(batch(0, 1), 0), "added");
});

/** The same temporary block, as if it had so many records, or bytes. */
function swollen(number: number, { records = 1, bytes = 0 }, origin = 0) {
  const read = batch(number, origin);
  return { ...read, records: Array.from({ length: records }, () => read.records[0]!), bytes: new Uint8Array(bytes) };
}

test("holds so many bytes of an origin, however few temporary blocks they are", () => {
  const pool = createPool(set);
  const bytes = BATCH_BYTES_PER_ORIGIN_MAX / 8;
  for (let number = 0; number < 8; number += 1) assert.equal(pool.add(swollen(number, { bytes }), 0), "added");
  const further = swollen(8, { bytes: 1 });
  assert.equal(pool.placingOf(further, false), "full");
  assert.equal(pool.add(further, 0), "full");
  assert.equal(pool.add(swollen(8, { bytes }, 1), 0), "added");
  for (const node of [0, 1, 2]) pool.acknowledge(nameOf(further), by(node));
  assert.equal(pool.add(further, 0), "added", "a quorum has accepted it: it may be sealed");
});

test("holds of what is sealed already no more records of an origin than one temporary block has", () => {
  const pool = createPool(set);
  const records = SPENT_RECORDS_PER_ORIGIN_MAX;
  assert.equal(pool.add(swollen(0, { records }), 0, true), "added");
  assert.equal(pool.add(swollen(1, {}), 0, true), "full");
  assert.equal(pool.add(swollen(1, { records }), 0, false), "added", "what is new has room beside it");
  assert.equal(pool.add(swollen(0, { records }, 1), 0, true), "added");
  pool.remove([batch(0).id]);
  assert.equal(pool.add(swollen(2, { records }), 0, true), "added", "once it is sealed there is room");
});

test("a block looks through one full temporary block that seals nothing, whatever waits", () => {
  const pool = createPool(set);
  const reads = [0, 1, 2].map((origin) => swollen(0, { records: SPENT_RECORDS_PER_ORIGIN_MAX }, origin));
  for (const read of [...reads, batch(7, 3)]) {
    pool.add(read, 0, read.records.length > 1);
    for (const node of [0, 1, 2]) pool.acknowledge(nameOf(read), by(node));
  }
  const offered = pool.candidates(() => true).map(({ read }) => [read.batch.number, read.records.length]);
  assert.deepEqual(offered, [
    [7, 1],
    [0, SPENT_RECORDS_PER_ORIGIN_MAX],
  ]);
});

test("names what is accepted and not here, and has work when it comes", () => {
  const pool = createPool(set);
  const read = batch(0);
  for (const node of [0, 1, 2]) pool.acknowledge(nameOf(read), by(node));
  assert.deepEqual(pool.missing(), [nameOf(read)]);
  assert.equal(pool.hasWork(), false);
  assert.equal(pool.add(read, 0), "added");
  assert.deepEqual(pool.missing(), []);
  assert.equal(pool.hasWork(), true);
});

test("offers accepted batches in the order of their arrival, no more than a block holds", () => {
  const pool = createPool(set);
  const reads = Array.from({ length: BLOCK_BATCHES_MAX + 4 }, (_, number) => batch(number));
  for (const read of reads) {
    pool.add(read, 0);
    for (const node of [0, 1, 2]) pool.acknowledge(nameOf(read), by(node));
  }
  const offered = pool.candidates(({ batch: { number } }) => number !== 1).map(({ read }) => read.batch.number);
  assert.deepEqual(offered, [0, ...Array.from({ length: BLOCK_BATCHES_MAX - 1 }, (_, index) => index + 2)]);
});

test("a batch that would seal nothing is no work, but goes with one that does", () => {
  const pool = createPool(set);
  const [barren, fruitful] = [batch(0), batch(1)];
  for (const read of [barren, fruitful]) {
    pool.add(read, 0);
    for (const node of [0, 1, 2]) pool.acknowledge(nameOf(read), by(node));
  }
  pool.markBarren([barren.id, fruitful.id]);
  assert.equal(pool.hasWork(), false);
  const third = batch(2);
  pool.add(third, 0);
  for (const node of [0, 1, 2]) pool.acknowledge(nameOf(third), by(node));
  assert.equal(pool.hasWork(), true);
  assert.equal(pool.candidates(() => true).length, 3);
});

test("looks again at what would not be sealed when orders have come, but not at what is sealed already", () => {
  const pool = createPool(set);
  const [waiting, spent] = [batch(0), batch(1)];
  for (const read of [waiting, spent]) {
    pool.add(read, 0, read === spent);
    for (const node of [0, 1, 2]) pool.acknowledge(nameOf(read), by(node));
  }
  const isSuspended = () => false;
  assert.equal(pool.hasWork(isSuspended), false);
  assert.equal(
    pool.hasWork(() => true),
    false,
    "nothing tells that its meter is resumed",
  );
  pool.reconsider();
  const looked: number[] = [];
  const note = ({ batch: { number } }: typeof waiting) => looked.push(number) > 1;
  assert.equal(pool.hasWork(note), false);
  assert.deepEqual(looked, [0], "all of the other is sealed");
});

test("offers the oldest batch that seals something first, however many barren ones are older", () => {
  const pool = createPool(set);
  const reads = Array.from({ length: BLOCK_BATCHES_MAX + 2 }, (_, number) => batch(number));
  for (const read of reads) {
    pool.add(read, 0);
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
  pool.add(read, 0);
  pool.acknowledge(nameOf(read), by(0));
  assert.deepEqual(
    pool.unacknowledged(members[0]!.id).map(({ waitingFor }) => waitingFor.length),
    [3],
  );
  assert.deepEqual(pool.unacknowledged(members[1]!.id), []);
});

test("knows of a batch that came lately and waits for its quorum", () => {
  const pool = createPool(set);
  const read = batch(0);
  assert.equal(pool.isAcceptanceDue(0), false);
  for (const node of [0, 1]) pool.acknowledge(nameOf(read), by(node));
  assert.equal(pool.isAcceptanceDue(0), false, "it has not come");
  pool.add(read, 70);
  assert.deepEqual([70, 71].map(pool.isAcceptanceDue), [true, false]);
  pool.acknowledge(nameOf(read), by(2));
  assert.equal(pool.isAcceptanceDue(70), false);
});
