import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isNormalTariff, localTime } from "../../tools/emulators/calendar.js";
import { createHousehold, type HouseholdState } from "../../tools/emulators/household.js";

const start_s = Date.UTC(2024, 5, 12, 4) / 1000;
const seeds = fc.nat(1000);

test("is the same for the same seed, however its steps are spaced", () => {
  fc.assert(
    fc.property(seeds, fc.array(fc.integer({ min: 0, max: 4000 }), { maxLength: 20 }), (seed, gaps) => {
      const stepped = createHousehold({ seed, start_s });
      let time_s = start_s;
      let last: HouseholdState = stepped.step(time_s);
      for (const gap of gaps) {
        time_s += gap;
        last = stepped.step(time_s);
      }
      assert.deepEqual(last, createHousehold({ seed, start_s }).step(time_s));
    }),
    { numRuns: 20 },
  );
});

test("differs between seeds", () => {
  const serials = new Set(
    Array.from({ length: 50 }, (_, seed) => createHousehold({ seed, start_s }).step(start_s).serial),
  );
  assert.equal(serials.size, 50);
  for (const serial of serials) assert.equal(serial.length, 16);
});

test("integrates its power exactly, by tariff and direction", () => {
  fc.assert(
    fc.property(seeds, fc.integer({ min: 1, max: 5000 }), fc.nat(86_400), (seed, span_s, later_s) => {
      const from_s = start_s + later_s;
      const household = createHousehold({ seed, start_s: from_s });
      const before = household.step(from_s);
      const after = household.step(from_s + span_s);
      const watched = createHousehold({ seed, start_s: from_s });
      const sums = { consumedLow: 0, consumedNormal: 0, returnedLow: 0, returnedNormal: 0 };
      for (let second = from_s; second < from_s + span_s; second++) {
        const { phases } = watched.step(second);
        const power_W = phases.reduce((sum, phase) => sum + phase.power_W, 0);
        const tariff = isNormalTariff(localTime(second)) ? "Normal" : "Low";
        if (power_W >= 0) sums[`consumed${tariff}`] += power_W;
        else sums[`returned${tariff}`] -= power_W;
      }
      assert.deepEqual(
        {
          consumedLow: after.consumed.low_Ws - before.consumed.low_Ws,
          consumedNormal: after.consumed.normal_Ws - before.consumed.normal_Ws,
          returnedLow: after.returned.low_Ws - before.returned.low_Ws,
          returnedNormal: after.returned.normal_Ws - before.returned.normal_Ws,
        },
        sums,
      );
    }),
    { numRuns: 20 },
  );
});

test("no energy and no volume ever falls, and no capture lies ahead of the clock", () => {
  for (const seed of [1, 2, 3]) {
    const household = createHousehold({ seed, start_s });
    let before = household.step(start_s);
    for (let time_s = start_s; time_s < start_s + 3 * 86_400; time_s += 613) {
      const state = household.step(time_s);
      const counters = (of: HouseholdState): number[] => [
        of.consumed.low_Ws,
        of.consumed.normal_Ws,
        of.returned.low_Ws,
        of.returned.normal_Ws,
        of.gas.volume_dm3,
        of.gasHourly.volume_dm3,
        of.water.volume_dm3,
      ];
      counters(state).forEach((value, index) => {
        assert.ok(Number.isSafeInteger(value) && value >= counters(before)[index]!);
      });
      for (const { time_s: captured_s } of [state.gas, state.gasHourly, state.water]) assert.ok(captured_s <= time_s);
      assert.equal(state.gas.time_s, time_s - (time_s % 300));
      assert.equal(state.gasHourly.time_s, time_s - (time_s % 3600));
      before = state;
    }
  }
});

