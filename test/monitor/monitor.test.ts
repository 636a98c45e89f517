// The monitor over two nodes that serve a small chain: the one that serves a block otherwise is named, and nobody else.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { decodeBlock, encodeBlock } from "../../src/wire/block.js";
import { toHex } from "../../src/wire/bytes.js";
import { headerHash } from "../../src/wire/header.js";
import { openDesk } from "../../tools/monitor/desk.js";
import { openMarks } from "../../tools/monitor/marks.js";
import { startMonitor } from "../../tools/monitor/monitor.js";
import { metricsText } from "../../tools/monitor/outputs.js";
import type { Told } from "../../tools/monitor/watch.js";
import { buildChain, makeMeter } from "../audit/chain-builder.js";

const PATIENCE_MS = 20_000;

interface Served {
  /** chains that it names; the first one alone by default */
  readonly services?: readonly number[];
  /** what it answers where a block is asked for by its height; that block by default */
  readonly answered?: Uint8Array | undefined;
}

/** Serves the blocks as a node does; resolves with its URL. */
async function serve(
  t: TestContext,
  blocks: readonly Uint8Array[],
  { services = [1], answered }: Served = {},
): Promise<string> {
  const header = toHex(headerHash(decodeBlock(blocks.at(-1)!).header));
  const chain = { name: "trading", height: blocks.length, header, records: 3, violations: 0, pending: 0 };
  const chains = services.map((service) => ({ ...chain, service, time_ms: 1_700_000_000_000 }));
  const health = { status: "pass", checks: {}, node: "n", network: "audited", peers: 3 };
  const server = createServer((request, response) => {
    const url = new URL(request.url!, "http://localhost");
    if (url.pathname === "/health") {
      response.setHeader("content-type", "application/health+json");
      response.end(JSON.stringify({ ...health, chains }));
      return;
    }
    if (/\/blocks\/\d+$/.test(url.pathname)) {
      response.setHeader("content-type", "application/cbor");
      response.end(Buffer.from(answered ?? blocks[Number(url.pathname.split("/").at(-1)) - 1]!));
      return;
    }
    response.setHeader("content-type", "application/cbor-seq");
    response.end(Buffer.concat(blocks.slice(Number(url.searchParams.get("from")) - 1)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("the node that serves an altered block is named with its height, and the other one is audited to its end", async (t) => {
  const chain = buildChain();
  const meter = makeMeter(1);
  chain.seal({ records: [meter.record()], credentials: [meter.credential] });
  chain.seal({ records: [meter.record()] });
  chain.seal({ records: [meter.record()] });
  const second = decodeBlock(chain.blocks[1]!);
  const altered = encodeBlock({ ...second, time_ms: second.time_ms + 1 });
  const honest = await serve(t, chain.blocks);
  const liar = await serve(t, [chain.blocks[0]!, altered, chain.blocks[2]!]);
  const stopping = new AbortController();
  const told: Told[] = [];
  const monitor = startMonitor({
    genesis: chain.genesis,
    nodes: [honest, liar],
    signal: stopping.signal,
    marks: await openMarks(undefined, chain.genesis.hash),
    onTold: (one) => told.push(one),
    onTrouble: (reason) => assert.fail(reason),
  });
  const isDone = () => told.length > 0 && monitor.progress.some(({ node, height }) => node === honest && height === 3);
  for (const until_ms = performance.now() + PATIENCE_MS; !isDone() && performance.now() < until_ms; ) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const alarms = told.map(({ type, alarm: { kind, node, service } }) => ({ type, kind, node, service }));
  assert.deepEqual(alarms, [{ type: "raised", kind: "wrong-block", node: liar, service: 1 }]);
  assert.match(told[0]!.alarm.what, /trading, block 2: /);
  const metrics = metricsText(monitor);
  assert.match(metrics, /^gridseal_monitor_alarms\{alarm="wrong-block",severity="page"\} 1$/m);
  assert.ok(metrics.includes(`gridseal_monitor_height{node="${honest}",service="1"} 3\n`), metrics);
  const token = "5".repeat(64);
  const desk = await openDesk(0, monitor, token);
  t.after(() => desk.server.close());
  const at = `http://127.0.0.1:${desk.port}`;
  const [alarm] = (await (await fetch(`${at}/alarms`)).json()) as { id: string; alarm: string; height: number }[];
  assert.deepEqual([alarm!.alarm, alarm!.height], ["wrong-block", 2]);
  const acknowledge = (headers: Record<string, string>) =>
    fetch(`${at}/alarms/${alarm!.id}/acknowledge`, { method: "POST", headers });
  assert.equal((await acknowledge({ origin: "http://elsewhere" })).status, 403, "no page of a browser may");
  assert.equal((await acknowledge({})).status, 401, "no other user of the machine may");
  assert.equal((await acknowledge({ authorization: `Bearer ${token}` })).status, 200);
  assert.equal(told.at(-1)!.type, "acknowledged");
  assert.match(metricsText(monitor), /^gridseal_monitor_acknowledged\{alarm="wrong-block",severity="page"\} 1$/m);
  stopping.abort();
  await monitor.ended;
});

test("a node that says that it sealed its blocks long ago is held to what it answers about those that are new all the same", async (t) => {
  const chain = buildChain();
  const meter = makeMeter(1);
  chain.seal({ records: [meter.record()], credentials: [meter.credential] });
  chain.seal({ records: [meter.record()] });
  chain.seal({ records: [meter.record()] });
  const unlocked = chain.blocks.map((bytes) => encodeBlock({ ...decodeBlock(bytes), lock_ms: 0 }));
  const listed = unlocked.slice(0, 2);
  const liar = await serve(t, listed, { answered: unlocked[0] });
  const stopping = new AbortController();
  const told: Told[] = [];
  const monitor = startMonitor({
    genesis: chain.genesis,
    nodes: [liar],
    signal: stopping.signal,
    marks: await openMarks(undefined, chain.genesis.hash),
    onTold: (one) => told.push(one),
    onTrouble: (reason) => assert.fail(reason),
  });
  const until = async (isDone: () => boolean) => {
    const until_ms = performance.now() + PATIENCE_MS;
    while (!isDone() && performance.now() < until_ms) await new Promise((resolve) => setTimeout(resolve, 50));
  };
  const kinds = () => told.filter(({ type }) => type === "raised").map(({ alarm }) => alarm.kind);
  await until(() => monitor.progress.some(({ height }) => height === 2));
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  assert.deepEqual(kinds(), [], "what was there before is no news");
  listed.push(unlocked[2]!);
  await until(() => kinds().length === 2);
  assert.deepEqual(kinds().sort(), ["clock", "wrong-answer"]);
  stopping.abort();
  await monitor.ended;
});

test("chains that a node names and no order has founded are not followed", async (t) => {
  const chain = buildChain();
  const meter = makeMeter(1);
  chain.seal({ records: [meter.record()], credentials: [meter.credential] });
  const strange = Array.from({ length: 50 }, (_, index) => index + 100);
  const node = await serve(t, chain.blocks, { services: [...strange, 1] });
  const stopping = new AbortController();
  t.after(() => stopping.abort());
  const monitor = startMonitor({
    genesis: chain.genesis,
    nodes: [node],
    signal: stopping.signal,
    marks: await openMarks(undefined, chain.genesis.hash),
    onTold: () => {},
    onTrouble: (reason) => assert.fail(reason),
  });
  const isDone = () => monitor.progress.some(({ service, height }) => service === 1 && height === 1);
  for (const until_ms = performance.now() + PATIENCE_MS; !isDone() && performance.now() < until_ms; ) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.deepEqual(
    monitor.progress.map(({ service }) => service),
    [1],
  );
  stopping.abort();
  await monitor.ended;
});
