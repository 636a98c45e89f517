import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "../../../src/wire/bytes.js";
import { viewOf } from "../../../tools/node/chain/stored-state.js";
import { blocks } from "../../../tools/node/chain/tables/blocks.js";
import type { StoreReader } from "../../../tools/node/store/store.js";
import { createCluster, SERVICE } from "./cluster.js";

test("which record is sealed under a number is told without reading its block", async (t) => {
  const cluster = await createCluster(1);
  t.after(() => cluster.close());
  const meter = await cluster.meter();
  const { chain, store } = cluster.nodes[0]!;
  const records = [];
  for (let index = 0; index < 3; index += 1) {
    const record = meter.next();
    records.push(record);
    await chain.admit(record, undefined);
    await cluster.until(() => chain.head.records === index + 1, `record ${index} is sealed`);
  }
  let read = 0;
  const get: StoreReader["get"] = (table, key) => {
    if (table.name === blocks.name) read += 1;
    return store.get(table, key);
  };
  const view = viewOf({ ...store, get } as StoreReader, SERVICE);
  for (const { kid, claims, hash } of records) assert.deepEqual(view.sealedHash(toHex(kid), claims.seq), hash);
  assert.equal(read, 0);
});
