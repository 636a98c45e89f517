// Slot energies: bit by bit as the market's vectors, and what must hold of any readings.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { type CounterReading, slotEnergies, sumSlots } from "../../tools/ledger/slot-energy.js";
import { shared } from "../shared.js";

const vectors = shared("vectors/market/slot-energy.json");
const SLOT_S = 900;
const plan = { slot_s: SLOT_S, gapMax_s: 3_600, start_s: 0, end_s: 20 * SLOT_S };

/** [time_s, counter] pairs as readings, numbered in their order. */
const readingsOf = (...pairs: (readonly [number, number])[]): CounterReading[] =>
  pairs.map(([time_s, counter], seq) => ({ time_s, counter: BigInt(counter), seq, doubts: 2 ** (seq % 31) }));
const energies = (readings: readonly CounterReading[], more: { end_s: number; capacity?: bigint }) =>
  slotEnergies(readings, { ...plan, ...more }).map(({ energy, quality }) => [energy, quality]);

test("slot energies are those of the market's vectors", { skip: vectors.skip }, () => {
  interface Vector {
    slot_s: number;
    gap_max_s: number;
    start: number;
    end: number;
    readings: [number, number][];
    slots: { slot: number; energy: number | null; quality: number }[];
  }
  const cases = JSON.parse(readFileSync(vectors.path, "utf8")) as Vector[];
  assert.ok(cases.length > 0);
  for (const { slot_s, gap_max_s, start, end, readings, slots } of cases) {
    const found = slotEnergies(readingsOf(...readings), { slot_s, gapMax_s: gap_max_s, start_s: start, end_s: end });
    assert.deepEqual(
      found.map(({ start_s, energy, quality }) => ({
        slot: start_s,
        energy: energy === null ? null : Number(energy),
        quality,
      })),
      slots,
    );
  }
});

const growing = fc
  .uniqueArray(fc.tuple(fc.integer({ min: -2_000, max: 22_000 }), fc.integer({ min: 0, max: 10_000 })), {
    selector: ([time_s]) => time_s,
    maxLength: 60,
  })
  .map((steps) => {
    let counter = 0n;
    const ordered = steps.sort(([one], [other]) => one - other);
    return ordered.map(([time_s, advance], seq) => {
      counter += BigInt(advance);
      return { time_s, counter, seq, doubts: 2 ** (seq % 31) };
    });
  });

test("consecutive slots conserve: their sum is what the counter went on between their ends", () => {
  fc.assert(
    fc.property(growing, (readings) => {
      const slots = slotEnergies(readings, plan);
      const whole = slotEnergies(readings, { ...plan, slot_s: plan.end_s })[0]!;
      if (slots.some(({ energy }) => energy === null) || whole.energy === null) return;
      assert.equal(
        slots.reduce((sum, { energy }) => sum + energy!, 0n),
        whole.energy,
      );
    }),
  );
});

test("the order in which readings came, and their repetition, change nothing", () => {
  fc.assert(
    fc.property(
      growing.chain((readings) =>
        fc.tuple(fc.constant(readings), fc.shuffledSubarray(readings, { minLength: readings.length })),
      ),
      ([readings, shuffled]) => {
        assert.deepEqual(slotEnergies([...shuffled, ...readings], plan), slotEnergies(readings, plan));
      },
    ),
  );
});

test("a late reading makes no slot worse, and no energy negative", () => {
  fc.assert(
    fc.property(growing, fc.nat(), (readings, which) => {
      const without = readings.filter((_, index) => index !== which % Math.max(1, readings.length));
      const earlier = slotEnergies(without, plan);
      for (const [index, slot] of slotEnergies(readings, plan).entries()) {
        assert.ok(slot.energy === null || slot.energy >= 0n);
        assert.ok(slot.quality <= earlier[index]!.quality);
      }
    }),
  );
});

test("a slot names the records that it rests on", () => {
  const [read, between] = slotEnergies(readingsOf([0, 10], [900, 30], [1_700, 40], [1_900, 50]), {
    ...plan,
    end_s: 1_800,
  });
  assert.deepEqual(read, { start_s: 0, energy: 20n, quality: 1, doubts: 0b11, seqs: [0, 1] });
  assert.deepEqual(between, { start_s: 900, energy: 15n, quality: 2, doubts: 0b1110, seqs: [1, 2, 3] });
});

test("a slot in a gap that is too long has no energy, those on either side have theirs", () => {
  const readings = readingsOf([0, 0], [900, 9], [5_400, 54], [6_300, 63]);
  assert.deepEqual(energies(readings, { end_s: 6_300 }), [[9n, 1], ...Array(5).fill([null, 3]), [9n, 1]]);
});

test("no slot counts across a change of the meter or a reset", () => {
  const readings = readingsOf([0, 1_000], [900, 1_100], [1_300, 1_140], [1_500, 3], [1_800, 10], [2_700, 40]);
  assert.deepEqual(energies(readings, { end_s: 2_700 }), [
    [100n, 1],
    [null, 3],
    [30n, 1],
  ]);
});

test("a counter that overflows goes on, again and again", () => {
  const readings = readingsOf([0, 990], [900, 5], [1_800, 400], [2_700, 800], [3_600, 2]);
  assert.deepEqual(energies(readings, { end_s: 3_600, capacity: 1_000n }), [
    [15n, 1],
    [395n, 1],
    [400n, 1],
    [202n, 1],
  ]);
});

test("a counter that went back by little is no overflow", () => {
  assert.deepEqual(energies(readingsOf([0, 990], [900, 980]), { end_s: 900, capacity: 1_000n }), [[null, 3]]);
});

test("of two records of one moment the newer one counts", () => {
  const readings = [...readingsOf([0, 0], [900, 9]), { time_s: 900, counter: 12n, seq: 7, doubts: 0 }];
  assert.deepEqual(energies(readings, { end_s: 900 }), [[12n, 1]]);
});

test("slots are as long as ever on the days on which clocks change", () => {
  const day_s = Date.UTC(2026, 2, 29) / 1_000;
  const readings = Array.from({ length: 97 }, (_, slot) => ({
    time_s: day_s + slot * SLOT_S,
    counter: BigInt(slot),
    seq: slot,
    doubts: 0,
  }));
  const slots = slotEnergies(readings, { ...plan, start_s: day_s, end_s: day_s + 86_400 });
  assert.equal(slots.length, 96);
  assert.ok(slots.every(({ energy, quality }) => energy === 1n && quality === 1));
});

test("tariffs add up, and are as good as the worst of them", () => {
  const day = slotEnergies(readingsOf([0, 0], [900, 10], [1_800, 10]), { ...plan, end_s: 1_800 });
  const night = slotEnergies(readingsOf([0, 0], [800, 0], [1_000, 10]), { ...plan, end_s: 1_800 });
  const sum = sumSlots([day, night]).map(({ energy, quality }) => [energy, quality]);
  assert.deepEqual(sum, [
    [15n, 2],
    [null, 3],
  ]);
});
