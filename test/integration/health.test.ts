// The health of a node as a load balancer sees it: good among its peers, failing while it is alone with a record, good again.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { connectMeter, makeMeter } from "./mqtt.js";
import { makeNetwork, startNodes, stopNodes, type TestNode, whenEqual } from "./network.js";
import { cleanUp, temporaryFolder, until } from "./processes.js";

interface Health {
  readonly code: number;
  readonly status: string;
  readonly checks: Readonly<Record<string, readonly { readonly componentId?: string; readonly status: string }[]>>;
}

async function healthOf({ api }: TestNode): Promise<Health> {
  const response = await fetch(`http://${api.host}:${api.port}/health`);
  return { code: response.status, ...((await response.json()) as Omit<Health, "code">) };
}

test("a node that loses the others answers 503 and why, and 200 when they are back", {
  timeout: 240_000,
}, async (t) => {
  const defer = cleanUp(t);
  const network = await makeNetwork(defer, join(await temporaryFolder(defer), "network"), { nodes: 4, meters: 0 });
  const [node, ...others] = network.nodes as [TestNode, ...TestNode[]];

  await t.test("alone from the start it fails", async () => {
    await node.start();
    const { code, status, checks } = await healthOf(node);
    assert.deepEqual([code, status], [503, "fail"]);
    const chains = checks["chain:quorum"]!.map(({ componentId }) => componentId);
    assert.deepEqual(chains, ["trading", "credit", "dispatch", "mining", "contracts"]);
  });

  await t.test("among its peers it passes", async () => {
    await startNodes({ ...network, nodes: others });
    await until("the node is well", async () => (await healthOf(node)).status === "pass");
    assert.equal((await healthOf(node)).code, 200);
    assert.equal(await node.counter("gridseal_health"), 0);
  });

  const meter = makeMeter(network);
  const session = await connectMeter(defer, network, meter, node.mqtt);
  await session.bear();
  const record = meter.record();

  await t.test("with the others frozen it fails, for want of a quorum and because a record stands", async () => {
    for (const other of others) other.process?.signal("SIGSTOP");
    try {
      await session.send(record);
      const failing = await until("both are found", async () => {
        const health = await healthOf(node);
        return health.checks["chain:sealing"] && health.checks["chain:quorum"] && health;
      });
      assert.equal(failing.code, 503);
      assert.deepEqual(
        failing.checks["chain:sealing"]!.map(({ componentId, status }) => [componentId, status]),
        [["trading", "fail"]],
      );
      assert.equal(await node.counter("gridseal_health"), 2);
      assert.equal(await node.counter("gridseal_health_problems", { check: "chain:sealing" }), 1);
    } finally {
      for (const other of others) other.process?.signal("SIGCONT");
    }
  });

  await t.test("when they are back it seals and passes", async () => {
    await session.receiptOf(record);
    await until("the node is well", async () => (await healthOf(node)).status === "pass");
    assert.equal((await healthOf(node)).code, 200);
  });

  await whenEqual(network);
  await stopNodes(network);
});
