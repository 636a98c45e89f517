// The firmware with signatures by libsodium, as an image for a chip has them: by the engine, through the agent, against a cluster.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { type TestContext, test } from "node:test";
import { buildSimulator } from "../../tools/firmware/builds.js";
import { createSealer, type Sealer } from "../../tools/firmware/sealer.js";
import { startMosquitto, withoutMosquitto } from "../node/ingest/mosquitto.js";
import { provisionSealed, startMeter, theSdk, until, withoutSdk } from "./harness.js";
import { assertWhole, startSealing } from "./sealing.js";

const RECORDS = 8;
const schedule = [{ service: 1, serviceId: 7, every_s: 10, aligned: true, registers: ["1-0:1.8.n", "1-0:2.8.n"] }];
/** The simulator's engine has 32 bits, as a chip's. */
const linked = spawnSync("cc", ["-m32", "-include", "sodium.h", "-x", "c", "-", "-lsodium", "-o", "/dev/null"], {
  input: "int main(void) { return sodium_init(); }",
});
const withoutLibsodium = linked.status !== 0 && "there is no libsodium of 32 bits (Debian: libsodium-dev:i386)";
const skip = withoutSdk || withoutMosquitto || withoutLibsodium;

/** A meter of that build whose records are sealed by `cluster`, of the network of `sealer`. */
async function start(t: TestContext, sealer: Sealer, cluster: Sealer) {
  const build = await buildSimulator(theSdk(), { signatures: "libsodium" });
  const broker = await startMosquitto();
  t.after(() => broker.stop());
  const sealed = await startSealing(t, broker.url, cluster);
  const provisioned = await provisionSealed(t, sealer, { broker: broker.url, schedule, interval_ms: 100 });
  const meter = await startMeter(t, provisioned.folder, {}, build);
  return { ...provisioned, meter, sealed };
}

test("signs records and checks receipts by libsodium", { skip }, async (t) => {
  const sealer = createSealer("libsodium", [1]);
  const { meter, sealed, id, seed } = await start(t, sealer, sealer);
  await until("receipts", () => meter.counters.sealed! >= RECORDS);
  assert.deepEqual(meter.errors, []);
  assert.equal(meter.counters.wrongReceipts, 0);
  assertWhole(sealed.of(id, 1), seed);
});

test("takes no receipt of which a bit of the last signature is another", { skip }, async (t) => {
  const sealer = createSealer("libsodium", [1]);
  const seal: Sealer["seal"] = (chain, records) =>
    sealer.seal(chain, records).map((receipt) => receipt.with(-9, receipt.at(-9)! ^ 1));
  const { meter } = await start(t, sealer, { ...sealer, seal });
  await until("receipts that come to nothing", () => meter.counters.wrongReceipts! > 0);
  assert.equal(meter.counters.sealed, 0);
});
