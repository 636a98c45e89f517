// Power cuts at random bytes of every kind of write that a meter makes to flash and key-value store: whatever byte it is, no seq is
// missing or used twice, and a key that has signed stays. 100 cuts, or as many as GRIDSEAL_CUTS says, on meters side by side; those of
// an update are in update.trial.ts.

import assert from "node:assert/strict";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createSealer, type Sealer } from "../../tools/firmware/sealer.js";
import { POWER_CUT, type PowerCut, type WriteKind } from "../../tools/firmware/simulator.js";
import { startMosquitto, withoutMosquitto } from "../node/ingest/mosquitto.js";
import { configure, provisionSealed, type SealedMeter, startMeter, until, withoutSdk } from "./harness.js";
import { assertWhole, startSealing } from "./sealing.js";

const skip = withoutSdk || withoutMosquitto;
/** how many in all, over meters side by side */
const CUTS = Number(process.env.GRIDSEAL_CUTS ?? 100);
/** As many as keep this machine at work: a life waits for its start, its broker and its port most of the time. */
const METERS = 6;
const SERVICES = [1, 2, 3, 4, 5] as const;
/** The meters' clocks run so much faster: a record of each service comes ten times a second. */
const SPEED = 10;
const SECTOR_BYTES = 4096;

interface Chance {
  readonly write: WriteKind;
  /** of a hundred cuts */
  readonly share: number;
  /** The cut falls on one of the first so many writes of the kind in a life, at one of so many bytes. */
  readonly nth: number;
  readonly bytes: number;
}

/** An entry has some 300 bytes, a header 16 and 40 a service, a reservation 4. A state has one: the power goes before or behind it. */
const CHANCES: readonly Chance[] = [
  { write: "entry", share: 40, nth: 10, bytes: 320 },
  { write: "committed", share: 15, nth: 10, bytes: 2 },
  { write: "done", share: 15, nth: 10, bytes: 2 },
  { write: "erased", share: 12, nth: 2, bytes: SECTOR_BYTES },
  { write: "header", share: 10, nth: 2, bytes: 220 },
  { write: "retired", share: 4, nth: 1, bytes: 2 },
  { write: "value", share: 4, nth: 1, bytes: 5 },
];
/** Cuts of the making of a key. */
const KEY_CUTS = Math.max(5, Math.round(CUTS / 50));
const SEED_BYTES = 32;

const below = (most: number): number => Math.floor(Math.random() * most);

function randomCut(): PowerCut {
  let share = below(CHANCES.reduce((sum, chance) => sum + chance.share, 0));
  for (const chance of CHANCES) {
    share -= chance.share;
    if (share < 0) return { write: chance.write, nth: 1 + below(chance.nth), bytes: below(chance.bytes) };
  }
  throw new Error("the shares do not add up");
}

test(`${CUTS} power cuts at random bytes of flash and key-value store leave no gap, no seq with two records, and the same key`, {
  skip,
}, async (t) => {
  const broker = await startMosquitto();
  t.after(() => broker.stop());
  const sealer = createSealer("cuts", SERVICES, 1);
  const sealed = await startSealing(t, broker.url, sealer);
  const meters = await Promise.all(Array.from({ length: METERS }, () => provision(t, sealer, broker.url)));
  let cuts = 0;
  const kinds = new Map<WriteKind, number>(CHANCES.map(({ write }) => [write, 0]));
  const outcomes = await Promise.all(
    meters.map(async ({ folder, seed }) => {
      while (cuts < CUTS) {
        cuts += 1;
        const cut = randomCut();
        const meter = await startMeter(t, folder, { cut, speed: SPEED });
        assert.equal(await meter.ended, POWER_CUT, `${JSON.stringify(cut)}: ${meter.errors.join("; ")}`);
        assert.deepEqual(meter.errors, []);
        kinds.set(cut.write, kinds.get(cut.write)! + 1);
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
  t.diagnostic([...kinds].map(([kind, times]) => `${kind} ${times}`).join(", "));
  t.diagnostic(`${METERS} meters, ${cuts} cuts, ${erases} sectors erased, ${records} records sealed`);
});

test(`${KEY_CUTS} keys whose making is cut are made or not, and stay once they are there`, {
  skip: withoutSdk,
}, async (t) => {
  const sealer = createSealer("cuts", SERVICES, 1);
  for (let cuts = 0; cuts < KEY_CUTS; cuts += 1) {
    const bytes = below(SEED_BYTES + 1);
    const { folder } = await provision(t, sealer, "mqtt://127.0.0.1:1");
    await rm(join(folder, "keyvalue/seed"));
    const first = await startMeter(t, folder, { cut: { write: "value", nth: 1, bytes } });
    assert.equal(await first.ended, POWER_CUT);
    const seedOf = () => readFile(join(folder, "keyvalue/seed")).catch(() => undefined);
    const seed = await seedOf();
    assert.equal(seed?.length, bytes < SEED_BYTES ? undefined : SEED_BYTES);
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
