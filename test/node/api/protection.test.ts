// What one client without a key may cost a node through its API: raw connections that pipeline, do not read, hold places, ask too
// much or come by a foreign name, and what others are answered meanwhile.

import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { type TestContext, test as testOf } from "node:test";

const test = (name: string, run: (t: TestContext) => Promise<void>) => testOf(name, { timeout: 30_000 }, run);

import { WAITING_MAX } from "../../../tools/node/api/one-at-a-time.js";
import { SERVICE } from "../chain/cluster.js";
import { askRaw, createNodeApi, eventually, jsonOf, openUnread, readAll, replaceBlocks, request } from "./api.js";

const BLOCK_BYTES = 50_000;
const BLOCKS = 100;
const LONG = request(`/chains/${SERVICE}/blocks?limit=1000`);

/** A node's API whose chain has blocks of random bytes, some five megabytes, and who reads which of them. */
async function createLongChain(t: TestContext) {
  const api = await createNodeApi(t);
  const reads: number[] = [];
  const blocks = Array.from({ length: BLOCKS }, (_, index) => Buffer.alloc(BLOCK_BYTES, index + 1));
  replaceBlocks(api.cluster.nodes[0]!.store, (height) => {
    reads.push(height);
    return blocks[height - 1];
  });
  // An answer ends when it has more than four mebibytes.
  const answer = Buffer.concat(blocks.slice(0, Math.ceil(4_194_305 / BLOCK_BYTES)));
  return { ...api, reads, answer };
}

