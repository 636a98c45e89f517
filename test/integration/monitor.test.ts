// The monitor over real nodes: it finds nothing where all is well, and names a node that serves a wrong block.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { decodeBlock, encodeBlock } from "../../src/wire/block.js";
import { createParticipant } from "../../tools/provisioning/participant.js";
import { splitSequence } from "../../tools/sources/sequence.js";
import { freeBasePort, openNetwork } from "./network.js";
import { cleanUp, type Defer, gridseal, gridsealJson, startGridseal, temporaryFolder, until } from "./processes.js";

const NODES = 4;
/** What the altered node serves, which the test changes while it runs. */
const serving = { isBlockAltered: true, isStateAltered: false };
/** The block that the altered node serves otherwise: of the chain of dispatch. */
const ALTERED = 3;

test("the monitor names the node that serves a wrong block, and nobody else", { timeout: 480_000 }, async (t) => {
  const defer = cleanUp(t);
  const folder = join(await temporaryFolder(defer), "demo");
  const port = await freeBasePort(NODES);
  const demo = startGridseal(defer, "demo", "--data", folder, "--base-port", String(port));
  await until("something is sealed", () => / verified [1-9]/.test(demo.output));
  const network = await openNetwork(defer, folder);
  const [honest, other] = network.nodes.map(({ api }) => `http://${api.host}:${api.port}`) as [string, string];
  const altered = await startAltering(defer, other);
  const nodes = [honest, altered];
  const state = join(folder, "monitor");
  const args = ["--genesis", network.genesis, "--metrics", "0", "--state", state];
  const monitor = startGridseal(defer, "monitor", "--api", ...nodes, ...args);
  const lines = () =>
    monitor.output
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  const found = await until("the alarm is raised", () => lines().find(({ alarm }) => alarm === "wrong-block"));
  assert.equal(found.node, altered, "the altered node is named");
  assert.equal(found.service, 3);
  assert.match(String(found.what), new RegExp(`block ${ALTERED}: `));
  assert.match(String(found.remedy), /Take the node out of use/);
  const metrics = `http://127.0.0.1:${lines()[0]!.metrics}/metrics`;
  const height = new RegExp(`gridseal_monitor_height\\{node="${honest}",service="3"\\} (\\d+)`);
  await until("the honest node is audited beyond it", async () => {
    const text = await (await fetch(metrics)).text();
    return (
      Number(height.exec(text)?.[1] ?? 0) > ALTERED && /alarms\{alarm="wrong-block",severity="page"\} 1/.test(text)
    );
  });
  await t.test("an alarm is acknowledged, and over when the node serves the right block", async () => {
    const port = String(lines()[0]!.metrics);
    const standing = (await gridsealJson("alarm", "list", "--metrics", port)) as { alarm: string; id: string }[];
    const { id } = standing.find(({ alarm }) => alarm === "wrong-block")!;
    const acknowledged = await gridseal("alarm", "acknowledge", id, "--metrics", port, "--state", state);
    assert.equal(acknowledged.status, 0, acknowledged.errors);
    const isTold = (state: string) => lines().some((line) => line.id === id && line.state === state);
    await until("that is told", () => isTold("acknowledged"));
    serving.isBlockAltered = false;
    await until("it is over", () => isTold("over"), 120_000);
  });
  await t.test("a node that tells another value of a contract's state is named", async () => {
    serving.isStateAltered = true;
    await sealEntry(folder, honest);
    const wrong = await until("it is told", () => lines().find(({ alarm }) => alarm === "wrong-state"), 120_000);
    assert.equal(wrong.node, altered);
    assert.match(String(wrong.what), /another value of registry\/entry/);
  });
  const ofHonest = lines().filter(({ node, severity }) => node === honest && severity === "page");
  assert.deepEqual(ofHonest, [], "nothing is said against the honest node");
  const { status, errors } = await monitor.stop();
  assert.equal(status, 0, errors);
});

/** A regulator sets an entry of the registry. */
async function sealEntry(folder: string, api: string): Promise<void> {
  const out = join(folder, "regulator");
  const plan = { network: folder, id: "regulator", role: "regulator", services: [5], out } as const;
  await createParticipant({ ...plan, algorithm: "Ed25519" }, new Date());
  const body = JSON.stringify({ name: "tariff", jurisdiction: null, from: 50_000, value: 12_345 });
  const signed = await gridseal("operation", "sign", "--as", out, "--service", "5", "--type", "1", "--body", body);
  assert.equal(signed.status, 0, signed.errors);
  const sent = await gridseal("operation", "submit", "--as", out, "--api", api, "--wait");
  assert.equal(sent.status, 0, sent.errors);
}

/** Stands before a node and changes one block in what it answers; resolves with its URL. */
async function startAltering(defer: Defer, node: string): Promise<string> {
  const server = createServer(async (request, response) => {
    const answer = await fetch(node + request.url).catch(() => undefined);
    if (answer === undefined) {
      response.destroy();
      return;
    }
    const bytes = new Uint8Array(await answer.arrayBuffer());
    const isBlocks = /^\/chains\/3\/blocks\?/.test(request.url ?? "") && answer.status === 200;
    response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "text/plain" });
    // Asked for all of the state it tells the truth: that it lies is found by a key that a block has written.
    const isState = serving.isStateAltered && /\/state\/registry\?(?:.*&)?prefix=entry/.test(request.url ?? "");
    if (isState) response.end(Buffer.from(bytes).toString().replaceAll("12345", "12346"));
    else response.end(serving.isBlockAltered && isBlocks ? await withAltered(bytes) : bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  defer(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function withAltered(bytes: Uint8Array): Promise<Buffer> {
  const blocks: Uint8Array[] = [];
  for await (const item of splitSequence(once(bytes))) {
    const block = decodeBlock(item);
    blocks.push(block.height === ALTERED ? encodeBlock({ ...block, time_ms: block.time_ms + 1 }) : item);
  }
  return Buffer.concat(blocks);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
