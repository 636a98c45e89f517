// A meter that is new to a node publishes its credential and its first records in one go: none of them overtakes it.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { connectMeter, makeMeter } from "./mqtt.js";
import { makeNetwork, startNodes } from "./network.js";
import { cleanUp, temporaryFolder } from "./processes.js";

const METERS = 12;

test("a meter's first records are taken though they come with its birth", { timeout: 120_000 }, async (t) => {
  const defer = cleanUp(t);
  const network = await makeNetwork(defer, join(await temporaryFolder(defer), "network"), { nodes: 1, meters: 0 });
  await startNodes(network);
  const node = network.nodes[0]!;
  await Promise.all(
    Array.from({ length: METERS }, async () => {
      const meter = makeMeter(network);
      const session = await connectMeter(defer, network, meter, node.mqtt);
      const records = [meter.record(), meter.record()];
      await Promise.all([session.bear(), ...records.map((record) => session.send(record))]);
      for (const record of records) await session.receiptOf(record);
    }),
  );
  assert.equal(await node.counter("gridseal_publishes_refused_total"), 0);
});
