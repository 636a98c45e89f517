import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatObis } from "../../src/meter/obis.js";
import { createReader } from "../../src/meter/open-reader.js";
import type { Outcome, Reading } from "../../src/meter/reader.js";
import { createHousehold, type HouseholdState } from "../../tools/emulators/household.js";
import { p1Telegram, telegramCrc } from "../../tools/emulators/p1-telegram.js";
import type { P1Version } from "../../tools/meters/ports/port-configuration.js";
import { corrupt, corruptions } from "./corrupt.js";

const versions: readonly P1Version[] = ["2.2", "3.0", "4.2", "5.0", "fluvius"];
const start_s = Date.UTC(2024, 2, 30) / 1000;

function outcomesOf(...telegrams: readonly Uint8Array[]): Outcome[] {
  const reader = createReader("p1");
  return [...telegrams.flatMap((telegram) => reader.push(telegram, 0)), ...reader.end()];
}

function readingOf(telegram: Uint8Array): Reading {
  const [outcome, ...others] = outcomesOf(telegram);
  assert.deepEqual(others, []);
  assert.ok(outcome?.ok, JSON.stringify(outcome));
  return outcome;
}

function registers({ registers }: Reading): Map<string, string> {
  return new Map(
    registers.map(({ obis, value, scaler, age }) => [
      formatObis(obis),
      `${value}e${scaler}${age === undefined ? "" : ` ${age} s`}`,
    ]),
  );
}

const states = fc
  .record({ seed: fc.nat(1000), later_s: fc.nat(2 * 86_400) })
  .map(({ seed, later_s }) => createHousehold({ seed, start_s: start_s + later_s }).step(start_s + later_s + 1000));

test("computes the check value of CRC-16/ARC", () => {
  assert.equal(telegramCrc(Buffer.from("123456789")), 0xbb3d);
});

test("a telegram of DSMR 5.0 decodes to the state behind it", () => {
  fc.assert(
    fc.property(states, (state) => {
      const reading = readingOf(p1Telegram(state, "5.0"));
      const read = registers(reading);
      assert.deepEqual(reading.flags, []);
      assert.equal(reading.time_s, state.time_s);
      assert.equal(reading.meter, state.serial);
      assert.equal(read.get("1-0:1.8.1*255"), `${Math.floor(state.consumed.low_Ws / 3600)}e0`);
      assert.equal(read.get("1-0:1.8.2*255"), `${Math.floor(state.consumed.normal_Ws / 3600)}e0`);
      assert.equal(read.get("1-0:2.8.1*255"), `${Math.floor(state.returned.low_Ws / 3600)}e0`);
      assert.equal(read.get("1-0:2.8.2*255"), `${Math.floor(state.returned.normal_Ws / 3600)}e0`);
      assert.equal(read.get("0-0:96.14.0*255"), `${state.normalTariff ? 2 : 1}e0`);
      assert.equal(read.get("1-0:1.7.0*255"), `${Math.max(state.power_W, 0)}e0`);
      assert.equal(read.get("1-0:2.7.0*255"), `${Math.max(-state.power_W, 0)}e0`);
      state.phases.forEach(({ power_W, voltage_dV }, phase) => {
        assert.equal(read.get(`1-0:${2 + 2 * phase}1.7.0*255`), `${Math.max(power_W, 0)}e0`);
        assert.equal(read.get(`1-0:${2 + 2 * phase}2.7.0*255`), `${Math.max(-power_W, 0)}e0`);
        assert.equal(read.get(`1-0:${3 + 2 * phase}2.7.0*255`), `${voltage_dV}e-1`);
      });
      const age = state.time_s - state.gas.time_s;
      assert.equal(read.get("0-1:24.2.1*255"), `${state.gas.volume_dm3}e-3${age === 0 ? "" : ` ${age} s`}`);
    }),
    { numRuns: 30 },
  );
});

test("every version decodes without a refusal, with the energies of the state", () => {
  for (const version of versions) {
    const state = createHousehold({ seed: 7, start_s }).step(start_s + 40_000);
    const read = registers(readingOf(p1Telegram(state, version)));
    const [low, normal] = version === "fluvius" ? ["2", "1"] : ["1", "2"];
    assert.equal(read.get(`1-0:1.8.${low}*255`), `${Math.floor(state.consumed.low_Ws / 3600)}e0`, version);
    assert.equal(read.get(`1-0:1.8.${normal}*255`), `${Math.floor(state.consumed.normal_Ws / 3600)}e0`, version);
    const gas = version === "5.0" || version === "fluvius" ? state.gas : state.gasHourly;
    const code = version === "fluvius" ? "0-1:24.2.3*255" : "0-1:24.2.1*255";
    assert.ok(read.get(code)?.startsWith(`${gas.volume_dm3}e-3`), version);
  }
});

