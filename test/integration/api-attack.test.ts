// One anonymous client of a node's API that pipelines, does not read, is slow or holds connections: meters' records are sealed all the
// while, the node's health is answered, its memory stays, and the connections are closed in time.

import assert from "node:assert/strict";
import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { readResident_bytes } from "../../tools/lab/rig/process-usage.js";
import { connectMeter, makeMeter } from "./mqtt.js";
import { makeNetwork, startNodes, stopNodes, type TestNode, verifyChains, whenEqual } from "./network.js";
import { cleanUp, temporaryFolder, until } from "./processes.js";

const RECORDS = 250;
const REGISTERS = 200;
/** What 400 answers would take is more; the engine collects late where other work runs beside it. */
const GROWTH_BYTES_MAX = 160 * 1_048_576;
const BLOCKS = "GET /chains/1/blocks?limit=1000 HTTP/1.1\r\nhost: localhost\r\n\r\n";
const ORDER =
  "POST /orders HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/cose\r\ncontent-length: 9999\r\n\r\n";

const registers = Array.from({ length: REGISTERS }, (_, index) => ({
  obis: Uint8Array.of(1, 0, 1, 8, index, 255),
  value: 2_130_115_000 + index,
  scaler: 0,
  unit: 30,
}));

/** Opens so many connections that write the text and read nothing. */
async function hold({ api }: TestNode, count: number, text: string): Promise<readonly Socket[]> {
  const sockets = Array.from({ length: count }, () => connect(api.port, api.host).pause());
  for (const socket of sockets) socket.on("error", () => {});
  await Promise.all(sockets.map((socket) => Promise.race([once(socket, "connect"), once(socket, "close")])));
  for (const socket of sockets) socket.write(text);
  return sockets;
}

/** The status that a connection of its own is answered with, as a load balancer has it: one that idles makes room for others. */
async function probe({ api }: TestNode, path: string): Promise<number | undefined> {
  const request = get({ host: api.host, port: api.port, path, agent: false });
  const [response] = (await once(request, "response")) as [IncomingMessage];
  response.resume();
  return response.statusCode;
}

test("one anonymous client of the API stops nobody", { timeout: 300_000 }, async (t) => {
  const defer = cleanUp(t);
  const network = await makeNetwork(defer, join(await temporaryFolder(defer), "network"), { nodes: 4, meters: 0 });
  await startNodes(network);
  const [node] = network.nodes as [TestNode, ...TestNode[]];
  const meter = makeMeter(network);
  const session = await connectMeter(defer, network, meter, node.mqtt);
  await session.bear();
  const sealOne = async () => {
    const record = meter.record({ registers });
    await session.send(record);
    await session.receiptOf(record);
  };
  await until("the node has its peers", async () => (await node.counter("gridseal_peers_connected")) === 3);
  const sent = Array.from({ length: RECORDS }, () => meter.record({ registers }));
  await Promise.all(sent.map((record) => session.send(record)));
  await Promise.all(sent.map((record) => session.receiptOf(record)));
  const url = `http://${node.api.host}:${node.api.port}`;
  const chain = async (path: string) => Buffer.from(await (await fetch(url + path)).arrayBuffer());
  const before = await chain("/chains/1/blocks?limit=1000");
  assert.ok(before.length > 500_000, `the chain has ${before.length} bytes`);
  const resident_bytes = () => readResident_bytes(node.process!.pid)!;
  const most_bytes = resident_bytes() + GROWTH_BYTES_MAX;

  for (const [what, count, text, patience_s] of [
    ["asks for everything four hundred times at once on one connection", 1, BLOCKS.repeat(400), 30],
    ["asks on four hundred connections and reads none", 400, BLOCKS, 60],
    ["begins six hundred requests and sends no more", 600, BLOCKS.slice(0, 40), 30],
    ["begins as many orders and sends a byte of each", 600, `${ORDER}x`, 40],
    ["opens six hundred connections and says nothing", 600, "", 30],
  ] as const) {
    await t.test(`who ${what} holds up nobody and nothing for long`, async () => {
      const sockets = await hold(node, count, text);
      try {
        for (let round = 0; round < 5; round += 1) {
          assert.equal(await probe(node, "/health"), 200);
          await sealOne();
          await pause(200);
          assert.ok(resident_bytes() < most_bytes, `${resident_bytes()} bytes`);
        }
        for (const socket of sockets) socket.resume();
        const open = () => sockets.filter((socket) => !socket.closed).length;
        await until("all of them are closed", async () => open() === 0, 1_000 * patience_s);
      } finally {
        for (const socket of sockets) socket.destroy();
      }
      assert.equal(await probe(node, "/chains"), 200);
    });
  }

  await t.test("everybody else is answered the same bytes as before", async () => {
    const after = await until("the node answers", async () => {
      const bytes = await chain("/chains/1/blocks?limit=1000");
      return bytes.length >= before.length && bytes;
    });
    assert.deepEqual(after.subarray(0, before.length), before);
  });

  await whenEqual(network);
  await stopNodes(network);
  await verifyChains(network);
});
