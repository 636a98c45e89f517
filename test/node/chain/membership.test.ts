// Members that come and go while a chain runs: who may sign from which height on, and what proves it afterwards.

import assert from "node:assert/strict";
import { test } from "node:test";
import { acknowledgementBytes } from "../../../src/wire/batch.js";
import { decodeBlock } from "../../../src/wire/block.js";
import { toHex } from "../../../src/wire/bytes.js";
import { memberSetHash } from "../../../src/wire/genesis.js";
import { memberSets, membersAt } from "../../../src/wire/lineage.js";
import { readyBytes } from "../../../src/wire/order.js";
import { defaultVerifiers } from "../../../src/wire/quorum.js";
import { decodeReceipt, encodeReceipt, verifyReceipt } from "../../../src/wire/receipt.js";
import { nodeVerify } from "../../../tools/crypto/signatures.js";
import { decodeFrame, encodeBatchNote, encodeFrame } from "../../../tools/node/chain/frame.js";
import { storedBatches } from "../../../tools/node/chain/tables/batches.js";
import { blocks } from "../../../tools/node/chain/tables/blocks.js";
import { lineageOf } from "../../../tools/node/chain/tables/lineage.js";
import { createReceipts } from "../../../tools/node/ingest/receipts.js";
import { blockKey } from "../../../tools/node/store/keys.js";
import { followLineage, verifyReceipt as verifyReceiptAsStranger } from "../../wire/stranger-receipt.js";
import { createCluster, SERVICE, type TestCluster } from "./cluster.js";

/** Gives the chain these of the cluster's nodes as members, from a height soon. */
async function give(cluster: TestCluster, positions: readonly number[]): Promise<number> {
  const effectiveHeight = Math.max(...cluster.nodes.map(({ chain }) => chain.head.height)) + 2;
  const members = positions.map((position) => cluster.genesis.nodes[position]!);
  const ready = positions.map((position) => {
    const { signer } = cluster.nodes[position]!;
    const node = cluster.genesis.nodes[position]!.id;
    return { node, signature: signer.sign(readyBytes(cluster.genesis.hash, SERVICE, node)) };
  });
  await cluster.order({
    type: "members",
    chain: SERVICE,
    effectiveHeight,
    members,
    ready,
    verifiers: defaultVerifiers(members.length),
  });
  return effectiveHeight;
}

/** Seals one record after the other by way of one node until all nodes that run have this height. */
async function sealUpTo(
  cluster: TestCluster,
  by: number,
  meter: Awaited<ReturnType<TestCluster["meter"]>>,
  height: number,
) {
  const up = () => cluster.nodes.filter((node) => node.up);
  while (cluster.nodes[by]!.chain.head.height < height) {
    const next = cluster.nodes[by]!.chain.head.height + 1;
    assert.equal(await cluster.nodes[by]!.chain.admit(meter.next(), undefined), "admitted");
    await cluster.until(() => up().every(({ chain }) => chain.head.height >= next), `block ${next} is everywhere`);
  }
}

function signersOf(cluster: TestCluster, height: number): string[] {
  const block = decodeBlock(cluster.nodes.find(({ up }) => up)!.store.get(blocks, blockKey(SERVICE, height))!);
  return block.certificate.signatures.map(({ node }) => toHex(node));
}