/** Resolves when the node has read nothing for a while. */
async function whenQuiet(reads: readonly number[]): Promise<void> {
  for (let seen = -1; seen !== reads.length; ) {
    seen = reads.length;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

test("makes one answer at a time, however many are asked for at once, and reads no further than is taken", async (t) => {
  const { port, reads, answer } = await createLongChain(t);
  const socket = await openUnread(
    t,
    port,
    LONG.repeat(WAITING_MAX) + request("/chains", ["host: localhost", "connection: close"]),
  );
  await eventually("the first answer begins", () => reads.length > 0);
  await whenQuiet(reads);
  // The systems' buffers of one connection hold an answer or two, and this asks for eight.
  assert.ok(reads.length < (WAITING_MAX * BLOCKS) / 2, `${reads.length} blocks were read`);
  const all = await readAll(socket);
  const bodies = bodiesOf(all);
  assert.equal(bodies.length, WAITING_MAX + 1);
  for (const body of bodies.slice(0, -1)) assert.deepEqual(body, answer);
  assert.match(String(bodies.at(-1)), /"service":1/);
});

test("closes a connection on which more requests wait than may", async (t) => {
  const { port, reads, refused, base } = await createLongChain(t);
  const socket = await openUnread(t, port, LONG.repeat(400));
  await readAll(socket);
  assert.equal(await refused("pipelined"), 1);
  assert.ok(reads.length <= BLOCKS, "one answer was begun at most");
  assert.equal((await fetch(`${base}/chains`)).status, 200);
});

test("the idle make room, and health is answered where nobody is idle", async (t) => {
  const { port, base, refused } = await createNodeApi(t, { addressConnections_max: 2 });
  const idle = await Promise.all(Array.from({ length: 40 }, () => openUnread(t, port)));
  assert.equal((await fetch(`${base}/chains`)).status, 200);
  await eventually("the others were closed", async () => (await refused("idle")) >= 32);
  const streams: Socket[] = [];
  for (let count = 0; count < 4; count += 1) streams.push(await openUnread(t, port, request("/events")));
  await Promise.all(streams.map(firstBytes));
  assert.equal((await fetch(`${base}/events`)).status, 503, "half of an address's places are for streams");
  assert.equal((await fetch(`${base}/chains`)).status, 200);
  const slow = ["content-type: application/cose", "content-length: 99", "expect: 100-continue"];
  for (let count = 0; count < 4; count += 1) {
    const socket = await openUnread(t, port, request("/orders", ["host: localhost", ...slow], "POST"));
    assert.match(await firstBytes(socket), /^HTTP\/1\.1 100 /);
    streams.push(socket);
  }
  const more = await Promise.all(Array.from({ length: 40 }, () => openUnread(t, port)));
  const busy = await fetch(`${base}/chains`);
  assert.deepEqual([busy.status, (await jsonOf(busy)).code, busy.headers.get("connection")], [503, "busy", "close"]);
  const health = await fetch(`${base}/health`);
  assert.deepEqual([health.status, health.headers.get("connection")], [200, "close"]);
  for (const socket of [...idle, ...more, ...streams]) socket.destroy();
  await eventually("there is room again", async () => (await fetch(`${base}/chains`)).status === 200);
});

test("closes a connection whose request does not come", async (t) => {
  const { port } = await createNodeApi(t);
  const [head, body] = [
    request("/chains").slice(0, -2),
    request("/orders", ["host: localhost", "content-type: application/cose", "content-length: 99"], "POST"),
  ];
  const answers = await Promise.all(["", head, `${body}x`].map((text) => askRaw(t, port, text)));
  for (const answer of answers) assert.match(answer, /^HTTP\/1\.1 408 |^$/);
});

test("an address that asks too much waits, and its health is answered still", async (t) => {
  const { base, clock, refused } = await createNodeApi(t, { addressRequests_s: 1 });
  const statuses: number[] = [];
  for (let count = 0; count < 25; count += 1) statuses.push((await fetch(`${base}/chains`)).status);
  assert.deepEqual(statuses, [...Array(20).fill(200), ...Array(5).fill(429)]);
  const bad = await fetch(`${base}/%`);
  assert.deepEqual([bad.status, bad.headers.get("connection")], [400, "close"]);
  const limited = await fetch(`${base}/receipts/1/0000000000000000/0`);
  assert.deepEqual([limited.status, limited.headers.get("retry-after")], [429, "1"]);
  assert.equal((await jsonOf(limited)).code, "rate-limited");
  for (let count = 0; count < 25; count += 1) {
    const health = await fetch(`${base}/health`);
    assert.deepEqual([health.status, health.headers.get("connection")], [200, "close"], "and connects anew for each");
  }
  assert.equal(await refused("rate"), 6);
  clock.now_ms += 20_000;
  assert.equal((await fetch(`${base}/chains`)).status, 200);
});

test("blocks cost by their number and size", async (t) => {
  const { base } = await createLongChain(t);
  const path = `${base}/chains/${SERVICE}/blocks?limit=1000`;
  const statuses: number[] = [];
  while (statuses.at(-1) !== 429 && statuses.length < 100) {
    const answer = await fetch(path);
    await answer.arrayBuffer();
    statuses.push(answer.status);
  }
  // 2,000 tokens, and 67 for each: 64 for what it has of bytes, 1.7 for its blocks, 1 for the request.
  assert.equal(statuses.length, 31);
});

test("bound to the machine itself, answers to no foreign name", async (t) => {
  const { port } = await createNodeApi(t, { hosts: ["grid.example"] });
  const statusFor = async (...headers: string[]) =>
    (await askRaw(t, port, request("/chains", [...headers, "connection: close"]))).slice(9, 12);
  const own = [
    "localhost",
    `localhost:${port}`,
    `127.0.0.1:${port}`,
    "127.1.2.3",
    `[::1]:${port}`,
    "LOCALHOST",
    "grid.example:9301",
  ];
  for (const host of own) assert.equal(await statusFor(`host: ${host}`), "200", host);
  const foreign = [
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "192.0.2.1",
    "[2001:db8::1]",
    "",
    "evil.example:80",
  ];
  for (const host of foreign) assert.equal(await statusFor(`host: ${host}`), "421", host);
  const answer = await askRaw(t, port, request("/health", ["host: evil.example", "connection: close"]));
  assert.match(answer, /"foreign-host".*api\.hosts in node\.json/);
  assert.match(await askRaw(t, port, "GET /chains HTTP/1.0\r\n\r\n"), /^HTTP\/1\.1 200 /);
});

test("a target with a host is for that host, whatever Host says; a target or Host that is none is a bad request", async (t) => {
  const { port } = await createNodeApi(t, { hosts: ["grid.example"] });
  const statusFor = async (target: string, hosts: readonly string[], method = "GET") => {
    const head = [`${method} ${target} HTTP/1.1`, ...hosts.map((host) => `host: ${host}`), "connection: close"];
    return (await askRaw(t, port, `${head.join("\r\n")}\r\n\r\n`)).slice(9, 12);
  };
  const cases: readonly (readonly [string, string, ...(readonly string[])])[] = [
    ["200", "http://localhost/chains", "localhost"],
    ["200", "http://grid.example:80/chains?x=1", "localhost"],
    ["200", "HTTPS://LOCALHOST/chains", "evil.example"],
    ["421", "http://evil.example/chains", "localhost"],
    ["421", "http://evil.example", "localhost"],
    ["200", "http://localhost", "localhost"],
    ["404", "http://localhost/elsewhere", "localhost"],
    ["400", "http://localhost@evil.example/chains", "localhost"],
    ["400", "http:///chains", "localhost"],
    ["400", "ftp://localhost/chains", "localhost"],
    ["400", "chains", "localhost"],
    ["400", "*", "localhost"],
    ["400", "/chains", "localhost", "localhost"],
    ["400", "/chains", "localhost", "evil.example"],
    ["400", "/chains", "[::1"],
    ["400", "/chains", "localhost/evil.example"],
    ["400", "/chains", "localhost evil.example"],
    ["400", "/chains"],
  ];
  for (const [status, target, ...hosts] of cases)
    assert.equal(await statusFor(target, hosts), status, `${target} ${hosts}`);
  const old = await askRaw(t, port, "GET http://evil.example/chains HTTP/1.0\r\n\r\n");
  assert.match(old, /^HTTP\/1\.1 421 /);
});

test("where every address can reach it, answers to any name unless some are stated", async (t) => {
  const ask = request("/chains", ["host: node.example", "connection: close"]);
  const open = await createNodeApi(t, { host: "0.0.0.0" });
  assert.match(await askRaw(t, open.port, ask), /^HTTP\/1\.1 200 /);
  const stated = await createNodeApi(t, { host: "0.0.0.0", hosts: ["grid.example"] });
  assert.match(await askRaw(t, stated.port, ask), /^HTTP\/1\.1 421 /);
  for (const host of ["grid.example:80", "192.0.2.1:9301", "[2001:db8::1]", "localhost"]) {
    const answer = await askRaw(t, stated.port, request("/chains", [`host: ${host}`, "connection: close"]));
    assert.match(answer, /^HTTP\/1\.1 200 /, host);
  }
});

test("lets no page of another origin read an answer", async (t) => {
  const { port } = await createNodeApi(t);
  const origin = [
    "host: localhost",
    "origin: https://evil.example",
    "access-control-request-method: POST",
    "connection: close",
  ];
  for (const [path, method] of [
    ["/chains", "GET"],
    ["/health", "GET"],
    ["/chains/1/blocks", "GET"],
    ["/orders", "OPTIONS"],
    ["/events", "HEAD"],
  ] as const) {
    assert.doesNotMatch(await askRaw(t, port, request(path, origin, method)), /access-control/i, path);
  }
});

test("between the blocks of a long answer the loop comes to everything else", async (t) => {
  const { base, cluster, clock } = await createNodeApi(t);
  let others = 0;
  let ending = false;
  const turn = () => {
    others += 1;
    if (!ending) setImmediate(turn);
  };
  const seen: number[] = [];
  replaceBlocks(cluster.nodes[0]!.store, (height) => {
    if (height > 200) return undefined;
    clock.now_ms += 1; // each takes a millisecond
    seen.push(others);
    return Buffer.alloc(100, height);
  });
  setImmediate(turn);
  const answers = await Promise.all(
    Array.from({ length: 8 }, async () => (await fetch(`${base}/chains/1/blocks?limit=1000`)).arrayBuffer()),
  );
  ending = true;
  for (const answer of answers) assert.equal(answer.byteLength, 20_000);
  const atOnce = Math.max(...seen.map((turnOf) => seen.filter((other) => other === turnOf).length));
  assert.ok(atOnce <= 2, `${atOnce} blocks were read in one turn`);
});

test("an answer to HEAD has no body, and the next one follows on the same connection", async (t) => {
  const { port, answer } = await createLongChain(t);
  const next = request("/chains/1/blocks?limit=1000", ["host: localhost", "connection: close"]);
  const all = await askRaw(t, port, request("/chains/1/blocks?limit=1000", ["host: localhost"], "HEAD") + next);
  const second = all.indexOf("HTTP/1.1", 8);
  assert.equal(all.slice(0, second).endsWith("\r\n\r\n"), true);
  assert.deepEqual(bodiesOf(Buffer.from(all.slice(second), "latin1")), [answer]);
});

/** Waits for the beginning of an answer, and reads no more. */
async function firstBytes(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    socket.once("data", (chunk: Buffer) => {
      socket.pause();
      resolve(chunk.toString("latin1"));
    });
    socket.resume();
  });
}

