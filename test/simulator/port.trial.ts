// The meter's port at the speed of a chip: bytes come as fast as their line sends them, and the engine takes as long as an ESP32-C3.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createSealer } from "../../tools/firmware/sealer.js";
import { startMosquitto, withoutMosquitto } from "../node/ingest/mosquitto.js";
import { provisionSealed, startMeter, until, withoutSdk } from "./harness.js";
import { assertWhole, startSealing } from "./sealing.js";

/**
 * Of an ESP32-C3 at 160 MHz and one cycle an instruction against the machine that this was measured on: a telegram takes it 0.2 s instead
 * of 2.5 ms, a signature's check 0.8 s instead of 7.4 ms. Where others use the machine, too, it is more.
 */
const SLOWNESS = 100;
const TELEGRAMS = 40;
const PATIENCE_MS = 180_000;

test("loses no byte of P1 at 115,200 baud while a chip parses, signs, writes to flash and checks receipts", {
  skip: withoutSdk || withoutMosquitto,
}, async (t) => {
  const broker = await startMosquitto();
  t.after(() => broker.stop());
  const sealer = createSealer("port", [1]);
  const schedule = [{ service: 1, serviceId: 7, every_s: 10, aligned: true, registers: ["1-0:1.8.n", "1-0:2.8.n"] }];
  const sealed = await startSealing(t, broker.url, sealer);
  const { folder, id, seed } = await provisionSealed(t, sealer, { broker: broker.url, schedule, interval_ms: 1_000 });
  const meter = await startMeter(t, folder, { slowness: SLOWNESS });
  await until(
    "telegrams and receipts",
    () => meter.counters.frames! >= TELEGRAMS && meter.counters.sealed! >= 2,
    PATIENCE_MS,
  );
  t.diagnostic(JSON.stringify(meter.counters));
  const { crc, truncated, malformed, noiseBytes, portOverruns } = meter.counters;
  // What came before the first telegram began is no loss.
  assert.deepEqual(
    { crc, truncated, malformed, portOverruns },
    { crc: 0, truncated: 0, malformed: 0, portOverruns: 0 },
  );
  assert.equal(noiseBytes, 0);
  assert.deepEqual(meter.errors, []);
  assertWhole(sealed.of(id, 1), seed);
});
