import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { ScheduleEntry } from "../../src/agent/configuration.js";
import { createSchedule, type Schedule } from "../../src/agent/schedule.js";
import { parseObis } from "../../src/meter/obis.js";
import type { Register } from "../../src/meter/register.js";
import { reasons } from "../../src/wire/record.js";

const register = (obis: string): Register => ({ obis: parseObis(obis), value: 1, scaler: 0, unit: 30 });
const registers = ["1-0:1.8.1", "1-0:1.8.2", "1-0:2.8.1", "1-0:31.7.0", "0-1:24.2.1"].map(register);
const base: ScheduleEntry = { service: 1, serviceId: 7, every_s: 60, aligned: false, registers: ["1-0:1.8.n"] };
const hour_s = 1_790_002_800;

/** Seconds (of `seconds`, one reading each) at which a record was due; the clock may run beside the uptime. */
function dueAt(
  schedule: Schedule,
  seconds: readonly number[],
  clock: (second: number) => number | undefined,
): number[] {
  return seconds.filter((second) => schedule.due(registers, clock(second), second * 1000).length > 0);
}

const range = (from: number, to: number, step = 1): number[] =>
  Array.from({ length: Math.floor((to - from) / step) }, (_, index) => from + index * step);

describe("periodic schedule", () => {
  test("begins with the first reading and keeps its interval", () => {
    assert.deepEqual(
      dueAt(createSchedule([base]), range(5, 200), () => undefined),
      [5, 65, 125, 185],
    );
  });

  test("keeps its phase where readings come a little early or late", () => {
    const schedule = createSchedule([{ ...base, every_s: 10 }]);
    const readings_ms = range(0, 100).map((index) => index * 10_000 + ((index * 37) % 9) * 50 - 200);
    const due = readings_ms.filter((at_ms) => schedule.due(registers, undefined, at_ms + 1000).length > 0);
    assert.equal(due.length, readings_ms.length);
  });

  test("does not make up for intervals that went by without a reading", () => {
    const seconds = [...range(0, 61), ...range(400, 530)];
    assert.deepEqual(
      dueAt(createSchedule([base]), seconds, () => undefined),
      [0, 60, 400, 460, 520],
    );
  });

  test("says that it is periodic, also for an aligned entry while no clock is known", () => {
    for (const aligned of [false, true]) {
      const [due] = createSchedule([{ ...base, aligned }]).due(registers, undefined, 0);
      assert.equal(due?.reason, reasons.periodic);
    }
  });
});

describe("clock-aligned schedule", () => {
  const aligned = { ...base, every_s: 900, aligned: true };

  test("gives the first reading at or behind each mark", () => {
    const due = dueAt(createSchedule([aligned]), range(0, 3000, 7), (second) => hour_s - 100 + second);
    assert.deepEqual(due, [105, 1001, 1904, 2800]);
    const [record] = createSchedule([aligned]).due(registers, hour_s, 0);
    assert.equal(record?.reason, reasons.clockAligned);
  });

  test("does not begin between two marks", () => {
    assert.deepEqual(createSchedule([aligned]).due(registers, hour_s + 1, 0), []);
  });

  test("gives one record where a late reading comes after the mark", () => {
    const schedule = createSchedule([aligned]);
    const times_s = [-2, -1, 0, 1, -1, 0, 2, 3, 500, -1, 0, 501, 899];
    const due = times_s.filter((offset_s, index) => {
      const uptime_ms = (offset_s > 400 ? 500 + index : index) * 1000;
      return schedule.due(registers, hour_s + offset_s, uptime_ms).length > 0;
    });
    assert.deepEqual(due, [0]);
  });

  test("neither stalls nor repeats itself where the clock is set back", () => {
    for (const back_s of [1, 60, 450, 900, 3600, 86_400, 123_457]) {
      const clock = (second: number): number => hour_s - 10 + second - (second >= 1000 ? back_s : 0);
      const due = dueAt(createSchedule([aligned]), range(0, 6000), clock);
      assert.deepEqual(due.slice(0, 2), [10, 910], `set back by ${back_s} s`);
      const gaps = due.slice(1).map((second, index) => second - due[index]!);
      assert.ok(Math.min(...gaps) >= 450 && Math.max(...gaps) < 1800, `set back by ${back_s} s: ${gaps}`);
    }
  });

  test("gives no more than two records an interval, whatever the clock does", () => {
    const jump = fc.record({ at: fc.integer({ min: 0, max: 5000 }), by: fc.integer({ min: -10_000, max: 10_000 }) });
    fc.assert(
      fc.property(fc.array(jump, { maxLength: 12 }), (jumps) => {
        const clock = (second: number): number =>
          jumps.reduce((time_s, { at, by }) => time_s + (second >= at ? by : 0), hour_s + second);
        const due = dueAt(createSchedule([aligned]), range(0, 5000, 3), clock);
        for (let index = 1; index < due.length; index += 1) assert.ok(due[index]! - due[index - 1]! >= 450);
        assert.ok(due.length >= 1 || jumps.length > 4, "it does not stall");
      }),
      { numRuns: 100 },
    );
  });
});