test("a Fluvius telegram decodes to its thirteen monthly peaks", () => {
  const household = createHousehold({ seed: 5, start_s: Date.UTC(2023, 0, 1) / 1000 });
  household.step(Date.UTC(2024, 0, 1) / 1000);
  const state = household.step(Date.UTC(2024, 2, 3, 12) / 1000);
  const telegram = p1Telegram(state, "fluvius");
  const read = registers(readingOf(telegram));
  state.pastPeaks.forEach(({ power_W, time_s }, index) => {
    assert.equal(read.get(`1-0:1.6.0*${101 + index}`), `${power_W}e0 ${state.time_s - time_s} s`);
  });
  assert.equal(state.pastPeaks.length, 13);
});

test("keeps the time right through both switches of daylight saving", () => {
  for (const change of ["2024-03-31T01:00:00Z", "2024-10-27T01:00:00Z"]) {
    const change_s = Date.parse(change) / 1000;
    const household = createHousehold({ seed: 3, start_s: change_s - 7200 });
    for (let time_s = change_s - 7200; time_s <= change_s + 7200; time_s += 900) {
      const reading = readingOf(p1Telegram(household.step(time_s), "5.0"));
      assert.equal(reading.time_s, time_s);
      assert.deepEqual(reading.flags, []);
    }
  }
});

test("a day of readings is plausible and no register falls", () => {
  const household = createHousehold({ seed: 11, start_s });
  const telegrams = Array.from({ length: 300 }, (_, index) => p1Telegram(household.step(start_s + index * 300), "5.0"));
  for (const outcome of outcomesOf(...telegrams)) assert.ok(outcome.ok && outcome.flags.length === 0);
});

const whole = (state: HouseholdState): Uint8Array => p1Telegram(state, "5.0");
const refusals = {
  "bit-flip": ["crc", "truncated", "oversized"],
  truncated: ["truncated"],
  "line-feeds": ["crc"],
  oversized: ["oversized"],
};

for (const [kind, reasons] of Object.entries(refusals) as [keyof typeof refusals, string[]][]) {
  test(`a telegram broken by ${kind} gives no value, and the one after it is read`, () => {
    fc.assert(
      fc.property(states, fc.nat(), (state, seed) => {
        const outcomes = outcomesOf(corrupt(whole(state), kind, seed), whole(state));
        assert.ok(outcomes.at(-1)?.ok);
        assert.ok(outcomes.length >= 2);
        for (const outcome of outcomes.slice(0, -1)) assert.ok(!outcome.ok && reasons.includes(outcome.reason));
      }),
      { numRuns: 40 },
    );
  });
}

test("a null channel loses its gas and nothing else", () => {
  const state = createHousehold({ seed: 2, start_s }).step(start_s + 500);
  const expected = registers(readingOf(whole(state)));
  expected.delete("0-1:24.2.1*255");
  const reading = readingOf(corrupt(whole(state), "null-channel", 1));
  assert.deepEqual(registers(reading), expected);
  assert.deepEqual(reading.flags, ["never-read 0-1:24.2.1*255"]);
});

test("rubbish with a good CRC is delivered and flagged", () => {
  const household = createHousehold({ seed: 2, start_s });
  const outcomes = outcomesOf(
    whole(household.step(start_s)),
    corrupt(whole(household.step(start_s + 10)), "rubbish", 4),
  );
  const rubbish = outcomes[1];
  assert.ok(rubbish?.ok);
  assert.ok(rubbish.flags.some((flag) => /^(fell|jumped) 1-0:[12]\.8/.test(flag)));
});

test("breaks a telegram in the same way for the same seed", () => {
  const telegram = whole(createHousehold({ seed: 2, start_s }).step(start_s));
  for (const kind of corruptions) {
    assert.deepEqual(corrupt(telegram, kind, 9), corrupt(telegram, kind, 9));
    assert.notDeepEqual(corrupt(telegram, kind, 9), telegram);
  }
});
