// The stream of events over a node's API: what comes, what was missed, and who may not have it.

import assert from "node:assert/strict";
import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import type { TestContext } from "node:test";
import { test } from "node:test";
import { Check } from "@sinclair/typebox/value";
import { toHex } from "../../../../src/wire/bytes.js";
import { issueOrder } from "../../../../src/wire/order.js";
import { GridsealError } from "../../../../tools/errors.js";
import { CONTRACTS_SERVICE } from "../../../../tools/ledger/governance.js";
import { pruneChain } from "../../../../tools/node/store/prune.js";
import { events } from "../../../../tools/routes/events.js";
import { SERVICE } from "../../chain/cluster.js";
import { createNodeApi, eventually, jsonOf, replaceBlocks } from "../api.js";
import { createEventReader, type TakenEvent } from "./event-text.js";

/** A subscriber, with everything that it has taken. */
async function subscribe(t: TestContext, port: number, query = "", headers: Record<string, string> = {}) {
  const request = get({ host: "127.0.0.1", port, path: `/events${query}`, headers, agent: false });
  t.after(() => request.destroy());
  const [response] = (await once(request, "response")) as [IncomingMessage];
  const reader = createEventReader();
  response.setEncoding("utf8").on("data", (text: string) => reader.take(text));
  response.on("error", () => undefined);
  await eventually("the stream has begun", () => reader.lastId !== undefined);
  return { reader, lose: () => request.destroy() };
}

const heightsOf = (taken: readonly TakenEvent[], service = SERVICE) =>
  taken.filter(({ value }) => value.service === service).map(({ value }) => value.height);

test("tells what is sealed, each event as its shape has it", async (t) => {
  const { port, seal, cluster } = await createNodeApi(t);
  const { reader } = await subscribe(t, port);
  assert.equal(reader.lastId, `${SERVICE}:5,${CONTRACTS_SERVICE}:0`);
  await seal();
  await seal();
  await eventually("both are told", () => reader.events.length === 2);
  assert.deepEqual(heightsOf(reader.events), [6, 7]);
  for (const { name, value } of reader.events) {
    assert.equal(name, "block");
    assert.ok(Check(events.answer.events.block, value), JSON.stringify(value));
  }
  const { head } = cluster.nodes[0]!.chain;
  assert.deepEqual(reader.events[1]!.value, {
    ...{ service: SERVICE, height: 7, header: toHex(head.headerHash), records: 1, violations: 0 },
    ...{ found: [], orders: [], time_ms: head.time_ms },
  });
});

test("who was away is told what it missed, then what comes, by the header and by the query", async (t) => {
  const { port, seal } = await createNodeApi(t);
  const first = await subscribe(t, port);
  await seal();
  await eventually("it is told", () => first.reader.events.length === 1);
  first.lose();
  await seal();
  await seal();
  const byHeader = await subscribe(t, port, "?after=1:0", { "last-event-id": first.reader.lastId! });
  const byQuery = await subscribe(t, port, `?after=${first.reader.lastId}`);
  await eventually("what was missed is told", () => byHeader.reader.events.length === 2);
  await seal();
  for (const { reader } of [byHeader, byQuery]) {
    await eventually("what comes is told", () => reader.events.length === 3);
    assert.deepEqual(heightsOf(reader.events), [7, 8, 9]);
  }
});

test("an empty position is the beginning of every chain, the orders that are sealed among what is told", async (t) => {
  const { port, cluster, tell } = await createNodeApi(t);
  const { genesis, authority, nodes } = cluster;
  const order = issueOrder(
    { number: 1, time_s: 1, action: { type: "revoke", meters: [new Uint8Array(8)] } },
    genesis,
    authority,
  );
  const body = { method: "POST", headers: { "content-type": "application/cose" }, body: Buffer.from(order) };
  assert.equal((await fetch(`http://127.0.0.1:${port}/orders`, body)).status, 202);
  await cluster.until(() => nodes[0]!.governor.current.lastOrder === 1, "the order is sealed");
  tell(CONTRACTS_SERVICE);
  const { reader } = await subscribe(t, port, "?after=");
  await eventually("everything is told", () => reader.events.length === 6);
  assert.deepEqual(heightsOf(reader.events), [1, 2, 3, 4, 5]);
  assert.deepEqual(
    reader.events.filter(({ value }) => value.service === CONTRACTS_SERVICE).map(({ value }) => value.orders),
    [[1]],
  );
  assert.equal(reader.lastId, `${SERVICE}:5,${CONTRACTS_SERVICE}:1`);
});

test("where blocks were let go of, says which, and goes on with those that are there", async (t) => {
  const { port, seal, cluster } = await createNodeApi(t);
  for (let count = 0; count < 65; count += 1) await seal();
  const { blocks } = await pruneChain(cluster.nodes[0]!.store, SERVICE, 1_000);
  assert.equal(blocks, 6);
  const { reader } = await subscribe(t, port, `?after=${SERVICE}:2,${CONTRACTS_SERVICE}:0`);
  await eventually("the rest is told", () => reader.events.length === 65);
  const [pruned, ...rest] = reader.events;
  assert.deepEqual(pruned, { name: "pruned", value: { service: SERVICE, from: 3, to: 6 } });
  assert.deepEqual(
    heightsOf(rest),
    Array.from({ length: 64 }, (_, index) => index + 7),
  );
});

test("refuses what is the id of no event, and says so", async (t) => {
  const { base } = await createNodeApi(t);
  for (const [query, headers] of [
    ["?after=x", {}],
    ["?after=1:2,1:3", {}],
    ["?after=70000:1", {}],
    ["", { "last-event-id": "42" }],
    ["", { "last-event-id": `${"1:2,".repeat(100)}1:2` }],
  ] as const) {
    const answer = await fetch(`${base}/events${query}`, { headers });
    assert.deepEqual([answer.status, (await jsonOf(answer)).code], [400, "malformed"]);
  }
});

test("a block that is damaged ends the stream with the reason, and the node knows where", async (t) => {
  const { port, cluster, damage } = await createNodeApi(t);
  replaceBlocks(cluster.nodes[0]!.store, (height, otherwise) => {
    if (height === 4) throw new GridsealError("STORE_CORRUPT", "block 4 is damaged");
    return otherwise();
  });
  const { reader } = await subscribe(t, port, "?after=");
  await eventually("it has ended", () => reader.events.at(-1)?.name === "ended");
  assert.deepEqual(heightsOf(reader.events.slice(0, -1)), [1, 2, 3]);
  const { value } = reader.events.at(-1)!;
  assert.equal(value.code, "damaged");
  assert.ok(Check(events.answer.events.ended, value));
  assert.deepEqual(damage, ["block 4 is damaged"]);
});

test("a node that stops says so to its subscribers", async (t) => {
  const { port, api } = await createNodeApi(t);
  const { reader } = await subscribe(t, port);
  await api.close();
  await eventually("it is told", () => reader.events.length === 1);
  assert.deepEqual([reader.events[0]!.name, reader.events[0]!.value.code], ["ended", "stopping"]);
});
