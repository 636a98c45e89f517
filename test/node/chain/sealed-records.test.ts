// Records are taken out of stored blocks by their leaves; what the disk has damaged is never handed out.

import assert from "node:assert/strict";
import { test } from "node:test";
import { sealedRecordsOf } from "../../../tools/node/chain/sealed-records.js";
import type { PartReader } from "../../../tools/node/store/store.js";
import { createCluster, SERVICE } from "./cluster.js";

test("a record whose bytes are not what the index names is looked for in the whole block, which says whether it is damaged", async (t) => {
  const cluster = await createCluster(1);
  t.after(() => cluster.close());
  const meter = await cluster.meter();
  const { chain, store } = cluster.nodes[0]!;
  const records = [meter.next(), meter.next(), meter.next()];
  for (const record of records) await chain.admit(record, undefined);
  await cluster.until(() => chain.head.records === 3, "the records are sealed");
  const read = (from: PartReader) => [...sealedRecordsOf(from, SERVICE, meter.kid, 0)].map(({ bytes }) => bytes);
  const sealed = read(store);
  assert.deepEqual(
    sealed,
    records.map(({ stripped }) => stripped),
  );
  const get = store.get.bind(store);
  const range = store.range.bind(store);
  // One bit within each record: it is found where it stands, and its hash alone refuses it.
  const flipped: PartReader["unchecked"] = (table, key) => {
    const bytes = store.unchecked(table, key);
    const block = bytes && Buffer.from(bytes);
    for (const { stripped } of block ? records : []) {
      const at = block!.indexOf(stripped);
      assert.ok(at >= 0);
      block![at + stripped.length - 1]! ^= 1;
    }
    return block;
  };
  assert.deepEqual(read({ get, range, unchecked: flipped }), sealed, "only what was read without a check was wrong");
  const damaged = { get: () => assert.fail("damaged"), range, unchecked: flipped } as unknown as PartReader;
  assert.throws(() => read(damaged), /damaged/);
});
