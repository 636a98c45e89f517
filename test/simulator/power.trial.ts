// Power cuts at random bytes of what meters write to flash and to the key-value store: whatever byte it is, no seq is missing or used
// twice, and a key that has signed stays. 100 cuts, or as many as GRIDSEAL_CUTS says, on meters side by side.

import assert from "node:assert/strict";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createSealer, type Sealer } from "../../tools/firmware/sealer.js";
import { POWER_CUT, type PowerCut } from "../../tools/firmware/simulator.js";
import { startMosquitto, withoutMosquitto } from "../node/ingest/mosquitto.js";
import { configure, provisionSealed, type SealedMeter, startMeter, until, withoutSdk } from "./harness.js";
import { assertWhole, startSealing } from "./sealing.js";

const skip = withoutSdk || withoutMosquitto;
/** how many in all, over meters side by side */
const CUTS = Number(process.env.GRIDSEAL_CUTS ?? 100);
const METERS = 10;
const SERVICES = [1, 2, 3, 4, 5] as const;
/** The meters' clocks run so much faster: a record of each service comes five times a second. */
const SPEED = 5;
/** A record takes some 300 bytes and a sector's erase 4,096: one life ends in its first records, another after many receipts. */
const EARLY = { from: 1, to: 6_000 } as const;
const LATE = { from: 6_000, to: 20_000 } as const;
/** A service's reservation has four bytes. */
const VALUES = { from: 1, to: 20 } as const;

const between = ({ from, to }: { from: number; to: number }): number => from + Math.floor(Math.random() * (to - from));

function randomCut(): PowerCut {
  const kind = Math.random();
  if (kind < 0.05) return { valueBytes: between(VALUES) };
  return { flashBytes: between(kind < 0.7 ? EARLY : LATE) };
}

test(`${CUTS} power cuts at random bytes of flash and key-value store leave no gap, no seq with two records, and the same key`, {
  skip,
}, async (t) => {
  const broker = await startMosquitto();
  t.after(() => broker.stop());
  const sealer = createSealer("cuts", SERVICES);
  const sealed = await startSealing(t, broker.url, sealer);
  const meters = await Promise.all(Array.from({ length: METERS }, () => provision(t, sealer, broker.url)));
  let cuts = 0;
  const outcomes = await Promise.all(
    meters.map(async ({ folder, seed }) => {
      while (cuts < CUTS) {
        cuts += 1;
        const cut = randomCut();
        const meter = await startMeter(t, folder, { cut, speed: SPEED });
        assert.equal(await meter.ended, POWER_CUT, `${JSON.stringify(cut)}: ${meter.errors.join("; ")}`);
        assert.deepEqual(meter.errors, []);
      }
      await configure(folder, { schedule: scheduleOf(86_400) });
      const meter = await startMeter(t, folder);
      await until("all is sealed", () => meter.counters.appended! > 0 && meter.counters.waiting === 0, 300_000);
      await meter.kill();
      assert.deepEqual(new Uint8Array(await readFile(join(folder, "keyvalue/seed"))), seed);
      return meter.counters;
    }),
  );
  assert.deepEqual(sealed.forks, []);
  let records = 0;
  for (const { id, seed } of meters) {
    for (const service of SERVICES) {
      assertWhole(sealed.of(id, service), seed);
      records += sealed.of(id, service).size;
    }
  }
  for (const { damaged } of outcomes) assert.equal(damaged, 0);
  const erases = outcomes.reduce((sum, counters) => sum + counters.erases!, 0);
  t.diagnostic(`${METERS} meters, ${cuts} cuts, ${erases} sectors erased, ${records} records sealed`);
});

test("a key whose making is cut is made or not, and stays once it is there", { skip: withoutSdk }, async (t) => {
  const sealer = createSealer("cuts", SERVICES);
  for (const byte of [1, 2, 16, 31, 32]) {
    const { folder } = await provision(t, sealer, "mqtt://127.0.0.1:1");
    await rm(join(folder, "keyvalue/seed"));
    const first = await startMeter(t, folder, { cut: { valueBytes: byte } });
    assert.equal(await first.ended, POWER_CUT);
    const seedOf = () => readFile(join(folder, "keyvalue/seed")).catch(() => undefined);
    const seed = await seedOf();
    assert.equal(seed?.length, byte < 32 ? undefined : 32);
    const second = await startMeter(t, folder);
    await until("records", () => (second.counters.appended ?? 0) > 0);
    await second.kill();
    const kept = await seedOf();
    if (seed !== undefined) assert.deepEqual(kept, seed);
    const third = await startMeter(t, folder);
    await until("records", () => (third.counters.appended ?? 0) > 0);
    await third.kill();
    assert.deepEqual(await seedOf(), kept);
  }
});

/** A meter of the sealer's network, an emulated household at its port. */
function provision(t: TestContext, sealer: Sealer, broker: string): Promise<SealedMeter> {
  return provisionSealed(t, sealer, { broker, schedule: scheduleOf(1), interval_ms: 1000 / SPEED });
}

function scheduleOf(every_s: number) {
  const registers = ["1-0:1.8.n", "1-0:2.8.n"];
  return SERVICES.map((service) => ({ service, serviceId: 7, every_s, aligned: false, registers }));
}