/** The bodies of answers that came one behind the other (RFC 9112, sections 6 and 7.1). */
function bodiesOf(bytes: Buffer): readonly Buffer[] {
  const bodies: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf("\r\n\r\n", at) + 4;
    const head = bytes.toString("latin1", at, end);
    const length = /^content-length: (\d+)/im.exec(head)?.[1];
    if (length !== undefined) {
      at = end + Number(length);
      bodies.push(bytes.subarray(end, at));
      continue;
    }
    const chunks: Buffer[] = [];
    for (at = end; ; ) {
      const line = bytes.indexOf("\r\n", at);
      const size = Number.parseInt(bytes.toString("latin1", at, line), 16);
      chunks.push(bytes.subarray(line + 2, line + 2 + size));
      at = line + 2 + size + 2;
      if (size === 0) break;
      assert.ok(at < bytes.length, "a body was cut off");
    }
    bodies.push(Buffer.concat(chunks));
  }
  return bodies;
}

test("requests that expect something wait like any others, and the first one ends the connection", async (t) => {
  const { port, base, reads, refused } = await createLongChain(t);
  const expecting = request("/chains", ["host: localhost", "expect: tea"]);
  const alone = String(await askRaw(t, port, expecting.repeat(3)));
  assert.match(alone, /^HTTP\/1\.1 417 [\s\S]*connection: close/i);
  assert.equal(alone.match(/HTTP\/1\.1 /g)?.length, 1);
  const socket = await openUnread(t, port, LONG + expecting.repeat(400));
  await readAll(socket);
  assert.equal(await refused("pipelined"), 1);
  assert.ok(reads.length <= BLOCKS);
  assert.equal((await fetch(`${base}/chains`)).status, 200);
});

test("a body of unknown length, or where none is due, ends the connection before it has come", async (t) => {
  const { port, base } = await createNodeApi(t);
  const chunked = ["host: localhost", "transfer-encoding: chunked"];
  for (const head of [
    request("/health", chunked),
    request("/orders", [...chunked, "content-type: application/cose"], "POST"),
  ]) {
    const answer = String(await askRaw(t, port, `${head}1\r\nx\r\n`));
    assert.match(answer, /^HTTP\/1\.1 411 [\s\S]*connection: close/i);
  }
  const long = await askRaw(t, port, request("/chains", ["host: localhost", "content-length: 9999999"]));
  assert.match(String(long), /^HTTP\/1\.1 413 [\s\S]*connection: close/i);
  assert.equal((await fetch(`${base}/chains`)).status, 200);
});
