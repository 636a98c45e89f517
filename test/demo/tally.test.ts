import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeBlock } from "../../src/wire/block.js";
import { toHex } from "../../src/wire/bytes.js";
import { serviceTopic } from "../../src/wire/topics.js";
import { nodeVerify } from "../../tools/crypto/signatures.js";
import { createTally } from "../../tools/demo/tally.js";
import { blocks as blockTable } from "../../tools/node/chain/tables/blocks.js";
import { createReceipts } from "../../tools/node/ingest/receipts.js";
import { blockKey } from "../../tools/node/store/keys.js";
import { createCluster, SERVICE } from "../node/chain/cluster.js";

test("counts published, sealed, verified, lost and duplicated records", async (t) => {
  const cluster = await createCluster(1);
  t.after(() => cluster.close());
  const meter = await cluster.meter();
  const { chain, store } = cluster.nodes[0]!;
  const records = [meter.next(), meter.next(), meter.next()];
  const tally = createTally(cluster.genesis, nodeVerify);
  const topic = (kind: "record" | "receipt") => serviceTopic("test", SERVICE, kind, toHex(meter.kid));
  for (const [index, record] of records.entries())
    tally.note("published", topic("record"), record.stripped, 100 * index);
  tally.note("published", topic("record"), records[0]!.stripped, 1_000); // a repeat is no further record
  assert.equal(tally.published, 3);
  for (const record of records.slice(0, 2)) await chain.admit(record, undefined);
  await cluster.until(() => chain.head.records === 2, "two records are sealed");

  const receipts = createReceipts(cluster.genesis.network, store);
  const receipt = (seq: number) => receipts.find(SERVICE, meter.kid, seq)!;
  const damaged = Uint8Array.from(receipt(0));
  damaged[damaged.length - 1]! ^= 1;
  tally.note("received", topic("receipt"), damaged, 2_000);
  assert.deepEqual([tally.verified, tally.wrong], [0, 1]);
  tally.note("received", topic("receipt"), receipt(0), 2_000);
  tally.note("received", topic("receipt"), receipt(0), 9_000); // a second one tells nothing new
  tally.note("received", topic("receipt"), receipt(1), 2_100);
  assert.deepEqual([tally.verified, tally.open, tally.latency_ms(50), tally.latency_ms(99)], [2, 1, 2_000, 2_000]);

  async function* blocks(times: number) {
    for (let round = 0; round < times; round += 1) {
      for (let height = 1; height <= chain.head.height; height += 1)
        yield decodeBlock(store.get(blockTable, blockKey(SERVICE, height))!);
    }
  }
  const found = { published: 3, sealed: 2, verified: 2 };
  const whole = () => true;
  assert.deepEqual(await tally.reconcile(blocks(1), whole), { ...found, lost: 1, unasked: 0, duplicated: 0 });
  assert.equal((await tally.reconcile(blocks(2), whole)).duplicated, 2);
  // Where no node gave a chain's blocks nothing is known to be lost.
  assert.deepEqual(await tally.reconcile(blocks(1), () => false), { ...found, lost: 0, unasked: 1, duplicated: 0 });
});
