// The demo as `npm start` runs it, and again on the same folder: everything that was published is sealed once, and anybody can verify it.

import assert from "node:assert/strict";
import { mkdtemp, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { Report } from "../../tools/demo/demo.js";
import type { StrangerChainReport } from "../wire/stranger.js";
import { assertNumbered, freeBasePort, isFree, openNetwork, verifyChains } from "./network.js";

import { cleanUp, type Defer, gridseal, inPairs, start, startGridseal, temporaryFolder, until } from "./processes.js";

const RECEIPTS = 18;

test("the demo seals what its meters publish, and goes on from where it stopped", { timeout: 240_000 }, async (t) => {
  const defer = cleanUp(t);
  const folder = join(await temporaryFolder(defer), "demo");

  const first = await runDemo(defer, folder, 12);
  await t.test("everything published is sealed once and verified", () => assertComplete(first));
  const network = await openNetwork(defer, folder);
  const before = await verifyChains(network);
  await t.test("a stranger verifies every chain, and no record is missing from it", () => {
    assertNumbered(before);
    assert.equal(recordsIn(before), first.records.sealed);
    for (const { service, height, records } of first.chains) {
      const chain = [...before.values()].find((report) => nameOf(report.chain) === service);
      assert.deepEqual([chain?.height ?? 0, chain?.records.length ?? 0], [height, records], service);
    }
  });

  const second = await runDemo(defer, folder, 10);
  await t.test("the second run loses nothing either", () => assertComplete(second));
  const after = await verifyChains(network);
  await t.test("the chains have grown by what the second run has published, and begin as they were", () => {
    assertNumbered(after);
    assert.equal(recordsIn(after), first.records.sealed + second.records.sealed);
    for (const [service, { height, records }] of before) {
      const grown = after.get(service)!;
      assert.ok(grown.height >= height);
      assert.deepEqual(grown.records.slice(0, records.length), records);
    }
    assert.ok([...before].some(([service, { height }]) => after.get(service)!.height > height));
  });

  await t.test(`receipts of ${RECEIPTS} records of all chains verify with the command`, async () => {
    const records = sample(after);
    assert.equal(records.length, RECEIPTS);
    const receipts = await mkdtemp(join(folder, "receipts-"));
    const data = join(folder, "nodes/node-2/data");
    await inPairs(records, async ({ service, meter, seq, hash }) => {
      const file = join(receipts, `${service}-${meter}-${seq}`);
      const get = ["receipt", "get", "--data", data, "--service", String(service), "--meter", meter];
      const got = await gridseal(...get, "--seq", String(seq), "--out", file);
      assert.equal(got.status, 0, got.errors);
      const verified = await gridseal("receipt", "verify", file, "--genesis", network.genesis, "--json");
      assert.equal(verified.status, 0, verified.errors);
      const { recordHash } = JSON.parse(verified.output);
      assert.equal(recordHash, hash);
    });
  });
});

test("Ctrl-C in a terminal, which every process of `npm start` gets, loses nothing", {
  timeout: 240_000,
}, async (t) => {
  const defer = cleanUp(t);
  const folder = join(await temporaryFolder(defer), "demo");
  const file = `${folder}-report.json`;
  const port = String(await freeBasePort(4));
  const npm = start(defer, "npm", [
    "start",
    "--ignore-scripts",
    "--",
    "--data",
    folder,
    "--report",
    file,
    "--base-port",
    port,
  ]);
  await until("first receipt is verified", () => / verified [1-9]/.test(npm.output));
  process.kill(-npm.pid, "SIGINT");
  await until("it says what it waits for", () => /^stops: waits up to 60 s until /m.test(npm.output));
  await npm.ended; // its own status is npm's affair: the signal was for it too
  assertComplete(JSON.parse(await readFile(file, "utf8")) as Report);
  const logs = await Promise.all(
    [1, 2, 3, 4].map((number) => readFile(join(folder, `nodes/node-${number}/node.log`), "utf8")),
  );
  for (const log of logs) assert.equal(log.match(/node is up/g)?.length, 1, "no node was started again");
  await verifyChains(await openNetwork(defer, folder));
});

test("nodes end with the demo, whatever ends it", { timeout: 120_000 }, async (t) => {
  const defer = cleanUp(t);
  const folder = join(await temporaryFolder(defer), "demo");
  const demo = startGridseal(defer, "demo", "--data", folder, "--base-port", String(await freeBasePort(4)));
  await until("nodes are up", () => /node-4 {2}http/.test(demo.output));
  const [api] = demo.output.match(/http:\S+/)!;
  process.kill(demo.pid, "SIGKILL");
  await demo.ended;
  await until("the node is gone", () => isFree(Number(new URL(api).port)));
});

/** Runs it for so many seconds after its nodes are up; its report. */
async function runDemo(defer: Defer, folder: string, duration_s: number): Promise<Report> {
  const file = `${folder}-report.json`;
  const port = String(await freeBasePort(4));
  const options = ["--seconds", String(duration_s), "--data", folder, "--report", file, "--base-port", port];
  const demo = startGridseal(defer, "demo", ...options);
  await until("nodes are up", () => demo.isRunning && /node-4 {2}http/.test(demo.output));
  await until("first receipt is verified", () => !demo.isRunning || / verified [1-9]/.test(demo.output));
  const { status, output, errors } = await demo.ended;
  assert.equal(status, 0, `${output}\n${errors}`);
  return JSON.parse(await readFile(file, "utf8")) as Report;
}

function assertComplete({ records }: Report): void {
  const { published } = records;
  assert.ok(published > 0);
  assert.deepEqual(records, { published, sealed: published, verified: published, lost: 0, unasked: 0, duplicated: 0 });
}

const names = ["trading", "credit", "dispatch", "mining", "contracts", "charging"];

function nameOf(service: number): string {
  return names[service - 1]!;
}

function recordsIn(reports: ReadonlyMap<number, StrangerChainReport>): number {
  return [...reports.values()].reduce((sum, { records }) => sum + records.length, 0);
}

/** Records of all chains in turn, the newest of each first. */
function sample(reports: ReadonlyMap<number, StrangerChainReport>) {
  const queues = [...reports].map(([service, { records }]) => records.map((record) => ({ service, ...record })));
  const picked = [];
  for (let turn = 0; picked.length < RECEIPTS && queues.some((queue) => queue.length > 0); turn += 1) {
    const next = queues[turn % queues.length]!.pop();
    if (next !== undefined) picked.push(next);
  }
  return picked;
}
