// A network is brought to another version one node after the other, and seals all the while: each node says which one it runs.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { health } from "../../tools/routes/health.js";
import { alteredCommand } from "./altered.js";
import { connectMeter, makeMeter } from "./mqtt.js";
import { makeNetwork, startNodes, stopNodes, verifyChains, whenEqual } from "./network.js";
import { cleanUp, gridseal, temporaryFolder } from "./processes.js";

const NEWER = "99.0.0";

test("nodes of two versions with one protocol are one cluster while they are upgraded in turn", {
  timeout: 280_000,
}, async (t) => {
  const defer = cleanUp(t);
  const folder = await temporaryFolder(defer);
  const newer = await alteredCommand(join(folder, "newer"), { version: NEWER });
  const network = await makeNetwork(defer, join(folder, "network"), { nodes: 4, meters: 0 });
  await startNodes(network);
  const meter = makeMeter(network);
  const session = await connectMeter(defer, network, meter, network.nodes[0]!.mqtt);
  await session.bear();
  const releases = async () =>
    Promise.all(
      network.nodes.map(async ({ api }) => {
        const answer = await fetch(`http://${api.host}:${api.port}${health.path}`);
        return ((await answer.json()) as { releaseId: string }).releaseId;
      }),
    );
  let sealed = 0;
  const seal = async () => {
    const record = meter.record();
    await session.send(record);
    await session.receiptOf(record);
    sealed += 1;
  };
  await seal();
  // The first node has the meter, which is the test's own and does not turn to another.
  for (const [index, node] of network.nodes.slice(1).entries()) {
    await node.stop();
    await seal();
    await node.start(newer);
    await seal();
    await whenEqual(network);
    assert.equal(
      (await releases()).filter((release) => release === NEWER).length,
      index + 1,
      `${node.name} is upgraded`,
    );
  }
  const [asked, other] = network.nodes;
  const { output } = await gridseal(
    ...["doctor", asked!.folder, "--json", "--api", `http://${other!.api.host}:${other!.api.port}`],
  );
  const { findings } = JSON.parse(output) as { findings: { check: string; status: string; output: string }[] };
  const versions = findings.filter(({ check }) => check === "version").map(({ status }) => status);
  assert.deepEqual(versions, ["pass", "warn"]);
  assert.deepEqual(
    findings.filter(({ check, status }) => check !== "version" && status !== "pass").map(({ output }) => output),
    [],
  );
  await stopNodes(network);
  assert.equal((await verifyChains(network)).get(1)!.records.length, sealed);
});
