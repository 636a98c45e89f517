// Nodes whose data folders are emptied one after the other, on chains that stand still, get their vote back; and a chain that is
// ordered afterwards lives by their votes, with a meter that the authority has issued a credential for it.

import assert from "node:assert/strict";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { readGenesisFile } from "../../tools/files/genesis-file.js";
import { connectMeter, hexOf, makeMeter } from "./mqtt.js";
import { makeNetwork, startNodes, stopNodes, type TestNode, verifyChains, whenEqual } from "./network.js";
import { cleanUp, gridseal, gridsealJson, startGridseal, temporaryFolder, until } from "./processes.js";

const SOLAR = 7;

const urlOf = ({ api }: TestNode) => `http://${api.host}:${api.port}`;

async function healthOf(node: TestNode) {
  return (await (await fetch(`${urlOf(node)}/health`)).json()) as { readonly status: string };
}

test("a chain that is ordered after half of its members were reset lives", { timeout: 280_000 }, async (t) => {
  const defer = cleanUp(t);
  const network = await makeNetwork(defer, join(await temporaryFolder(defer), "network"), { nodes: 4, meters: 0 });
  const [first, second, third, fourth] = network.nodes as [TestNode, TestNode, TestNode, TestNode];
  await startNodes(network);
  const meter = makeMeter(network);
  const session = await connectMeter(defer, network, meter, first.mqtt);
  await session.bear();
  const sealOne = async () => {
    const record = meter.record();
    await session.send(record);
    await session.receiptOf(record);
  };
  await sealOne();

  // Every node but the first: the last of these resets leaves one alone that remembers all it has signed on the idle chains.
  for (const node of [third, fourth, second]) {
    await node.kill();
    await rm(join(node.folder, "data"), { recursive: true });
    await node.start();
    await until(`${node.name} votes on all chains`, async () => (await healthOf(node)).status === "pass");
  }
  await first.kill();
  const other = await connectMeter(defer, network, meter, second.mqtt);
  await other.bear();
  const needed = meter.record();
  await other.send(needed);
  await other.receiptOf(needed);
  await first.start();
  await until("the first node is level", async () => (await healthOf(first)).status === "pass");

  const { genesis } = await readGenesisFile(network.genesis);
  const members = genesis.nodes.flatMap(({ id }) => ["--member", hexOf(id)]);
  const file = join(network.folder, "solar.order");
  const made = await gridseal(
    ...["authority", "order", "chain", String(SOLAR), "solar", ...members],
    ...["--network", network.folder, "--api", urlOf(first), "-o", file],
  );
  assert.equal(made.status, 0, made.errors);
  const submitted = await gridseal("order", "submit", file, "--api", urlOf(first), "--genesis", network.genesis);
  assert.equal(submitted.status, 0, submitted.errors);

  const issued = await gridsealJson(
    "authority",
    "issue",
    "--network",
    network.folder,
    "--id",
    "roof",
    "--services",
    "7",
  );
  const { path, meter: id } = issued as { readonly path: string; readonly meter: string };
  const configuration = JSON.parse(await readFile(join(path, "configuration.json"), "utf8")) as {
    readonly schedule: readonly { readonly service: number }[];
  };
  assert.deepEqual(
    configuration.schedule.map(({ service }) => service),
    [SOLAR],
  );
  const roof = startGridseal(defer, "meter", "run", path, "--emulator");
  const receipt = join(network.folder, "roof.receipt");
  const which = ["--service", String(SOLAR), "--meter", id, "--seq", "0"];
  await until("the meter's first record is sealed", async () => {
    const got = await gridseal("receipt", "get", "--api", urlOf(fourth), ...which, "-o", receipt);
    return got.status === 0;
  });
  const verified = await gridseal("receipt", "verify", receipt, "--genesis", network.genesis);
  assert.equal(verified.status, 0, verified.errors);
  await roof.stop();
  for (const node of network.nodes) assert.equal((await healthOf(node)).status, "pass", node.name);
  await whenEqual(network);
  await stopNodes(network);
  await verifyChains(network);
});
