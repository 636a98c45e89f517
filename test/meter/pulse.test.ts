import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createReader } from "../../src/meter/open-reader.js";
import type { MeterReader } from "../../src/meter/reader.js";
import { registersOf } from "./streams.js";

const pulse = Uint8Array.of(0);
const nothing = new Uint8Array(0);

function reader(impulses_per_kWh: number, counted = 0): MeterReader {
  return createReader("pulse", { pulse: { impulses_per_kWh, counted, id: "AEM-12" } });
}

function pulsesAt(port: MeterReader, ...times_ms: readonly number[]) {
  return times_ms.flatMap((time_ms) => port.push(pulse, time_ms));
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

test("counts as many pulses as there are bytes, however they come, and states their mean power", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 9 }), { maxLength: 20 }), (chunks) => {
      const port = reader(1000, 7);
      let pulses = 7;
      chunks.forEach((chunk, index) => {
        const [outcome] = port.push(chunk, 3600 * (index + 1));
        pulses += chunk.length;
        assert.ok(outcome?.ok);
        const { "1-0:1.8.0*255": energy, "1-0:1.7.0*255": power } = registersOf(outcome);
        assert.deepEqual(energy, [pulses, 0, 30]);
        if (index > 0) assert.deepEqual(power, [1000 * chunk.length, 0, 27]);
      });
    }),
  );
});

test("adds what the meter showed at the start, and states it as the register that it is", () => {
  const options = { impulses_per_kWh: 800, start_Wh: 12_345_678, register: "1-0:2.8.0" };
  const readings = pulsesAt(createReader("pulse", { pulse: options }), 1000, 2000).map((outcome) =>
    outcome.ok ? registersOf(outcome) : assert.fail(),
  );
  assert.deepEqual(readings[0], { "1-0:2.8.0*255": [1_234_567_925, -2, 30] });
  assert.deepEqual(Object.keys(readings[1]!), ["1-0:2.8.0*255", "1-0:2.7.0*255"]);
  for (const wrong of [{ start_Wh: -1 }, { start_Wh: 0.5 }, { start_Wh: 1e12 }, { register: "1-0:3.8.0" }])
    assert.throws(() => createReader("pulse", { pulse: { impulses_per_kWh: 800, ...wrong } }), RangeError);
});

test("asks to be woken for the reading that shows that it lives", () => {
  const port = reader(1000);
  port.push(pulse, 5000);
  assert.equal(port.wakeAt_ms(), 15_000);
  assert.equal(port.push(nothing, 15_000).length, 1);
});

test("refuses a constant that no meter has", () => {
  for (const constant of [0, -1, 1.5, Number.NaN, 2_000_000]) assert.throws(() => reader(constant), /impulses per kWh/);
  assert.throws(() => createReader("pulse"), /expected a whole number from 1 to 1000000/);
});
