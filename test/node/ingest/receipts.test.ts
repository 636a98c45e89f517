import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { decodeBlock } from "../../../src/wire/block.js";
import { decodeReceipt, verifyReceipt } from "../../../src/wire/receipt.js";
import { nodeVerify } from "../../../tools/crypto/signatures.js";
import { blocks } from "../../../tools/node/chain/tables/blocks.js";
import { createReceipts } from "../../../tools/node/ingest/receipts.js";
import { treeOf } from "../../../tools/node/store/block-trees.js";
import { type BlockKey, blockKey, heightIn } from "../../../tools/node/store/keys.js";
import type { Table } from "../../../tools/node/store/table.js";
import { createCluster, SERVICE } from "../chain/cluster.js";

/** A node whose chain holds so many records in blocks of their own, and how often each of its blocks is read. */
async function createSealed(t: TestContext, count: number) {
  const cluster = await createCluster(1);
  t.after(() => cluster.close());
  const meter = await cluster.meter();
  const { chain, store } = cluster.nodes[0]!;
  for (let records = 1; records <= count; records += 1) {
    await chain.admit(meter.next(), undefined);
    await cluster.until(() => chain.head.records === records, `record ${records} is sealed`);
  }
  const reads: number[] = [];
  const counted = {
    ...store,
    get<Key extends Buffer, Row>(table: Table<Key, Row, never>, key: Key) {
      if (table.name === blocks.name) reads.push(heightIn(key as Buffer as BlockKey));
      return store.get(table, key);
    },
  };
  return { cluster, meter, store: counted, reads, receipts: createReceipts(cluster.genesis.network, counted) };
}

/** The block, with a bit of its header's Merkle root changed (PROTOCOL.md, section 9). */
function withOtherRoot(block: Uint8Array): Uint8Array {
  const changed = Buffer.from(block);
  const root = changed.indexOf(decodeBlock(block).header) + 36;
  changed.writeUInt8(changed.readUInt8(root) ^ 1, root);
  return changed;
}

test("finds the same receipts in a thread as here, and none of what is not sealed", async (t) => {
  const { cluster, meter, receipts, store } = await createSealed(t, 3);
  for (const seq of [0, 1, 2]) {
    const bytes = await receipts.findSoon(SERVICE, meter.kid, seq);
    verifyReceipt(decodeReceipt(bytes!), cluster.genesis, nodeVerify);
    assert.deepEqual(bytes, createReceipts(cluster.genesis.network, store).find(SERVICE, meter.kid, seq));
  }
  assert.equal(await receipts.findSoon(SERVICE, meter.kid, 3), undefined);
});

test("reads a block once for all that ask at once, and not again while it is kept", async (t) => {
  const { meter, receipts, reads } = await createSealed(t, 1);
  const found = await Promise.all(Array.from({ length: 50 }, () => receipts.findSoon(SERVICE, meter.kid, 0)));
  assert.equal(new Set(found.map((bytes) => Buffer.from(bytes!).toString("hex"))).size, 1);
  receipts.find(SERVICE, meter.kid, 0);
  assert.deepEqual(reads, [1]);
});

test("keeps the trees of sixteen blocks", async (t) => {
  const { meter, receipts, reads } = await createSealed(t, 17);
  for (let seq = 0; seq < 17; seq += 1) await receipts.findSoon(SERVICE, meter.kid, seq);
  for (const seq of [16, 1]) await receipts.findSoon(SERVICE, meter.kid, seq);
  assert.equal(reads.length, 17);
  await receipts.findSoon(SERVICE, meter.kid, 0);
  assert.equal(reads.length, 18);
});

test("says of a block that is damaged, missing or another one what is wrong, and goes on with the next", async (t) => {
  const { cluster, meter, store } = await createSealed(t, 2);
  const answers: readonly (readonly [Uint8Array | undefined, RegExp])[] = [
    [Buffer.from("rubbish"), /block 1 is not what was sealed/],
    [undefined, /block 1 is missing/],
    [withOtherRoot(store.get(blocks, blockKey(SERVICE, 1))!), /block 1 is not what was sealed/],
  ];
  for (const [bytes, message] of answers) {
    const get = <Key extends Buffer, Row>(table: Table<Key, Row, never>, key: Key) =>
      table.name === blocks.name && key.equals(blockKey(SERVICE, 1))
        ? (bytes as Row | undefined)
        : store.get(table, key);
    const receipts = createReceipts(cluster.genesis.network, { ...store, get });
    const bad = receipts.findSoon(SERVICE, meter.kid, 0);
    const good = receipts.findSoon(SERVICE, meter.kid, 1);
    await assert.rejects(bad, { code: "STORE_CORRUPT", message });
    assert.notEqual(await good, undefined);
    assert.throws(() => receipts.find(SERVICE, meter.kid, 0), { code: "STORE_CORRUPT", message });
  }
});

test("a tree that is kept holds no memory of the block that it was made of", async (t) => {
  const { store } = await createSealed(t, 1);
  const block = store.get(blocks, blockKey(SERVICE, 1))!;
  const { header, metadata, hashes } = treeOf({ isOutline: false, bytes: block })!.outline;
  for (const view of [header, metadata, ...hashes]) assert.notEqual(view.buffer, block.buffer);
});
