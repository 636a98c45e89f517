// A node that is asked by the shapes of its routes, played by a server that is slow, silent or says something else.

import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { blocks } from "../../tools/routes/blocks.js";
import { chains } from "../../tools/routes/chains.js";
import { openApiSource } from "../../tools/sources/api.js";
import { askAnswer, askValue, chunksOf, RANGE_BYTES_MAX } from "../../tools/sources/client.js";

async function serve(t: TestContext, answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const PATIENCE_MS = 2_000;
const question = { parameters: { service: 1 }, patience_ms: PATIENCE_MS };

test("takes an answer to its end, however long its reader works on a part of it", async (t) => {
  const body = Buffer.alloc(20_000_000, 7);
  const base = await serve(t, (_request, response) => response.end(body));
  let length = 0;
  for await (const chunk of chunksOf(await askAnswer(base, blocks, question))) {
    if (length === 0) await pause(PATIENCE_MS + 500);
    length += chunk.length;
  }
  assert.equal(length, body.length);
});

test("gives up a node that falls silent, before its answer or within it", async (t) => {
  const silent = await serve(t, () => undefined);
  await assert.rejects(askAnswer(silent, blocks, { ...question, patience_ms: 100 }), {
    code: "NODE_UNREACHABLE",
    message: /cannot be reached: nothing came for 0.1 s/,
  });
  const stopping = await serve(t, (_request, response) => response.write("beginning"));
  const answer = await askAnswer(stopping, blocks, question);
  const read = async () => {
    for await (const _ of chunksOf({ ...answer, patience_ms: 100 }));
  };
  await assert.rejects(read, {
    code: "NODE_UNREACHABLE",
    message: /broke off its answer: no more than 9 bytes came in 0.1 s/,
  });
});

test("gives up a node that drips, however often something comes, and takes one that is slow enough to be used", async (t) => {
  const dripping = await serve(t, (_request, response) => {
    const timer = setInterval(() => response.write(" "), 20);
    response.once("close", () => clearInterval(timer));
  });
  const dripped = { code: "NODE_UNREACHABLE", message: /broke off its answer: no more than \d+ bytes came in 0\.\d s/ };
  await assert.rejects(askValue(dripping, chains, { parameters: {}, patience_ms: 300 }), dripped);
  const read = async () => {
    for await (const _ of chunksOf(await askAnswer(dripping, blocks, { ...question, patience_ms: 300 })));
  };
  await assert.rejects(read, dripped);
  const slow = await serve(t, async (_request, response) => {
    for (let count = 0; count < 20; count += 1) {
      response.write(Buffer.alloc(1_000));
      await pause(30);
    }
    response.end();
  });
  let length = 0;
  const answer = await askAnswer(slow, blocks, { ...question, patience_ms: 300 });
  for await (const chunk of chunksOf(answer)) length += chunk.length;
  assert.equal(length, 20_000, "an answer that takes longer than the patience, and keeps coming, is taken to its end");
});

test("gives up an answer that is longer than any range", async (t) => {
  const endless = await serve(t, (_request, response) => {
    const piece = Buffer.alloc(1_048_576);
    const more = () => {
      while (!response.destroyed && response.write(piece));
    };
    response.on("drain", more);
    more();
  });
  let length = 0;
  const read = async () => {
    for await (const chunk of chunksOf(await askAnswer(endless, blocks, question))) length += chunk.length;
  };
  await assert.rejects(read, { code: "NODE_UNREACHABLE", message: /longer than 67108864 bytes/ });
  assert.ok(length <= RANGE_BYTES_MAX, `no more than that is handed on, not ${length}`);
});

test("a node that answers with the same entries for ever is left", async (t) => {
  const entry = { key: "a", value: 1 };
  const item = {
    ...{ service: 1, height: 1, index: 0, time_ms: 5, kind: "gap", subject: "00".repeat(8), number: 1 },
    ...{ id: "1:1:0", rule: null, entry: null, state: "open" },
  };
  const base = await serve(t, (request, response) => {
    const isState = request.url!.includes("/state/");
    const state = { height: 1, stateRoot: "0".repeat(64), entries: [entry], hasMore: true };
    response.end(
      JSON.stringify(isState ? state : { violations: [item], next: "5:1:1:0", isComplete: true, hidden: [] }),
    );
  });
  const source = openApiSource(base);
  const states = async () => {
    for await (const _ of source.stateEntries({ service: 1, contract: "c", prefix: "" }));
  };
  await assert.rejects(states, { code: "NODE_UNREACHABLE", message: /does not go on: it answers with key a behind a/ });
  const violations = async () => {
    for await (const _ of source.violations({}));
  };
  await assert.rejects(violations, { code: "NODE_UNREACHABLE", message: /does not go on: .* behind 5:1:1:0/ });
});

test("a reader that has enough ends the connection", async (t) => {
  let onClosed = () => {};
  const closed = new Promise<void>((resolve) => {
    onClosed = resolve;
  });
  const base = await serve(t, (request, response) => {
    request.socket.once("close", () => onClosed());
    response.write(Buffer.alloc(1_000));
  });
  for await (const _ of chunksOf(await askAnswer(base, blocks, question))) break;
  await closed;
});

test("takes no value that is not of the shape", async (t) => {
  const good = { service: 1, name: "a", height: 1, records: 1, violations: 0, time_ms: null, pending: 0 };
  for (const [body, isGood] of [
    [JSON.stringify([{ ...good, header: "0".repeat(64) }]), true],
    [JSON.stringify([{ ...good, header: "0" }]), false],
    [JSON.stringify([{ ...good, header: "0".repeat(64), height: "1" }]), false],
    ["{}", false],
  ] as const) {
    const base = await serve(t, (_request, response) => response.end(body));
    const asked = askValue(base, chains, { parameters: {} });
    if (isGood) assert.equal((await asked).length, 1);
    else await assert.rejects(asked, { code: "NODE_UNREACHABLE", message: /\/chains is not the answer of a node/ });
  }
});
