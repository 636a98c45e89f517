import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { decodeBlock } from "../../../src/wire/block.js";
import { toHex } from "../../../src/wire/bytes.js";
import { decodeHeader } from "../../../src/wire/header.js";
import { leafCount } from "../../../src/wire/merkle.js";
import { decodeReceipt, verifyReceipt } from "../../../src/wire/receipt.js";
import { parseRecord, signRecord } from "../../../src/wire/record.js";
import { nodeVerify } from "../../../tools/crypto/signatures.js";
import { viewOf } from "../../../tools/node/chain/stored-state.js";
import { blocks } from "../../../tools/node/chain/tables/blocks.js";
import { sealedOf } from "../../../tools/node/chain/tables/sealed-disclosures.js";
import { violationsOf } from "../../../tools/node/chain/violation-list.js";
import { createReceipts } from "../../../tools/node/ingest/receipts.js";
import { blockKey, hashKey } from "../../../tools/node/store/keys.js";
import { decodeOutline, encodeOutline, outlineOf, treeOfOutline } from "../../../tools/node/store/outline.js";
import {
  heightOf,
  heightSince,
  prunableOf,
  pruneChain,
  reasonToKeep,
  WHOLE_BLOCKS_MIN,
} from "../../../tools/node/store/prune.js";
import { createCluster, SERVICE } from "../chain/cluster.js";

const BLOCKS = WHOLE_BLOCKS_MIN + 6;

/** A chain of one node with a record a block. */
async function createLongChain(t: TestContext) {
  const cluster = await createCluster(1);
  t.after(() => cluster.close());
  const meter = await cluster.meter();
  const node = cluster.nodes[0]!;
  const records = [];
  for (let index = 0; index < BLOCKS; index += 1) {
    const record = meter.next();
    records.push(record);
    const { kid, claims, hash: recordHash } = record;
    const sealed = {
      envelope: new Uint8Array(32),
      nonce: new Uint8Array(12),
      ciphertext: new Uint8Array(16).fill(index),
    };
    await node.chain.admit(record, { kid, seq: claims.seq, recordHash, ...sealed });
    await cluster.until(() => node.chain.head.records === index + 1, `record ${index} is sealed`);
  }
  return { cluster, meter, node, records };
}

test("lets go of old records and sealed disclosures; receipts of them are still made and verify", async (t) => {
  const { cluster, node, records } = await createLongChain(t);
  const { store } = node;
  const before = createReceipts(cluster.genesis.network, store);
  const expected = records.map(({ kid, claims }) => before.find(SERVICE, kid, claims.seq)!);
  assert.deepEqual(prunableOf(store, SERVICE, 5), { blocks: 4, records: 4 });
  assert.deepEqual(await pruneChain(store, SERVICE, 5), { blocks: 4, records: 4 });
  assert.deepEqual(prunableOf(store, SERVICE, 5), { blocks: 0, records: 0 });
  assert.deepEqual(await pruneChain(store, SERVICE, 5), { blocks: 0, records: 0 });
  assert.deepEqual(await pruneChain(store, SERVICE, BLOCKS), { blocks: 2, records: 2 });
  assert.match(reasonToKeep(store, SERVICE, 1), /^its oldest block is of \d{4}-\d\d-\d\dT/);
  assert.equal(reasonToKeep(store, SERVICE, 5), "those below height 5 are gone already");
  const gone = "those below height 7 are gone already, and the newest 64 stay";
  assert.equal(reasonToKeep(store, SERVICE, BLOCKS), gone);
  assert.equal(reasonToKeep(store, SERVICE + 1, 5), "it has no block yet");
  const receipts = createReceipts(cluster.genesis.network, store);
  const view = viewOf(store, SERVICE);
  for (const [index, { kid, claims, hash }] of records.entries()) {
    const isWhole = index >= BLOCKS - WHOLE_BLOCKS_MIN;
    assert.equal(store.get(blocks, blockKey(SERVICE, index + 1)) !== undefined, isWhole);
    assert.equal(sealedOf(store, hashKey(SERVICE, kid, claims.seq, hash)).length > 0, isWhole);
    const receipt = receipts.find(SERVICE, kid, claims.seq)!;
    assert.deepEqual(receipt, expected[index]);
    verifyReceipt(decodeReceipt(receipt), cluster.genesis, nodeVerify);
    assert.deepEqual(view.sealedHash(toHex(kid), claims.seq), hash);
  }
});

test("the first block since a time is found in whole blocks and in those that were let go of alike", async (t) => {
  const { node } = await createLongChain(t);
  const { store } = node;
  const time_s = (height: number) =>
    decodeHeader(decodeBlock(store.get(blocks, blockKey(SERVICE, height))!).header).time_s;
  const times = Array.from({ length: BLOCKS }, (_, index) => time_s(index + 1));
  await pruneChain(store, SERVICE, 4);
  assert.equal(heightOf(store, SERVICE), BLOCKS);
  for (const since_s of [times[0]! - 1, times[2]!, times[2]! + 1, times.at(-1)!, times.at(-1)! + 1]) {
    const first = times.findIndex((time) => time >= since_s);
    assert.equal(heightSince(store, SERVICE, since_s), first < 0 ? BLOCKS + 1 : first + 1, `since ${since_s}`);
  }
});

test("a second record with a number whose record is gone is still a fork, and the chain goes on over a restart", async (t) => {
  const { cluster, meter, node, records } = await createLongChain(t);
  await pruneChain(node.store, SERVICE, 4);
  await cluster.kill(0);
  await cluster.restart(0);
  const { claims, kid } = records[1]!;
  const other = parseRecord(signRecord({ ...claims, time_s: claims.time_s + 1 }, [], meter.signer, kid));
  const { chain } = cluster.nodes[0]!;
  assert.equal(chain.known(records[1]!), "sealed");
  assert.equal(chain.known(other), "other");
  assert.equal(await chain.admit(other, undefined), "admitted");
  await cluster.until(() => chain.head.counter === 1, "the fork is recorded");

  // What a block says against somebody stays when the block is let go of, with its proof.
  const { store } = cluster.nodes[0]!;
  const { found } = violationsOf(store, { subject: kid, limit: 9 });
  assert.deepEqual(
    found.map(({ height, violation }) => [height, violation.kind, "detail" in violation && violation.detail]),
    [[chain.head.height, "fork", other.stripped]],
  );
  const ofFork = chain.head.height;
  for (let index = 0; index < WHOLE_BLOCKS_MIN; index += 1) {
    const records_ = chain.head.records + 1;
    await chain.admit(meter.next(), undefined);
    await cluster.until(() => chain.head.records === records_, "a further record");
  }
  await pruneChain(store, SERVICE, ofFork + 1);
  assert.equal(store.get(blocks, blockKey(SERVICE, ofFork)), undefined);
  assert.deepEqual(violationsOf(store, { subject: kid, limit: 9 }).found, found);
});

test("an outline reads back as it was written, and one that was changed has no tree", async (t) => {
  const { node } = await createLongChain(t);
  const outline = outlineOf(decodeBlock(node.store.get(blocks, blockKey(SERVICE, 3))!));
  assert.deepEqual(decodeOutline(encodeOutline(outline)), outline);
  assert.equal(leafCount(treeOfOutline(outline)!), 2);
  const changed = { ...outline, hashes: [new Uint8Array(32)] };
  assert.equal(treeOfOutline(changed), undefined);
});