describe("readings that nobody waits for", () => {
  const entries: ScheduleEntry[] = [
    { ...base, every_s: 10, aligned: true },
    { ...base, service: 2, every_s: 45 },
    { ...base, service: 3, every_s: 900, aligned: true },
  ];

  test("may be passed: records are made of the same ones, and one in ten is looked at", () => {
    const [all, some] = [createSchedule(entries), createSchedule(entries)];
    let looked = 0;
    for (const second of range(0, 2000)) {
      const due = all.due(registers, hour_s + second, second * 1000);
      const isDue = some.isDue(second * 1000);
      if (isDue) looked += 1;
      assert.deepEqual(isDue ? some.due(registers, hour_s + second, second * 1000) : [], due, `second ${second}`);
    }
    assert.ok(looked < 2000 / 8, `${looked} looked at`);
  });

  test("are not passed at the mark where the one before came late", () => {
    const [all, some] = [createSchedule(entries), createSchedule(entries)];
    let looked = 0;
    // A meter that signs or checks a receipt for four seconds before a mark reads what has come meanwhile at once.
    const wait_ms = (second: number): number => (second % 10 > 5 && second % 30 > 10 ? (10 - (second % 10)) * 1000 : 0);
    for (const second of range(7, 2000)) {
      const uptime_ms = second * 1000 + wait_ms(second);
      const due = all.due(registers, hour_s + second, uptime_ms);
      const isDue = some.isDue(uptime_ms);
      if (isDue) looked += 1;
      assert.deepEqual(isDue ? some.due(registers, hour_s + second, uptime_ms) : [], due, `second ${second}`);
    }
    assert.ok(looked < 2000 / 2, `${looked} looked at`);
  });

  test("are looked at for ten seconds once the clock was set, so that one on time is among them", () => {
    const schedule = createSchedule([{ ...base, every_s: 900, aligned: true }]);
    schedule.due(registers, hour_s, 0);
    for (const second of range(1, 30)) schedule.due(registers, hour_s + second, second * 1000);
    assert.equal(schedule.isDue(30_000), false);
    schedule.due(registers, hour_s + 890, 30_000);
    assert.equal(schedule.isDue(31_000), true, "two seconds before the mark, by a telegram that may have waited");
    schedule.due(registers, hour_s + 300, 50_000);
    schedule.due(registers, hour_s + 310, 60_000);
    assert.equal(schedule.isDue(61_000), false);
  });

  test("are passed neither once a record is demanded nor while the one that is due has none of its registers", () => {
    const schedule = createSchedule([{ ...base, every_s: 900, aligned: true }]);
    schedule.due(registers, hour_s, 0);
    assert.equal(schedule.isDue(1_000), false);
    schedule.demand(undefined);
    assert.equal(schedule.isDue(2_000), true, "demanded");
    schedule.due(registers, hour_s + 2, 2_000);
    assert.equal(schedule.isDue(3_000), false, "given");
    schedule.due([], hour_s + 900, 900_000);
    assert.equal(schedule.isDue(901_000), true, "without its registers");
  });

  test("are looked at once a minute all the same, so that a clock that was set is seen", () => {
    const schedule = createSchedule([{ ...base, every_s: 900, aligned: true }]);
    schedule.due(registers, hour_s, 0);
    assert.equal(schedule.isDue(59_999), false);
    assert.equal(schedule.isDue(60_000), true);
  });
});

describe("schedule", () => {
  test("gives a record of the next reading on demand, for one service or for all", () => {
    const schedule = createSchedule([base, { ...base, service: 2 }]);
    assert.equal(schedule.due(registers, undefined, 0).length, 2);
    schedule.demand(2);
    const [demanded, ...others] = schedule.due(registers, undefined, 1000);
    assert.deepEqual([demanded?.service, demanded?.reason, others.length], [2, reasons.onDemand, 0]);
    schedule.demand(undefined);
    assert.equal(schedule.due(registers, undefined, 2000).length, 2);
    assert.equal(schedule.due(registers, undefined, 3000).length, 0);
    assert.equal(schedule.due(registers, undefined, 60_000).length, 2, "a demand does not move the interval");
  });

  test("puts a register into the first group that names it, and in the clear only where none does", () => {
    const confidential = [
      { label: "phases", registers: ["1-0:31.7.0"] },
      { label: "gas", registers: ["0-n:24.2.1", "1-0:31.7.0"] },
      { label: "heat", registers: ["0-4:24.2.1", "0-3:96.1.0"] },
    ];
    const [due] = createSchedule([{ ...base, registers: ["1-0:n.8.n", "1-0:31.7.0"], confidential }]).due(
      registers,
      0,
      0,
    );
    assert.deepEqual(due?.clear, registers.slice(0, 3));
    assert.deepEqual(due?.confidential, [
      { label: "phases", registers: [registers[3]] },
      { label: "gas", registers: [registers[4]] },
    ]);
  });

  test("waits for a reading that has one of its registers", () => {
    const schedule = createSchedule([{ ...base, registers: ["0-1:24.2.1"] }]);
    assert.equal(schedule.due(registers.slice(0, 4), undefined, 0).length, 0);
    assert.equal(schedule.due(registers, undefined, 1000).length, 1);
  });
});
