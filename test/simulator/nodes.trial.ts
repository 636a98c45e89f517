// Simulated meters and four real nodes: what the meters sign is sealed, and the meters verify the receipts themselves.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { assertUnbroken, makeNetwork, startNodes, stopNodes, verifyChains } from "../integration/network.js";
import { cleanUp, temporaryFolder } from "../integration/processes.js";
import { configure, serveHousehold, startMeter, type Trial, until, withoutSdk } from "./harness.js";

const METERS = 3;
const SEALED_EACH = 20;

test("four nodes seal what simulated meters sign, and the meters verify their receipts", {
  skip: withoutSdk,
}, async (t) => {
  const defer = cleanUp(t);
  const folder = join(await temporaryFolder(defer), "network");
  const network = await makeNetwork(defer, folder, { nodes: 4, meters: METERS });
  await startNodes(network);
  const meters: Trial[] = [];
  for (let number = 1; number <= METERS; number += 1) {
    const meterFolder = join(folder, `meters/meter-${number}`);
    const pty = await serveHousehold(t, number, 1000);
    const port = { kind: "serial", path: pty.path, baud: 115_200, parity: "none" };
    await configure(meterFolder, { meter: { protocol: "p1", port } });
    meters.push(await startMeter(t, meterFolder));
  }
  await until(
    "receipts",
    () => {
      const failed = meters.find((meter) => meter.errors.length > 0);
      if (failed !== undefined) throw new Error(failed.errors.join("; "));
      return meters.every((meter) => (meter.counters.sealed ?? 0) >= SEALED_EACH && meter.state === "healthy");
    },
    120_000,
  );
  for (const meter of meters) {
    const use = await meter.use();
    t.diagnostic(`${JSON.stringify(use)}; ${JSON.stringify(meter.counters)}`);
    assert.deepEqual(meter.errors, []);
    assert.equal(meter.counters.wrongReceipts, 0);
    await meter.kill();
  }
  await stopNodes(network);
  assertUnbroken(await verifyChains(network));
});
