// Clocks that are wrong or set back, in the SDK's simulator: whatever a clock does, the meter's records stay one chain.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { startMosquitto, withoutMosquitto } from "../node/ingest/mosquitto.js";
import { configure, provisionMeters, serveHousehold, startMeter, until, withoutSdk } from "./harness.js";
import { assertChain, listenTo } from "./records.js";

const skip = withoutSdk || withoutMosquitto;

test("a wrong clock at the start and one that is set back change no order, and the records say how far the time is trusted", {
  skip,
}, async (t) => {
  const broker = await startMosquitto();
  t.after(() => broker.stop());
  const [folder] = await provisionMeters(t, 1);
  const pty = await serveHousehold(t, 4, 100);
  await configure(folder!, {
    brokers: [broker.url],
    meter: { protocol: "p1", port: { kind: "serial", path: pty.path, baud: 115_200, parity: "none" } },
    schedule: [{ service: 1, serviceId: 7, every_s: 1, aligned: false, registers: ["1-0:1.8.n"] }],
  });
  const seen = await listenTo(t, broker.url);
  const meter = await startMeter(t, folder!);
  meter.send(`clock ${-40 * 365 * 86_400_000} 0`);
  const qualities = new Set<number>();
  const look = async (what: string, quality: number): Promise<void> => {
    const before = seen.records.length;
    await until(what, () => seen.records.slice(before).some(({ claims }) => claims.quality === quality));
    qualities.add(quality);
  };
  await look("a record while the host's clock is wrong", 1);
  meter.send("clock 0 2");
  await look("a record once it is synchronised", 2);
  meter.send(`clock ${-3_600_000} 2`);
  await look("a record after it was set back", 1);
  assert.deepEqual(meter.errors, []);
  await meter.kill();
  assertChain(seen.records, await readFile(join(folder!, "keyvalue/seed")));
});
