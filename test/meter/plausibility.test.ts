import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseObis } from "../../src/meter/obis.js";
import { createReader } from "../../src/meter/open-reader.js";
import { type Baseline, weigh } from "../../src/meter/plausibility.js";
import type { Register } from "../../src/meter/register.js";
import { telegram } from "./telegram.js";

function register(obis: string, value: number | bigint, scaler = 0, unit = 30): Register {
  return { obis: parseObis(obis), value, scaler, unit };
}

interface Stated {
  readonly meter?: string;
  readonly time_s?: number;
  readonly uptime_ms?: number;
  readonly registers: readonly Register[];
}

/** The doubts about each reading in turn. */
function doubts(readings: readonly Stated[], powerMax_W?: number): (readonly string[])[] {
  let baseline: Baseline | undefined;
  return readings.map(({ meter = "m", time_s, uptime_ms, registers }) => {
    const judgement = weigh(baseline, { meter, time_s, registers }, uptime_ms, powerMax_W);
    baseline = judgement.baseline;
    return judgement.flags;
  });
}

const energy = (value: number | bigint, time_s: number): Stated => ({
  time_s,
  registers: [register("1-0:1.8.1", value)],
});

test("flags an energy that fell", () => {
  assert.deepEqual(doubts([energy(1000, 0), energy(1000, 10), energy(999, 20)]), [[], [], ["fell 1-0:1.8.1*255"]]);
});

test("flags an energy that grew by more than the connection carries in the time", () => {
  assert.deepEqual(doubts([energy(0, 0), energy(101_000, 3600), energy(202_001, 7200)]), [
    [],
    [],
    ["jumped 1-0:1.8.1*255"],
  ]);
  assert.deepEqual(doubts([energy(0, 0), energy(19_000, 3600)], 17_250), [[], ["jumped 1-0:1.8.1*255"]]);
});

test("judges a meter without a clock by the agent's own, where that has moved", () => {
  const clockless = (value: number, uptime_ms: number): Stated => ({
    uptime_ms,
    registers: [register("1-0:1.8.0", value)],
  });
  assert.deepEqual(doubts([clockless(0, 0), clockless(1000, 10), clockless(50_000, 1010)]), [
    [],
    [],
    ["jumped 1-0:1.8.0*255"],
  ]);
  assert.deepEqual(doubts([clockless(0, 0), clockless(50_000, 0)]), [[], []], "a capture that is read at once");
});

test("remembers an energy over the readings that do not state it, and when it was stated", () => {
  const power = (time_s: number): Stated => ({ time_s, registers: [register("1-0:1.7.0", 5, 0, 27)] });
  const hourly = [energy(1000, 0), power(3598), power(3599), energy(100_000, 3600), power(7199), energy(99_999, 7200)];
  assert.deepEqual(doubts(hourly), [[], [], [], [], [], ["fell 1-0:1.8.1*255"]]);
});

test("flags a clock that went back, and does not take its time for a time", () => {
  assert.deepEqual(doubts([energy(0, 100), energy(50_000, 99)]), [[], ["clock-backwards"]]);
});

test("flags a gas or water counter that fell", () => {
  const gas = (value: number): Stated => ({ time_s: 0, registers: [register("0-1:24.2.1", value, -3, 13)] });
  assert.deepEqual(doubts([gas(10), gas(9)]), [[], ["fell 0-1:24.2.1*255"]]);
});

test("leaves alone what may fall: powers, the net energy, plain numbers, past values", () => {
  const falling = ["1-0:1.7.0", "1-0:16.8.0", "1-0:1.6.0*101", "1-0:1.8.1*101"];
  const stated = (value: number): Stated => ({
    time_s: value,
    registers: falling.map((obis) => register(obis, -value)),
  });
  assert.deepEqual(doubts([stated(1), stated(2)]), [[], []]);
});

