// Power cuts at random bytes of the flash, and clocks that are wrong: whatever happens, no seq is used twice for two records, none is
// missing, and the key stays the same. 100 cuts, or as many as GRIDSEAL_CUTS says.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { POWER_CUT } from "../../tools/firmware/simulator.js";
import { startMosquitto, withoutMosquitto } from "../node/ingest/mosquitto.js";
import { configure, provisionMeters, serveHousehold, startMeter, until, withoutSdk } from "./harness.js";
import { assertChain, listenTo } from "./records.js";

const skip = withoutSdk || withoutMosquitto;
const CUTS = Number(process.env.GRIDSEAL_CUTS ?? 100);
/** More than a record takes, so that a cut falls anywhere in one, its commit or the sector's header. */
const CUT_BYTES_MAX = 1_500;

test(`${CUTS} power cuts at random bytes of the flash leave no gap, no seq with two records, and the same key`, {
  skip,
}, async (t) => {
  const broker = await startMosquitto();
  t.after(() => broker.stop());
  const [folder] = await provisionMeters(t, 1);
  const pty = await serveHousehold(t, 3, 25);
  await configure(folder!, {
    brokers: [broker.url],
    meter: { protocol: "p1", port: { kind: "serial", path: pty.path, baud: 115_200, parity: "none" } },
    schedule: [{ service: 1, serviceId: 7, every_s: 1, aligned: false, registers: ["1-0:1.8.n", "1-0:2.8.n"] }],
  });
  const seen = await listenTo(t, broker.url);
  const seed = await readFile(join(folder!, "keyvalue/seed"));
  for (let cut = 0; cut < CUTS; cut += 1) {
    const meter = await startMeter(t, folder!);
    meter.send(`cut ${1 + Math.floor(Math.random() * CUT_BYTES_MAX)}`);
    const status = await meter.ended;
    assert.equal(status, POWER_CUT, meter.errors.join("; "));
    assert.deepEqual(meter.errors, []);
  }
  const meter = await startMeter(t, folder!);
  const published = seen.records.length;
  await until("the last records", () => seen.records.length > published + 10);
  t.diagnostic(
    `${meter.counters.waiting} records wait, ${meter.counters.damaged} damaged, ${seen.records.length} seen`,
  );
  assert.equal(meter.counters.damaged, 0);
  await meter.kill();
  assert.deepEqual(await readFile(join(folder!, "keyvalue/seed")), seed);
  assertChain(seen.records, seed);
});

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
