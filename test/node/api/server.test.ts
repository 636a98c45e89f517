import assert from "node:assert/strict";
import { once } from "node:events";
import { get } from "node:http";
import { connect } from "node:net";
import { test } from "node:test";
import { decodeBlock } from "../../../src/wire/block.js";
import { toHex } from "../../../src/wire/bytes.js";
import { encodeCbor } from "../../../src/wire/cbor.js";
import { issueOrder } from "../../../src/wire/order.js";
import { decodeReceipt, verifyReceipt } from "../../../src/wire/receipt.js";
import { parseRecord } from "../../../src/wire/record.js";
import { governanceOf } from "../../../tools/authority/orders.js";
import { nodeVerify } from "../../../tools/crypto/signatures.js";
import { GridsealError } from "../../../tools/errors.js";
import { blocks as blockTable, putOutline } from "../../../tools/node/chain/tables/blocks.js";
import { blockKey } from "../../../tools/node/store/keys.js";
import { outlineOf } from "../../../tools/node/store/outline.js";
import type { FoundRecord } from "../../../tools/routes/record-rows.js";
import { openApiSource, postOrder } from "../../../tools/sources/api.js";
import { SERVICE } from "../chain/cluster.js";
import { createNodeApi, eventually, jsonOf, replaceBlocks } from "./api.js";

