// A node that is a member of some chains and not of others: it sends meters with records of the others to other nodes, and passes
// orders on to members of the contracts chain.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { createNetwork } from "../../tools/provisioning/network.js";
import { connectMeter, makeMeter } from "./mqtt.js";
import { freeBasePort, openNetwork, startNodes, stopNodes, type TestNode, verifyChains, whenEqual } from "./network.js";
import { cleanUp, gridseal, temporaryFolder } from "./processes.js";

const TRADING = 1;
const CREDIT = 2;
const members = [1, 2, 3, 4];

test("a node outside a chain sends its meters away once, and passes orders on", { timeout: 200_000 }, async (t) => {
  const defer = cleanUp(t);
  const folder = join(await temporaryFolder(defer), "network");
  const chains = [
    { service: TRADING, name: "trading", nodes: members },
    { service: CREDIT, name: "credit", nodes: [...members, 5] },
    { service: 5, name: "contracts", nodes: members },
  ];
  const basePort = await freeBasePort(5);
  const plan = { network: "trial", nodes: 5, chains, meters: 0, host: "127.0.0.1", basePort, target: 0 };
  await createNetwork(folder, plan, new Date());
  const network = await openNetwork(defer, folder);
  const outsider = network.nodes[4] as TestNode;
  await startNodes(network);
  const meter = makeMeter(network);
  const session = await connectMeter(defer, network, meter, outsider.mqtt);
  await session.bear();

  await t.test(
    "the session ends at once for a record of a chain of others, and when it comes again it is told",
    async () => {
      const traded = meter.record({ service: TRADING });
      let ended = 0;
      session.client.on("close", () => {
        ended += 1;
      });
      // The client comes back by itself and publishes again what was not acknowledged.
      await session.send(traded, TRADING);
      assert.equal(ended, 1);
      const refused = await outsider.counter("gridseal_publishes_refused_total", { reason: "service-not-permitted" });
      assert.equal(refused, 1);
      assert.equal(await outsider.counter("gridseal_records_unacknowledged_total"), 1);
    },
  );

  await t.test("its other services go on here, and the record is sealed by way of a member", async () => {
    const credited = meter.record({ service: CREDIT });
    await session.send(credited, CREDIT);
    await session.receiptOf(credited);
    const elsewhere = await connectMeter(defer, network, meter, network.nodes[0]!.mqtt);
    await elsewhere.bear();
    const traded = meter.record({ service: TRADING, seq: 0, previous: new Uint8Array(0) });
    await elsewhere.send(traded, TRADING);
    await elsewhere.receiptOf(traded);
  });

  await t.test("an order that is brought to it is sealed", async () => {
    const api = `http://${outsider.api.host}:${outsider.api.port}`;
    const file = join(folder, "revoke.order");
    const named = ["--network", folder, "--api", api, "-o", file];
    const made = await gridseal("authority", "order", "revoke", "00112233445566aa", ...named);
    assert.equal(made.status, 0, made.errors);
    const submitted = await gridseal("order", "submit", file, "--api", api, "--genesis", network.genesis);
    assert.equal(submitted.status, 0, submitted.errors);
    assert.match(submitted.output, /order 1 is sealed in contracts block 1/);
  });

  await t.test("a meter of which no order speaks goes on when another one is revoked", async () => {
    const credited = meter.record({ service: CREDIT });
    await session.send(credited, CREDIT);
    await session.receiptOf(credited);
  });

  await t.test("a sealed order names the register's head, and an audit compares with it", async () => {
    const api = `http://${outsider.api.host}:${outsider.api.port}`;
    const file = join(folder, "register.order");
    const named = ["--network", folder, "--api", api];
    const unsealed = await gridseal("authority", "audit", ...named);
    assert.match(unsealed.errors, /no sealed order names a head of the register/);
    await gridseal("authority", "register", "organisation", "works", "--name", "Works", "--network", folder);
    const made = await gridseal("authority", "order", "register", ...named, "-o", file);
    assert.equal(made.status, 0, made.errors);
    const submitted = await gridseal("order", "submit", file, "--api", api, "--genesis", network.genesis);
    assert.equal(submitted.status, 0, submitted.errors);
    const audited = await gridseal("authority", "audit", ...named);
    assert.equal(audited.status, 0, audited.errors);
    const [, head] = /head is ([0-9]+:[0-9a-f]{64})/.exec(made.output)!;
    assert.match(audited.output, new RegExp(`compared with +${head}`));
  });

  await whenEqual({ ...network, nodes: network.nodes.slice(0, 4) });
  await stopNodes(network);
  await verifyChains({ ...network, nodes: network.nodes.slice(0, 4) });
});
