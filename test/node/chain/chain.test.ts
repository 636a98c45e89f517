import assert from "node:assert/strict";
import { test } from "node:test";
import { BLOCK_BATCHES_MAX } from "../../../src/wire/bounds.js";
import { toHex } from "../../../src/wire/bytes.js";
import { decodeReceipt, verifyReceipt } from "../../../src/wire/receipt.js";
import { nodeVerify } from "../../../tools/crypto/signatures.js";
import { decodeFrame } from "../../../tools/node/chain/frame.js";
import { blocks as blockTable } from "../../../tools/node/chain/tables/blocks.js";
import { createReceipts } from "../../../tools/node/ingest/receipts.js";
import { blockKey } from "../../../tools/node/store/keys.js";
import { verifyExport } from "../../wire/stranger.js";
import { createCluster, makeRecord, SERVICE } from "./cluster.js";

const recordsOf = (node: { chain: { head: { records: number } } }) => node.chain.head.records;

test("four nodes seal what one of them admits, and the receipts verify", async (t) => {
  const cluster = await createCluster(4);
  t.after(() => cluster.close());
  const meter = await cluster.meter();
  const records = Array.from({ length: 250 }, () => meter.next());
  for (const record of records) assert.equal(await cluster.nodes[0]!.chain.admit(record, undefined), "admitted");
  await cluster.until(
    () => cluster.nodes.every((node) => recordsOf(node) === 250),
    "250 records are sealed on all nodes",
  );
  const [origin, ...others] = cluster.nodes.map(({ waited_ms }) => waited_ms);
  assert(origin!.length >= 3 && origin!.every((wait_ms) => wait_ms > 0), "100 records at most make a temporary block");
  assert.deepEqual(others.flat(), []);
  const heads = new Set(cluster.nodes.map((node) => toHex(node.chain.head.headerHash)));
  assert.equal(heads.size, 1);
  assert.equal(cluster.nodes[0]!.chain.head.counter, 0);
  for (const node of cluster.nodes) {
    const receipts = createReceipts(cluster.genesis.network, node.store);
    for (const record of records) {
      const receipt = decodeReceipt(receipts.find(SERVICE, record.kid, record.claims.seq)!);
      assert.deepEqual(receipt.recordHash, record.hash);
      verifyReceipt(receipt, cluster.genesis, nodeVerify);
    }
  }
});

test("a node that is no member follows the chain, signs nothing of it and serves it to another that follows", async (t) => {
  const cluster = await createCluster(6, 0, 4);
  t.after(() => cluster.close());
  const follower = cluster.nodes[4]!;
  const late = cluster.nodes[5]!;
  await cluster.kill(5);
  const meter = await cluster.meter();
  for (let round = 1; round <= 3; round += 1) {
    assert.equal(await cluster.nodes[round % 4]!.chain.admit(meter.next(), undefined), "admitted");
    const up = cluster.nodes.filter((node) => node.up);
    await cluster.until(() => up.every((node) => recordsOf(node) === round), `the follower has record ${round}`);
  }
  assert.equal(await follower.chain.admit(meter.next(), undefined), "busy", "its meters are to go elsewhere");
  const signers = follower.sealed.flatMap(({ block }) => block.certificate.signatures.map(({ node }) => toHex(node)));
  assert.ok(!signers.includes(follower.id));
  for (const { block } of follower.sealed) {
    for (const { acknowledgements } of block.batches) {
      assert.ok(!acknowledgements.some(({ node }) => toHex(node) === follower.id));
    }
  }
  for (const index of [0, 1, 2, 3]) await cluster.kill(index);
  await cluster.restart(5);
  await cluster.until(() => recordsOf(late) === 3, "the other follower has what the first one has");
});

test("records of all nodes at once are sealed once each", async (t) => {
  const cluster = await createCluster(4);
  t.after(() => cluster.close());
  const meters = await Promise.all(cluster.nodes.map(() => cluster.meter()));
  await Promise.all(
    cluster.nodes.flatMap((node, index) =>
      Array.from({ length: 50 }, () => node.chain.admit(meters[index]!.next(), undefined)),
    ),
  );
  await cluster.until(
    () => cluster.nodes.every((node) => recordsOf(node) === 200),
    "200 records are sealed on all nodes",
  );
});