test("answers health, chains, genesis and metrics", async (t) => {
  const { cluster, base } = await createNodeApi(t);
  const health = await jsonOf(await fetch(`${base}/health`));
  assert.equal(health.network, "test");
  const { 0: chain } = (await jsonOf(await fetch(`${base}/chains`))) as Record<
    number,
    { records: number; header: string }
  >;
  assert.equal(chain?.records, 5);
  assert.equal(chain?.header, toHex(cluster.nodes[0]!.chain.head.headerHash));
  assert.deepEqual(new Uint8Array(await (await fetch(`${base}/genesis`)).arrayBuffer()), cluster.genesisBytes);
  assert.match(await (await fetch(`${base}/metrics`)).text(), /# TYPE gridseal_records_admitted_total counter/);
});

test("health is the verdict in the draft's form, and 503 where the node fails", async (t) => {
  const { base, verdict } = await createNodeApi(t);
  const passing = await fetch(`${base}/health`);
  assert.equal(passing.status, 200);
  assert.equal(passing.headers.get("content-type"), "application/health+json");
  const { status, checks } = await jsonOf(passing);
  assert.deepEqual([status, checks], ["pass", {}]);
  const warning = { check: "store:space", status: "warn", chain: undefined, output: "1 MiB are free" } as const;
  verdict.now = { status: "warn", problems: [warning] };
  assert.equal((await fetch(`${base}/health`)).status, 200);
  const chain = { service: SERVICE, name: "trading" };
  const failure = { check: "chain:quorum", status: "fail", chain, output: "1 of 3" } as const;
  verdict.now = { status: "fail", problems: [warning, failure] };
  const failing = await fetch(`${base}/health`);
  assert.equal(failing.status, 503);
  assert.deepEqual((await jsonOf(failing)).checks, {
    "store:space": [{ status: "warn", output: "1 MiB are free" }],
    "chain:quorum": [{ componentId: "trading", service: SERVICE, status: "fail", output: "1 of 3" }],
  });
});

test("serves blocks one by one and in ranges", async (t) => {
  const { cluster, base } = await createNodeApi(t);
  const { store } = cluster.nodes[0]!;
  const blocks = [1, 2, 3, 4, 5].map((height) => Buffer.from(store.get(blockTable, blockKey(SERVICE, height))!));
  const bytesOf = async (path: string) => Buffer.from(await (await fetch(`${base}${path}`)).arrayBuffer());
  assert.deepEqual(await bytesOf("/chains/1/blocks/3"), blocks[2]);
  assert.deepEqual(await bytesOf("/chains/1/blocks"), Buffer.concat(blocks));
  assert.deepEqual(await bytesOf("/chains/1/blocks?from=2&limit=2"), Buffer.concat(blocks.slice(1, 3)));
  assert.equal((await bytesOf("/chains/1/blocks?from=6")).length, 0);
});

test("says that a block is damaged and no more to whoever asks, and where to the node", async (t) => {
  const { cluster, base, damage } = await createNodeApi(t);
  const message = "store /data: block 2 of chain 1 is damaged";
  replaceBlocks(cluster.nodes[0]!.store, () => {
    throw new GridsealError("STORE_CORRUPT", message);
  });
  const answer = await fetch(`${base}/chains/1/blocks/2`);
  assert.equal(answer.status, 500);
  const { code, message: told } = await jsonOf(answer);
  assert.equal(code, "damaged");
  assert.doesNotMatch(String(told), /data/);
  assert.deepEqual(damage, [message]);
});

test("says that it failed and no more to whoever asks, and why to the node", async (t) => {
  const { cluster, base, defects } = await createNodeApi(t);
  replaceBlocks(cluster.nodes[0]!.store, () => {
    throw new TypeError("cannot read of undefined in /data");
  });
  const answer = await fetch(`${base}/chains/1/blocks/2`);
  assert.equal(answer.status, 500);
  const { code, message } = await jsonOf(answer);
  assert.equal(code, "failed");
  assert.doesNotMatch(String(message), /undefined|data/);
  assert.deepEqual(defects, ["/chains/:service/blocks/:height: cannot read of undefined in /data"]);
});

test("serves a sealed record's receipt, says that one waits, and that one is unknown", async (t) => {
  const { cluster, meter, base } = await createNodeApi(t);
  const path = (seq: number) => `${base}/receipts/1/${toHex(meter.kid)}/${seq}`;
  const receipt = decodeReceipt(new Uint8Array(await (await fetch(path(4))).arrayBuffer()));
  verifyReceipt(receipt, cluster.genesis, nodeVerify);
  assert.equal((await fetch(path(99))).status, 202);
  const unknown = await fetch(path(5));
  assert.equal(unknown.status, 404);
  assert.equal((await jsonOf(unknown)).code, "unknown-record");
});

test("serves a meter's sealed records by their numbers, page by page, and tells of those that it keeps no more", async (t) => {
  const { cluster, meter, base } = await createNodeApi(t);
  const source = openApiSource(base);
  const numbers = async (from: number) => {
    const found: FoundRecord[] = [];
    for await (const record of source.records(1, meter.kid, from)) found.push(record);
    return found;
  };
  const all = await numbers(0);
  assert.deepEqual(
    all.map(({ seq, height, leaf }) => [seq, height, leaf]),
    [0, 1, 2, 3, 4].map((seq) => [seq, seq + 1, 1]),
  );
  assert.deepEqual(
    all.map(({ bytes }) => parseRecord(bytes!).claims.seq),
    [0, 1, 2, 3, 4],
  );
  assert.deepEqual(await numbers(3), all.slice(3));
  assert.deepEqual(await numbers(5), []);
  const { store } = cluster.nodes[0]!;
  const block = store.get(blockTable, blockKey(1, 2))!;
  await store.write((writer) => putOutline(writer, 1, 2, outlineOf(decodeBlock(block))));
  assert.deepEqual(await numbers(0), [all[0], { ...all[1]!, bytes: undefined }, ...all.slice(2)]);
  assert.equal((await fetch(`${base}/records/1/${toHex(meter.kid)}?from=x`)).status, 400);
});

test("takes an order that applies, tells why another does not, and serves those that are sealed", async (t) => {
  const { cluster, base } = await createNodeApi(t);
  const { genesis, authority, nodes } = cluster;
  const revoke = (number: number, byte: number, by = authority) => {
    const action = { type: "revoke", meters: [new Uint8Array(8).fill(byte)] } as const;
    return issueOrder({ number, time_s: 1, action }, genesis, by);
  };
  const orders: Uint8Array[] = [];
  const post = async (body: Uint8Array | string, type = "application/cose") => {
    const headers = { "content-type": type };
    const answer = await fetch(`${base}/orders`, { method: "POST", headers, body: Buffer.from(body) });
    return [answer.status, String((await jsonOf(answer)).message)] as const;
  };
  for (const number of [1, 2]) {
    const order = revoke(number, number);
    orders.push(order);
    assert.equal((await post(order))[0], 202);
    await cluster.until(() => nodes[0]!.governor.current.lastOrder === number, `order ${number} is sealed`);
  }
  const cases: readonly (readonly [Uint8Array | string, number, RegExp])[] = [
    [revoke(2, 3), 409, /order 2 does not follow order 2/],
    [revoke(4, 3), 409, /order 4 does not follow order 2/],
    [revoke(3, 1), 409, /0101010101010101 is revoked already/],
    [revoke(3, 3, nodes[0]!.signer), 400, /not signed by the authority/],
    ["rubbish", 400, /tag 18/],
    [new Uint8Array(200_000), 413, /too large/],
  ];
  for (const [body, status, message] of cases) {
    const [code, reason] = await post(body);
    assert.equal(code, status, String(message));
    assert.match(reason, message);
  }
  assert.equal((await post("{}", "application/json"))[0], 415);
  const rows = orders.map((order, index) => Buffer.from(encodeCbor([index + 1, order])));
  const served = async (query: string) => Buffer.from(await (await fetch(`${base}/orders${query}`)).arrayBuffer());
  assert.deepEqual(await served(""), Buffer.concat(rows));
  assert.deepEqual(await served("?from=2"), rows[1]);
  assert.equal((await served("?from=3")).length, 0);
  assert.equal((await fetch(`${base}/orders?from=0`)).status, 400);
  const source = openApiSource(base);
  const governance = await governanceOf(genesis, source.orders());
  assert.deepEqual(governance, nodes[0]!.governor.current);
  await assert.rejects(postOrder(base, revoke(2, 9)), { code: "ORDER_REFUSED" });
});

test("answers every number in a path, however large, with what is there or a refusal", async (t) => {
  const { base } = await createNodeApi(t);
  const edges = [2 ** 16, 2 ** 31, 2 ** 32, 2 ** 35, 2 ** 40, 2 ** 45, 2 ** 48, 10 ** 15 - 1, 2 ** 53 - 1, 2 ** 53];
  for (const number of [0, ...edges.flatMap((edge) => [edge - 2, edge - 1, edge])]) {
    for (const [path, known, max] of [
      [`/chains/1/blocks/${number}`, 404, 0],
      [`/chains/1/blocks?from=${number}`, 200, 2 ** 40 - 2],
      [`/chains/${number}/blocks`, 200, 65_535],
      [`/chains/${number}/lineage`, 200, 65_535],
      [`/chains/${number}/blocks/1`, 404, 0],
      [`/orders?from=${number}`, 200, 2 ** 32 - 1],
      [`/receipts/1/0000000000000000/${number}`, 404, 2 ** 32 - 2],
      [`/receipts/${number}/0000000000000000/1`, 404, 65_535],
    ] as const) {
      const refused = max === 0 ? 404 : 400;
      const isBelow = number === 0 && path.includes("from=");
      assert.equal((await fetch(`${base}${path}`)).status, number > max || isBelow ? refused : known, path);
    }
  }
});

test("answers bad requests with a code and a sentence", async (t) => {
  const { base } = await createNodeApi(t);
  for (const [path, status] of [
    ["/receipts/1/xyz/0", 400],
    ["/receipts/1/0000000000000000/-1", 400],
    ["/chains/1/blocks?from=0", 400],
    ["/chains/1/blocks?from=abc", 400],
    ["/chains/1/blocks/999", 404],
    ["/chains/9/blocks/1", 404],
    ["/nothing", 404],
    ["/%", 400],
    [`/chains/${"9".repeat(50)}/blocks/1`, 404],
  ] as const) {
    const answer = await fetch(`${base}${path}`);
    assert.equal(answer.status, status, path);
    const { code, message } = await jsonOf(answer);
    assert.ok(typeof code === "string" && typeof message === "string", path);
  }
});

test("lets go of subscribers whose connection is gone, those that asked behind another stream too", async (t) => {
  const { port } = await createNodeApi(t);
  const ask = "GET /events HTTP/1.1\r\nhost: localhost\r\n\r\n";
  const connections = Array.from({ length: 300 }, async () => {
    const socket = connect(port, "127.0.0.1");
    socket.write(ask + ask);
    await once(socket, "data");
    socket.destroy();
    await once(socket, "close");
  });
  await Promise.all(connections);
  const statusOf = () =>
    new Promise<number>((resolve) => {
      const request = get({ host: "127.0.0.1", port, path: "/events", agent: false }, (response) => {
        resolve(response.statusCode!);
        request.destroy();
      });
    });
  const until_ms = performance.now() + 10_000;
  while ((await statusOf()) !== 200) assert.ok(performance.now() < until_ms, "the places are free again");
});

test("refuses a stream behind another one on the same connection", async (t) => {
  const { api, port, seal } = await createNodeApi(t);
  const socket = connect(port, "127.0.0.1");
  const ask = "GET /events HTTP/1.1\r\nhost: localhost\r\n\r\n";
  socket.write(ask + ask);
  await once(socket, "data");
  let text = "";
  socket.on("data", (chunk) => {
    text += String(chunk);
  });
  await seal();
  await eventually("the event has come", () => text.includes('"height":6'));
  await api.close();
  await once(socket, "close");
  assert.equal(text.match(/"height":6/g)?.length, 1);
});
