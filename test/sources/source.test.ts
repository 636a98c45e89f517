// The API as a source, against a server that answers as a node does, and as it should not.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { refusals } from "../../tools/routes/refusals.js";
import { openApiSource } from "../../tools/sources/api.js";
import { openFileSource } from "../../tools/sources/file.js";
import type { ReceiptSource } from "../../tools/sources/source.js";
import { buildChain, makeMeter } from "../audit/chain-builder.js";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

async function withServer(answer: Answer, use: (source: ReceiptSource) => Promise<void>): Promise<void> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  try {
    await use(openApiSource(`http://127.0.0.1:${port}/`));
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

async function collect(blocks: AsyncIterable<Uint8Array>): Promise<readonly Uint8Array[]> {
  const collected: Uint8Array[] = [];
  for await (const block of blocks) collected.push(block);
  return collected;
}

test("fetches a chain page by page until a page is empty", async () => {
  const chain = buildChain();
  const meter = makeMeter(1);
  for (let height = 1; height <= 5; height += 1) {
    chain.seal({ records: [meter.record()], credentials: height === 1 ? [meter.credential] : [] });
  }
  const asked: string[] = [];
  const answer: Answer = (request, response) => {
    asked.push(request.url ?? "");
    const from = Number(new URL(request.url ?? "", "http://node").searchParams.get("from"));
    response.end(Buffer.concat(chain.blocks.slice(from - 1, from + 1)));
  };
  await withServer(answer, async (source) => {
    assert.deepEqual(await collect(source.blocks(1, 2)), chain.blocks.slice(1));
  });
  assert.deepEqual(
    asked.map((url) => url.replace("&limit=1000", "")),
    [2, 4, 6].map((from) => `/chains/1/blocks?from=${from}`),
  );
});

test("asks a node again that is busy or was asked too much, when it says, and no other one", async () => {
  const busy = [429, 503, 200];
  const answer: Answer = (request, response) => {
    const isBlock = request.url?.startsWith("/chains/1/blocks") ?? false;
    response.statusCode = isBlock ? busy.shift()! : 503;
    if (isBlock && response.statusCode !== 200) response.setHeader("retry-after", "0");
    response.end("[]");
  };
  await withServer(answer, async (source) => {
    assert.deepEqual(await source.block(1, 2), new Uint8Array(Buffer.from("[]")));
    await assert.rejects(source.chains(), { code: "NODE_UNREACHABLE", message: /answers 503/ });
  });
  assert.deepEqual(busy, []);
});

test("tells a record that waits from one that nobody knows", async () => {
  for (const [code, message] of [
    ["waiting", /waits and is not sealed yet/],
    ["unknown-record", /does not know record 7/],
  ] as const) {
    const { status } = refusals[code];
    const body = JSON.stringify({ code, message: "of a node", remedy: "of a node" });
    const answer: Answer = (_request, response) => response.writeHead(status).end(body);
    await withServer(answer, (source) =>
      assert.rejects(source.receipt(1, new Uint8Array(8), 7), { code: "RECORD_UNKNOWN", message }),
    );
  }
});

test("takes a refusal for what its code says, and one without a code of the route for no answer", async () => {
  const refusing = (status: number, code: string) => (_request: IncomingMessage, response: ServerResponse) =>
    response.writeHead(status).end(JSON.stringify({ code, message: `it is ${code}`, remedy: "none" }));
  await withServer(refusing(404, "unknown-block"), async (source) => {
    assert.equal(await source.block(1, 2), undefined);
  });
  await withServer(refusing(410, "pruned"), async (source) => {
    await assert.rejects(source.block(1, 2), { code: "BLOCK_PRUNED", message: /it is pruned/ });
    await assert.rejects(collect(source.blocks(1, 2)), { code: "BLOCK_PRUNED", message: /it is pruned/ });
  });
  await withServer(refusing(404, "unknown-path"), async (source) => {
    await assert.rejects(source.block(1, 2), { code: "NODE_UNREACHABLE", message: /answers 404: it is unknown-path/ });
  });
});

const wrongAnswers: readonly (readonly [string, Answer])[] = [
  ["answers with an error", (_request, response) => response.writeHead(500).end("broken")],
  ["answers with something else than chains", (_request, response) => response.end('[{"service":"1"}]')],
  ["answers with no JSON", (_request, response) => response.end("<html>")],
  ["answers without end", (_request, response) => response.end(Buffer.alloc(2_000_000, 32))],
  ["redirects elsewhere", (_request, response) => response.writeHead(302, { location: "http://127.0.0.1:9/" }).end()],
  ["breaks off", (request) => request.socket.destroy()],
];

for (const [name, answer] of wrongAnswers) {
  test(`says so where a node ${name}`, () =>
    withServer(answer, (source) => assert.rejects(source.chains(), { code: "NODE_UNREACHABLE" })));
}

test("says so where a node answers blocks with something else", () =>
  withServer(
    (_request, response) => response.end(Buffer.from("not a block at all")),
    async (source) => {
      await assert.rejects(collect(source.blocks(1, 1)), { code: "CHAIN_INVALID", message: /no chain/ });
    },
  ));

test("refuses what is no HTTP URL", () => {
  for (const url of ["localhost:9301", "ftp://node", "http://"]) {
    assert.throws(() => openApiSource(url), { code: "USAGE" });
  }
});

test("names the file whose last block is cut off, whether it is listed or a block is looked for", async (t) => {
  const chain = buildChain();
  const meter = makeMeter(1);
  chain.seal({ records: [meter.record()], credentials: [meter.credential] });
  const folder = await mkdtemp(join(tmpdir(), "gridseal-source-"));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, "cut.cborseq");
  await writeFile(path, chain.blocks[0]!.subarray(0, -1));
  const source = openFileSource(path);
  for (const read of [() => source.chains(), () => source.block(1, 1)]) {
    await assert.rejects(read, {
      code: "CHAIN_INVALID",
      message: /cut\.cborseq: a block cannot be read: the last \d+ bytes/,
    });
  }
});
