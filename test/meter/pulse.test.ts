import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createPulseCounter } from "../../src/meter/pulse.js";
import { createReader, type MeterReader } from "../../src/meter/reader.js";
import { registersOf } from "./streams.js";

const closed = Uint8Array.of(1);
const open = Uint8Array.of(0);
const nothing = new Uint8Array(0);

function reader(impulses_per_kWh: number, counted = 0): MeterReader {
  return createReader("pulse", { pulse: { impulses_per_kWh, counted, id: "AEM-12" } });
}

/** Closes the contact for 40 ms at each time. */
function pulsesAt(port: MeterReader, ...times_ms: readonly number[]) {
  return times_ms.flatMap((time_ms) => [...port.push(closed, time_ms), ...port.push(open, time_ms + 40)]);
}

test("gives a reading a pulse, with the exact energy and the power between two pulses", () => {
  const port = reader(1000, 500);
  const readings = pulsesAt(port, 1000, 4600, 6400);
  assert.equal(readings.length, 3);
  const [first, second, third] = readings.map((outcome) => (outcome.ok ? registersOf(outcome) : assert.fail()));
  assert.deepEqual(first, { "1-0:1.8.0*255": [501, 0, 30] });
  assert.deepEqual(second, { "1-0:1.8.0*255": [502, 0, 30], "1-0:1.7.0*255": [1000, 0, 27] });
  assert.deepEqual(third?.["1-0:1.7.0*255"], [2000, 0, 27]);
  assert.ok(readings[2]?.ok);
  assert.equal(readings[2].meter, "AEM-12");
  assert.deepEqual(readings[2].flags, ["no-clock", "derived 1-0:1.7.0*255"]);
});

test("states the energy of a constant that is no power of ten without rounding", () => {
  const energy = (impulses: number): unknown => {
    const outcome = pulsesAt(reader(impulses, 2), 1000)[0];
    return outcome?.ok ? registersOf(outcome)["1-0:1.8.0*255"] : assert.fail();
  };
  assert.deepEqual(energy(100), [30, 0, 30]);
  assert.deepEqual(energy(800), [375, -2, 30]);
  assert.deepEqual(energy(2000), [15, -1, 30]);
  assert.deepEqual(energy(10_000), [3, -1, 30]);
  assert.deepEqual(energy(375), [8000, -3, 30], "three pulses of 2.666 Wh");
});

test("lets the power fall while no pulse comes, and shows that it lives", () => {
  const port = reader(1000);
  pulsesAt(port, 0, 1800);
  assert.deepEqual(port.push(nothing, 3000), []);
  const [later] = port.push(nothing, 37_800);
  assert.ok(later?.ok);
  assert.deepEqual(registersOf(later)["1-0:1.7.0*255"], [100, 0, 27]);
  assert.deepEqual(registersOf(later)["1-0:1.8.0*255"], [2, 0, 30]);
});

test("counts no bounces: neither a short closing, nor a short opening within a pulse", () => {
  const counter = createPulseCounter(0, 20);
  for (const [level, time_ms] of [
    [true, 100],
    [false, 105],
    [true, 110],
    [false, 150],
    [true, 155],
    [false, 160],
    [true, 400],
    [false, 410],
  ] as const) {
    counter.edge(level, time_ms);
  }
  counter.settle(1000);
  assert.equal(counter.pulses, 1);
});

test("counts a pulse whose end has not come yet, once", () => {
  const counter = createPulseCounter(0, 20);
  counter.edge(true, 100);
  counter.settle(110);
  assert.equal(counter.pulses, 0);
  counter.settle(130);
  counter.settle(500);
  assert.equal(counter.pulses, 1);
  counter.edge(false, 600);
  counter.settle(700);
  assert.equal(counter.pulses, 1);
  assert.equal(counter.last_ms, 100);
});

test("counts every clean pulse, whatever bounces surround it", () => {
  const pulse = fc.record({
    pause_ms: fc.integer({ min: 80, max: 5000 }),
    width_ms: fc.integer({ min: 30, max: 120 }),
    bounces: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 3 }),
  });
  fc.assert(
    fc.property(fc.array(pulse, { maxLength: 30 }), (pulses) => {
      const counter = createPulseCounter(7, 20);
      let now_ms = 0;
      for (const { pause_ms, width_ms, bounces } of pulses) {
        now_ms += pause_ms;
        for (const bounce_ms of bounces) {
          counter.edge(true, now_ms);
          counter.edge(false, now_ms + bounce_ms);
          now_ms += 2 * bounce_ms;
        }
        counter.edge(true, now_ms);
        now_ms += width_ms;
        counter.edge(false, now_ms);
      }
      counter.settle(now_ms + 1000);
      assert.equal(counter.pulses, 7 + pulses.length);
    }),
  );
});

test("refuses a constant that no meter has", () => {
  for (const constant of [0, -1, 1.5, Number.NaN, 2_000_000]) assert.throws(() => reader(constant), /impulses per kWh/);
  assert.throws(() => createReader("pulse"), /expected a whole number from 1 to 1000000/);
});
