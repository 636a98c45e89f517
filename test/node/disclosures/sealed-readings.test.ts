// Sealed readings that hide something, with their blocks' times, and how far a node has let go of them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeBlock } from "../../../src/wire/block.js";
import { toHex } from "../../../src/wire/bytes.js";
import { decodeHeader } from "../../../src/wire/header.js";
import type { Record } from "../../../src/wire/record.js";
import { blocks } from "../../../tools/node/chain/tables/blocks.js";
import {
  type HidingReading,
  letGoUntil_s,
  sealedBetween,
  sealedClaims,
} from "../../../tools/node/disclosures/groups/sealed-readings.js";
import { blockKey } from "../../../tools/node/store/keys.js";
import { pruneChain } from "../../../tools/node/store/prune.js";
import { createCluster, makeRecord, SERVICE, type TestMeter } from "../chain/cluster.js";

const HEIGHTS = 66;
const FOREVER_S = 4_000_000_000;

test("readings that hide something are found by their blocks' times, until the node lets go of them", async (t) => {
  const cluster = await createCluster(1);
  t.after(() => cluster.close());
  const { chain, store } = cluster.nodes[0]!;
  const [meter, other] = [await cluster.meter(), await cluster.meter()];
  const seal = async (record: Record): Promise<Record> => {
    const { records } = chain.head;
    const { kid, hash: recordHash, claims } = record;
    const sealed = { envelope: new Uint8Array(32), nonce: new Uint8Array(12), ciphertext: new Uint8Array(20) };
    const hides = claims.digests !== undefined;
    await chain.admit(record, hides ? { kid, seq: claims.seq, recordHash, ...sealed } : undefined);
    await cluster.until(() => chain.head.records > records, "it is sealed");
    return record;
  };
  const hiding = ({ signer, kid }: TestMeter, seq: number, previous = new Uint8Array(0)) =>
    makeRecord(signer, kid, { seq, previous, digests: [new Uint8Array(32).fill(7)] });
  const timeOf = (height: number) =>
    decodeHeader(decodeBlock(store.get(blocks, blockKey(SERVICE, height))!).header).time_s;
  const between = (from_s: number, until_s: number, meters = [meter]) => {
    const ids = new Set(meters.map(({ kid }) => toHex(kid)));
    return [...sealedBetween(store, { chain: SERVICE, meters: ids, from_s, until_s })].flat();
  };
  const foundOf = ({ kid, claims, hash }: Record, sealed_s: number): HidingReading => {
    return { meter: toHex(kid), seq: claims.seq, hash, time_s: claims.time_s, sealed_s };
  };

  const first = await seal(hiding(meter, 0));
  const first_s = timeOf(chain.head.height);
  assert.deepEqual(between(0, FOREVER_S), [foundOf(first, first_s)]);
  assert.deepEqual([between(0, first_s), between(first_s + 1, FOREVER_S)], [[], []], "of no other block's time");
  assert.deepEqual(sealedClaims(store, SERVICE, meter.kid, { seq: 0, hash: first.hash }), first.claims);
  assert.equal(sealedClaims(store, SERVICE, meter.kid, { seq: 0, hash: new Uint8Array(32) }), undefined);

  await seal(makeRecord(meter.signer, meter.kid, { seq: 1, previous: first.hash }));
  const others = await seal(hiding(other, 0));
  assert.deepEqual(between(0, FOREVER_S).length, 1, "neither what hides nothing nor another meter's");
  assert.deepEqual(between(0, FOREVER_S, [meter, other]).at(-1), foundOf(others, timeOf(chain.head.height)));

  assert.equal(letGoUntil_s(store, SERVICE), 0);
  for (let seq = 2, previous = first.hash; chain.head.height < HEIGHTS; seq += 1) {
    ({ hash: previous } = await seal(makeRecord(meter.signer, meter.kid, { seq, previous })));
  }
  const times = Array.from({ length: chain.head.height }, (_, index) => timeOf(index + 1));
  await pruneChain(store, SERVICE, 1_000);
  const pruned = times.findIndex((_, index) => store.get(blocks, blockKey(SERVICE, index + 1)) !== undefined);
  assert.ok(pruned > 0, "something is let go of");
  assert.equal(letGoUntil_s(store, SERVICE), times[pruned - 1]);
  assert.deepEqual(between(0, FOREVER_S), []);
  assert.equal(sealedClaims(store, SERVICE, meter.kid, { seq: 0, hash: first.hash }), undefined);
});