test("a follower becomes a member, a member a follower, and receipts of all heights verify with the lineage alone", async (t) => {
  const cluster = await createCluster(5, 0, 4);
  t.after(() => cluster.close());
  const meter = await cluster.meter();
  await sealUpTo(cluster, 0, meter, 2);
  const joins = await give(cluster, [0, 1, 2, 3, 4]);
  await sealUpTo(cluster, 1, meter, joins - 1);
  assert.ok(cluster.nodes.every(({ chain, id }) => chain.hasMember(id)));
  await cluster.kill(3); // of five, four must sign: the new one too
  await sealUpTo(cluster, 4, meter, joins + 1);
  assert.ok(signersOf(cluster, joins).includes(cluster.nodes[4]!.id));
  await cluster.restart(3);
  await cluster.until(() => cluster.nodes[3]!.chain.head.height === joins + 1, "the node that was away is back");

  const leaves = await give(cluster, [1, 2, 3, 4]);
  await sealUpTo(cluster, 2, meter, leaves + 1);
  const removed = cluster.nodes[0]!;
  assert.ok(!removed.chain.hasMember(removed.id));
  for (let height = leaves; height <= leaves + 1; height += 1) {
    assert.ok(!signersOf(cluster, height).includes(removed.id));
  }
  assert.equal(await removed.chain.admit(meter.next(), undefined), "busy");

  const heads = new Set(cluster.nodes.map(({ chain }) => toHex(chain.head.headerHash)));
  assert.equal(heads.size, 1);
  for (const { store } of cluster.nodes) {
    const lineage = lineageOf(store, SERVICE);
    assert.equal(lineage.length, 2);
    const sets = memberSets(cluster.genesis, SERVICE, lineage, nodeVerify);
    assert.deepEqual(
      followLineage(cluster.genesisBytes, SERVICE, lineage).map(({ from, members }) => [
        from,
        members.map(({ id }) => id),
      ]),
      sets.map(({ from, members }) => [from, members.map(({ id }) => toHex(id))]),
    );
    const receipts = createReceipts(cluster.genesis.network, store);
    for (let height = 1; height <= leaves + 1; height += 1) {
      const block = decodeBlock(store.get(blocks, blockKey(SERVICE, height))!);
      assert.deepEqual(block.memberSet, memberSetHash(membersAt(sets, height)!));
      const receipt = decodeReceipt(receipts.find(SERVICE, meter.kid, height - 1)!);
      assert.equal(receipt.height, height);
      verifyReceipt(receipt, cluster.genesis, nodeVerify, lineage);
      verifyReceiptAsStranger(cluster.genesisBytes, encodeReceipt(receipt), lineage);
      const isOfNew = receipt.certificate.signatures.some(({ node }) => toHex(node) === cluster.nodes[4]!.id);
      if (height < joins) verifyReceipt(receipt, cluster.genesis, nodeVerify);
      else if (isOfNew) assert.throws(() => verifyReceipt(receipt, cluster.genesis, nodeVerify), /members|needed/);
    }
  }
});

test("temporary blocks that wait over a change are accepted by the new members, those of a removed node fall out", async (t) => {
  const cluster = await createCluster(6, 0, 4);
  t.after(() => cluster.close());
  const meters = await Promise.all([0, 1, 2].map(() => cluster.meter()));
  await sealUpTo(cluster, 0, meters[0]!, 2);
  const changes = await give(cluster, [1, 2, 3, 4]);
  await sealUpTo(cluster, 1, meters[1]!, changes - 1);
  const removed = cluster.nodes[0]!;
  assert.ok(!removed.chain.hasMember(removed.id));
  // It had gathered this before it knew; its meter has it still, and offers it to another node.
  assert.equal(await cluster.nodes[4]!.chain.admit(meters[2]!.next(), undefined), "admitted");
  await cluster.until(() => cluster.nodes.every(({ chain }) => chain.head.height === changes), "it is sealed");
  const { batches } = decodeBlock(removed.store.get(blocks, blockKey(SERVICE, changes))!);
  const nodes = batches.flatMap(({ acknowledgements }) => acknowledgements.map(({ node }) => toHex(node)));
  assert.ok(!nodes.includes(removed.id));
});

test("a removed node's signature is worth nothing: neither its acknowledgement nor its frames are taken", async (t) => {
  const cluster = await createCluster(4);
  t.after(() => cluster.close());
  const meter = await cluster.meter();
  await sealUpTo(cluster, 0, meter, 1);
  const changes = await give(cluster, [0, 1, 2]);
  await sealUpTo(cluster, 0, meter, changes - 1);
  // Three members have to agree on everything: without one of them nothing goes on, whatever the removed one says.
  await cluster.kill(2);
  const record = meter.next();
  assert.equal(await cluster.nodes[0]!.chain.admit(record, undefined), "admitted");
  await new Promise((resolve) => setTimeout(resolve, 300));
  const [stored] = storedBatches(cluster.nodes[0]!.store, SERVICE);
  assert.ok(stored !== undefined, "its temporary block waits");
  const { origin, number } = stored;
  const id = cluster.nodes[0]!.sealed[0]!.block.batches[0]!.id;
  const removed = cluster.nodes[3]!;
  const signed = acknowledgementBytes(cluster.genesis.hash, SERVICE, { origin, number, id }, true);
  const note = encodeBatchNote({ origin, number, id }, [
    { node: cluster.genesis.nodes[3]!.id, signature: removed.signer.sign(signed), verified: true },
  ]);
  await cluster.nodes[0]!.chain.onFrame(removed.id, decodeFrame(encodeFrame("acknowledge", SERVICE, note))!);
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  assert.equal(cluster.nodes[0]!.chain.head.height, changes - 1, "two of three are no quorum");
  await cluster.restart(2);
  await cluster.until(() => cluster.nodes.every(({ chain }) => chain.head.height === changes), "with three it goes on");
  assert.deepEqual(new Set(signersOf(cluster, changes)), new Set([0, 1, 2].map((index) => cluster.nodes[index]!.id)));
});
