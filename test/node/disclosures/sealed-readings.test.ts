// Sealed records with their blocks' times, and how far a node has let go of them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeBlock } from "../../../src/wire/block.js";
import { decodeHeader } from "../../../src/wire/header.js";
import { blocks } from "../../../tools/node/chain/tables/blocks.js";
import { letGoUntil_s, readsSealed } from "../../../tools/node/disclosures/groups/sealed-readings.js";
import { blockKey } from "../../../tools/node/store/keys.js";
import { pruneChain } from "../../../tools/node/store/prune.js";
import { createCluster, SERVICE } from "../chain/cluster.js";

test("a sealed record is read with the time of its block, until the node lets go of it", async (t) => {
  const cluster = await createCluster(1);
  t.after(() => cluster.close());
  const { chain, store } = cluster.nodes[0]!;
  const meter = await cluster.meter();
  const first = meter.next();
  await chain.admit(first, undefined);
  await cluster.until(() => chain.head.records === 1, "it is sealed");
  const timeOf = (height: number) => {
    return decodeHeader(decodeBlock(store.get(blocks, blockKey(SERVICE, height))!).header).time_s;
  };
  const read = () => readsSealed(store)(SERVICE, meter.kid, first.claims.seq, first.hash);
  assert.deepEqual(read(), { claims: first.claims, sealed_s: timeOf(chain.head.height) });
  assert.equal(readsSealed(store)(SERVICE, meter.kid, 0, new Uint8Array(32)), undefined, "nor under another hash");
  assert.equal(letGoUntil_s(store, SERVICE), 0);
  while (chain.head.height < 66) {
    const { records } = chain.head;
    await chain.admit(meter.next(), undefined);
    await cluster.until(() => chain.head.records > records, "it is sealed");
  }
  const times = Array.from({ length: chain.head.height }, (_, index) => timeOf(index + 1));
  await pruneChain(store, SERVICE, 1_000);
  const pruned = times.findIndex((_, index) => store.get(blocks, blockKey(SERVICE, index + 1)) !== undefined);
  assert.ok(pruned > 0, "something is let go of");
  assert.equal(letGoUntil_s(store, SERVICE), times[pruned - 1]);
  assert.equal(read(), undefined);
});
