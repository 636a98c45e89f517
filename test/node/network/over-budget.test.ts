// A peer that makes a node work more than its share, over real links.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { PeerLimits } from "../../../tools/node/network/peer-network.js";
import { createTestNetwork, quick, until } from "./cluster.js";

/** A tenth of a second of work at once, and little after it. */
const strict: PeerLimits = {
  ...quick,
  budget: {
    ...quick.budget,
    work_ms_per_s: 50,
    work_burst_ms: 10,
    waste_ms_per_s: 1,
    waste_burst_ms: 20,
    shut_min_ms: 400,
    delay_max_ms: 100,
  },
};
const LINE = Uint8Array.of(1, 2, 3);

async function pair(t: { after(step: () => unknown): void }, charge: (count: number) => readonly [string, number]) {
  const network = await createTestNetwork(2);
  t.after(() => network.stop());
  const [low, high] = network.ids as [string, string];
  let count = 0;
  const node = await network.start(
    high,
    {},
    {
      limits: strict,
      onMessage(from) {
        count += 1;
        const [work, amount] = charge(count);
        node.network.charge(from, work as "failure", amount);
      },
    },
  );
  const liar = await network.start(low, { [high]: node.port });
  await until(() => node.connected.has(low) && liar.connected.has(high));
  return { node, liar, low, high, heard: () => count };
}

test("a peer that causes work without end is read on, more slowly, and stays connected", async (t) => {
  const { node, liar, low, high, heard } = await pair(t, () => ["verification", 10]);
  for (let sent = 0; sent < 200; sent += 1) liar.network.send(high, LINE);
  await until(() => node.overBudget.length > 0);
  assert.deepEqual(new Set(node.overBudget.map(({ peer, type }) => `${peer} ${type}`)), new Set([`${low} delay`]));
  assert.ok(node.network.counters().throttled > 0);
  await until(() => heard() === 200);
  liar.network.send(high, LINE);
  await until(() => heard() === 201);
  assert.ok(node.connected.has(low));
});

test("a peer whose signatures fail again and again loses its link, and is let in when its time is over", async (t) => {
  let isLying = true;
  const { node, liar, low, high, heard } = await pair(t, () => (isLying ? ["failure", 100] : ["message", 1]));
  while (node.refused.length === 0) {
    liar.network.send(high, LINE);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  isLying = false;
  assert.deepEqual(node.refused.slice(0, 1), ["over-budget"]);
  assert.equal(node.overBudget.at(-1)?.type, "shut");
  await until(() => node.refused.includes("shut-out"));
  assert.ok(!node.connected.has(low), "it dials in vain");
  const before = heard();
  await until(() => node.connected.has(low) && liar.connected.has(high));
  assert.equal(heard(), before);
  liar.network.send(high, LINE);
  await until(() => heard() === before + 1);
});

test("a node does not dial a peer that it keeps out", async (t) => {
  const network = await createTestNetwork(2);
  t.after(() => network.stop());
  const [low, high] = network.ids as [string, string];
  const liar = await network.start(high, {});
  const node = await network.start(low, { [high]: liar.port }, { limits: strict });
  await until(() => node.connected.has(high));
  node.network.charge(high, "failure", 10_000);
  await until(() => !node.connected.has(high));
  const { dials } = node.network.counters();
  await until(() => node.connected.has(high));
  assert.ok(node.network.counters().dials > dials);
  assert.deepEqual(node.refused, ["over-budget"]);
});

test("what a peer has not taken yet is known, and nothing of one that is not there", async (t) => {
  const { node, liar, low } = await pair(t, () => ["message", 1]);
  assert.equal(node.network.unsent_bytes("00000000000000ff"), 0);
  node.network.send(low, new Uint8Array(100_000));
  assert.ok(node.network.unsent_bytes(low) >= 100_000);
  await until(() => liar.received.length === 1 && node.network.unsent_bytes(low) === 0);
});