test("lives believably: thousands of kWh a year, sun by day and in summer, gas in winter", () => {
  const year_s = 365 * 86_400;
  const sums = { consumed_kWh: 0, winterGas_dm3: 0, summerGas_dm3: 0, winterSun_kWh: 0, summerSun_kWh: 0 };
  const seeds = [1, 2];
  for (const seed of seeds) {
    const household = createHousehold({ seed, start_s: Date.UTC(2024, 0, 1) / 1000 });
    const at = (month: number): HouseholdState => household.step(Date.UTC(2024, month, 1) / 1000);
    const [january, february, june, july] = [at(0), at(1), at(5), at(6)];
    const end = household.step(Date.UTC(2024, 0, 1) / 1000 + year_s);
    const consumed = ({ consumed }: HouseholdState): number => (consumed.low_Ws + consumed.normal_Ws) / 3.6e6;
    const returned = ({ returned }: HouseholdState): number => (returned.low_Ws + returned.normal_Ws) / 3.6e6;
    sums.consumed_kWh += consumed(end) - consumed(january);
    sums.winterGas_dm3 += february.gas.volume_dm3 - january.gas.volume_dm3;
    sums.summerGas_dm3 += july.gas.volume_dm3 - june.gas.volume_dm3;
    sums.winterSun_kWh += returned(february) - returned(january);
    sums.summerSun_kWh += returned(july) - returned(june);
  }
  const mean_kWh = sums.consumed_kWh / seeds.length;
  assert.ok(mean_kWh > 1000 && mean_kWh < 9000, `${mean_kWh} kWh a year`);
  assert.ok(sums.winterGas_dm3 > 4 * sums.summerGas_dm3);
  assert.ok(sums.summerSun_kWh > 4 * sums.winterSun_kWh);
});

test("returns nothing at night", () => {
  for (let seed = 0; seed < 20; seed++) {
    const midnight_s = Date.UTC(2024, 5, 12, 0) / 1000;
    const { phases } = createHousehold({ seed, start_s: midnight_s }).step(midnight_s);
    for (const { power_W } of phases) assert.ok(power_W >= 0);
  }
});

test("keeps the highest quarter-hour of each month", () => {
  const household = createHousehold({ seed: 5, start_s: Date.UTC(2023, 0, 1) / 1000 });
  let state = household.step(Date.UTC(2023, 0, 1) / 1000);
  for (let month = 1; month <= 15; month++) state = household.step(Date.UTC(2023, month, 10) / 1000);
  assert.equal(state.pastPeaks.length, 13);
  const ends = state.pastPeaks.map(({ monthEnd_s }) => monthEnd_s);
  assert.deepEqual(
    ends,
    [...ends].sort((left, right) => right - left),
  );
  for (const { power_W, time_s, monthEnd_s } of state.pastPeaks) {
    assert.ok(power_W > 0 && time_s <= monthEnd_s && time_s > monthEnd_s - 32 * 86_400);
    assert.equal(localTime(monthEnd_s).day, 1);
  }
});

test("does not go back in time", () => {
  const household = createHousehold({ seed: 1, start_s });
  household.step(start_s + 10);
  assert.throws(() => household.step(start_s), RangeError);
  assert.throws(() => household.step(start_s + 0.5), RangeError);
  assert.throws(() => household.step(Number.MAX_SAFE_INTEGER), RangeError);
  assert.throws(() => createHousehold({ seed: 1, start_s: -1 }), RangeError);
});

test("so many homes behind a meter have so many times the power of one, and another day than the clock's", () => {
  const start_s = Date.UTC(2026, 11, 24, 22) / 1_000;
  const ahead_s = Date.UTC(2027, 5, 21, 10) / 1_000 - start_s;
  const street = createHousehold({ seed: 1, start_s, homes: 10, ahead_s });
  const house = createHousehold({ seed: 1, start_s: start_s + ahead_s });
  for (const after_s of [0, 60, 3_600]) {
    const [many, one] = [street.step(start_s + after_s), house.step(start_s + ahead_s + after_s)];
    assert.equal(many.power_W, 10 * one.power_W, `after ${after_s} s`);
    assert.equal(many.time_s, start_s + after_s, "it states the clock's time");
    if (after_s < 3_600) assert.ok(many.power_W < 0, `it is a morning of June: ${many.power_W} W`);
  }
});