test("compares across a change of scaler and beyond the safe integers", () => {
  const stated = (value: number | bigint, scaler: number): Stated => ({
    time_s: 0,
    registers: [register("1-0:1.8.0", value, scaler)],
  });
  assert.deepEqual(doubts([stated(100, 0), stated(1001, -1)]), [[], []]);
  assert.deepEqual(doubts([stated(100, 0), stated(999, -1)]), [[], ["fell 1-0:1.8.0*255"]]);
  assert.deepEqual(doubts([stated(9007199254740993n, -4), stated(9007199254740992, -4)]), [[], ["fell 1-0:1.8.0*255"]]);
});

test("flags voltages, frequencies and power factors that no supply has", () => {
  const flags = (...registers: readonly Register[]) => doubts([{ registers }])[0];
  const volts = (value: number, scaler: number) => register("1-1:32.7.0", value, scaler, 35);
  const hertz = (value: number, scaler: number) => register("1-0:14.7.0", value, scaler, 44);
  for (const good of [volts(2301, -1), volts(0, 0), volts(577, -1), hertz(4998, -2), hertz(167, -1), hertz(0, 0)]) {
    assert.deepEqual(flags(good), []);
  }
  assert.deepEqual(flags(volts(23012, 0)), ["range 1-1:32.7.0*255"]);
  assert.deepEqual(flags(volts(2301, -2)), ["range 1-1:32.7.0*255"]);
  assert.deepEqual(flags(hertz(4998, 0)), ["range 1-0:14.7.0*255"]);
  assert.deepEqual(flags(hertz(4998, -3)), ["range 1-0:14.7.0*255"]);
  assert.deepEqual(flags(register("1-0:13.7.0", 941, -2, 255)), ["range 1-0:13.7.0*255"]);
  assert.deepEqual(flags(register("1-0:13.7.0", 941, -3, 255)), []);
  // A phase that is dead beside one that feeds the meter has what its neighbours induce.
  assert.deepEqual(flags(volts(2301, -1), register("1-0:52.7.0", 71, -1, 35)), []);
  // A meter behind transformers states what is before them, and the power with it.
  const before = [volts(11_547, 0), register("1-1:31.7.0", 90, 0, 33), register("1-0:1.7.0", 1_000_000, 0, 27)];
  assert.deepEqual(flags(...before), []);
});

test("flags a power that is not of its voltage and current", () => {
  const current = (scaler: number): Register[] => [
    register("1-0:32.7.0", 2300, -1, 35),
    register("1-0:31.7.0", 1310, scaler, 33),
    register("1-0:1.7.0", 3000, 0, 27),
  ];
  assert.deepEqual(doubts([{ registers: current(-2) }, { registers: current(-3) }]), [[], ["contradiction"]]);
});

test("begins anew with another meter on the port", () => {
  assert.deepEqual(
    doubts([
      { meter: "old", ...energy(1000, 0) },
      { meter: "new", ...energy(3, 1) },
    ]),
    [[], []],
  );
});

test("raises no doubt where energies never fall and stay within the connection", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ seconds: fc.nat(86_400), share: fc.double({ min: 0, max: 1, noNaN: true }) })),
      (steps) => {
        let time_s = 1_700_000_000;
        let value = 0;
        const readings = steps.map(({ seconds, share }) => {
          time_s += seconds;
          value += Math.floor((share * 100_000 * seconds) / 3600);
          return energy(value, time_s);
        });
        assert.ok(doubts(readings).every((flags) => flags.length === 0));
      },
    ),
  );
});

test("a reader flags rubbish with a good CRC and delivers it", () => {
  const reader = createReader("p1");
  const lines = (energy_kWh: string, second: string): string[] => [
    `0-0:1.0.0(2004262233${second}S)`,
    `1-0:1.8.1(${energy_kWh}*kWh)`,
  ];
  reader.push(telegram(lines("002130.115", "25")), 0);
  const [rubbish] = reader.push(telegram(lines("999999.999", "26")), 1000);
  assert.ok(rubbish?.ok);
  assert.deepEqual(rubbish.flags, ["jumped 1-0:1.8.1*255"]);
  assert.equal(rubbish.registers[0]?.value, 999999999);
  const [after] = reader.push(telegram(lines("002130.116", "27")), 2000);
  assert.ok(after?.ok);
  assert.deepEqual(after.flags, ["fell 1-0:1.8.1*255"]);
});