test("a record that two nodes admit is sealed once", async (t) => {
  const cluster = await createCluster(4);
  t.after(() => cluster.close());
  const meter = await cluster.meter();
  const [first, second] = [meter.next(), meter.next()];
  await Promise.all([0, 1].map((index) => cluster.nodes[index]!.chain.admit(first, undefined)));
  await cluster.nodes[2]!.chain.admit(second, undefined);
  await cluster.until(() => cluster.nodes.every((node) => recordsOf(node) === 2), "both records are sealed");
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.ok(cluster.nodes.every((node) => recordsOf(node) === 2 && node.chain.head.counter === 0));
  assert.equal(cluster.nodes[0]!.chain.known(first), "sealed");
});

test("more temporary blocks than a block holds that only repeat sealed records do not keep a new record from being sealed", async (t) => {
  const cluster = await createCluster(4);
  t.after(() => cluster.close());
  const meter = await cluster.meter();
  const records = Array.from({ length: BLOCK_BATCHES_MAX + 4 }, () => meter.next());
  // Three nodes hold the same records, each in a temporary block of its own, before any of them is sealed.
  cluster.passes = (_from, _to, frame) => decodeFrame(frame)?.kind !== "consensus";
  for (const node of cluster.nodes.slice(0, 3)) {
    for (const record of records) {
      await node.chain.admit(record, undefined);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
  cluster.passes = () => true;
  await cluster.until(() => cluster.nodes.every((node) => recordsOf(node) === records.length), "they are sealed");
  await cluster.nodes[3]!.chain.admit(meter.next(), undefined);
  await cluster.until(
    () => cluster.nodes.every((node) => recordsOf(node) > records.length),
    "the new record is sealed",
  );
});

test("a record is cut into a temporary block in its time, however often others have theirs sealed", async (t) => {
  const cluster = await createCluster(4, 0, 4, [SERVICE], (index) => (index === 0 ? 300 : 20));
  t.after(() => cluster.close());
  const meters = [await cluster.meter(), await cluster.meter()];
  const record = meters[0]!.next();
  await cluster.nodes[0]!.chain.admit(record, undefined);
  let others = 0;
  while (cluster.nodes[0]!.chain.known(record) !== "sealed") {
    others += 1;
    assert(others < 200, "they go on for five seconds, and it waits for them");
    await cluster.nodes[1]!.chain.admit(meters[1]!.next(), undefined);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  assert(recordsOf(cluster.nodes[0]!) > 1);
});

test("a fork of a meter's chain becomes one violation, and the first record stays", async (t) => {
  const cluster = await createCluster(4);
  t.after(() => cluster.close());
  const meter = await cluster.meter();
  const first = meter.next();
  await cluster.nodes[0]!.chain.admit(first, undefined);
  await cluster.until(() => recordsOf(cluster.nodes[1]!) === 1, "the first record is sealed");
  const second = makeRecord(meter.signer, meter.kid, { seq: 0, previous: new Uint8Array(0), time_s: 5 });
  await cluster.until(() => recordsOf(cluster.nodes[0]!) === 1, "the first record is sealed at its origin");
  assert.equal(cluster.nodes[0]!.chain.known(second), "other");
  assert.equal(await cluster.nodes[0]!.chain.admit(second, undefined), "admitted");
  await cluster.until(() => cluster.nodes.every((node) => node.chain.head.counter === 1), "the fork is a violation");
  assert.ok(cluster.nodes.every((node) => recordsOf(node) === 1));
  // Somebody with another decoder and node:crypto alone comes to the same, from the genesis and the exported blocks.
  const { store, chain } = cluster.nodes[3]!;
  const blocks = Array.from(
    { length: chain.head.height },
    (_, index) => store.get(blockTable, blockKey(SERVICE, index + 1))!,
  );
  const proven = verifyExport(cluster.genesisBytes, Buffer.concat(blocks));
  assert.equal(proven.counter, 1);
  assert.deepEqual(
    proven.records.map(({ hash }) => hash),
    [toHex(first.hash)],
  );
});

test("three of four nodes go on, and the fourth catches up when it is back", async (t) => {
  const cluster = await createCluster(4);
  t.after(() => cluster.close());
  const meter = await cluster.meter();
  await cluster.nodes[0]!.chain.admit(meter.next(), undefined);
  await cluster.until(() => cluster.nodes.every((node) => recordsOf(node) === 1), "one record is sealed");
  await cluster.kill(3);
  for (let index = 0; index < 5; index += 1) {
    await cluster.nodes[0]!.chain.admit(meter.next(), undefined);
    await cluster.until(() => recordsOf(cluster.nodes[0]!) === index + 2, `record ${index + 2} is sealed by three`);
  }
  await cluster.restart(3);
  await cluster.until(() => recordsOf(cluster.nodes[3]!) === 6, "the fourth has caught up");
  await cluster.nodes[3]!.chain.admit(meter.next(), undefined);
  await cluster.until(() => cluster.nodes.every((node) => recordsOf(node) === 7), "the fourth seals again");
});

test("what a node admitted before it was killed is sealed after it is back", async (t) => {
  const cluster = await createCluster(4);
  t.after(() => cluster.close());
  const meter = await cluster.meter();
  await Promise.all(Array.from({ length: 30 }, () => cluster.nodes[2]!.chain.admit(meter.next(), undefined)));
  await cluster.kill(2);
  await cluster.restart(2);
  await cluster.until(() => cluster.nodes.every((node) => recordsOf(node) === 30), "all 30 are sealed");
});

test("a node whose store is lost follows, and votes again when the chain is two blocks further", async (t) => {
  const cluster = await createCluster(4);
  t.after(() => cluster.close());
  const meter = await cluster.meter();
  const sealOne = async (index: number) => {
    const wanted = recordsOf(cluster.nodes[0]!) + 1;
    await cluster.nodes[index]!.chain.admit(meter.next(), undefined);
    await cluster.until(
      () => cluster.nodes.every((node) => !node.up || recordsOf(node) === wanted),
      `record ${wanted} is sealed`,
    );
  };
  await sealOne(0);
  await cluster.kill(3);
  await cluster.restart(3, true);
  for (let index = 0; index < 4; index += 1) await sealOne(0);
  // Without a second node, the chain goes on only with the votes of the one that lost its store.
  await cluster.kill(1);
  for (let index = 0; index < 2; index += 1) await sealOne(0);
});

test("an idle chain makes no blocks", async (t) => {
  const cluster = await createCluster(4);
  t.after(() => cluster.close());
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  assert.ok(cluster.nodes.every((node) => node.chain.head.height === 0));
});

test("a chain of one node seals by itself, and one with a target mines its nonces", async (t) => {
  const cluster = await createCluster(1, 0x2000ffff);
  t.after(() => cluster.close());
  const meter = await cluster.meter();
  await cluster.nodes[0]!.chain.admit(meter.next(), undefined);
  await cluster.until(() => recordsOf(cluster.nodes[0]!) === 1, "the record is sealed");
  assert.equal(cluster.nodes[0]!.chain.head.headerHash[0], 0);
});

test("a block is live where its proposal was seen, and not where it was fetched", async (t) => {
  const cluster = await createCluster(4);
  t.after(() => cluster.close());
  await cluster.kill(3);
  const meter = await cluster.meter();
  await cluster.nodes[0]!.chain.admit(meter.next(), undefined);
  await cluster.until(() => cluster.nodes.slice(0, 3).every((node) => recordsOf(node) === 1), "three seal it");
  await cluster.restart(3);
  await cluster.until(() => recordsOf(cluster.nodes[3]!) === 1, "the fourth fetches it");
  assert.deepEqual(
    cluster.nodes.map(({ sealed }) => sealed.map(({ sealing_ms }) => sealing_ms !== undefined)),
    [[true], [true], [true], [false]],
  );
});
