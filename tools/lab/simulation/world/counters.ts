// What a simulated meter shows of the energy that it counts: counters that grow, overflow and are reset, alone or by tariffs. Some
// readings are older than their record, or of a clock that was not set, or doubted.

import type { Claims, Register } from "../../../../src/wire/record.js";

/** mWh at which some counters begin at 0 again. */
export const COUNTER_CAPACITY = 400_000;

export interface SimulatedCounters {
  /** What a reading says that is taken now; the drawn number, below 1,000,000, decides what befalls it. */
  read(now_s: number, drawn: number): Pick<Claims, "time_s" | "quality" | "registers" | "errors">;
}

/** `place` of the meter among the others: each counts in a way of its own. */
export function createCounters(place: number): SimulatedCounters {
  let [taken, given] = [0, 0];
  let last_s: number | undefined;
  const hasTariffs = place % 3 === 2;
  const gives = place % 2 === 0;

  const advance = (now_s: number, drawn: number) => {
    const passed_s = now_s - (last_s ?? now_s);
    last_s = now_s;
    taken = (taken + passed_s * (1_301 + (drawn % 7_919))) % COUNTER_CAPACITY;
    given = (given + passed_s * (drawn % 977)) % COUNTER_CAPACITY;
    if (drawn % 53 === 0) taken = drawn % 100;
  };

  return {
    read(now_s, drawn) {
      advance(now_s, drawn);
      const kind = Math.floor(drawn / 1_000) % 16;
      const isOther = kind === 0;
      const registers = [
        ...(hasTariffs !== isOther || kind === 1 ? tariffs(1, taken) : []),
        ...(hasTariffs === isOther || kind === 1 ? [total(1, taken, kind)] : []),
        ...(gives ? [total(2, given, kind)] : []),
      ];
      return {
        time_s: now_s - (kind === 4 ? 5 : 0),
        quality: kind === 5 ? 0 : 1 + (drawn % 2),
        registers: kind === 6 ? registers.map((register) => ({ ...register, age: drawn % 4 })) : registers,
        ...(drawn % 3 === 0 && { errors: errorsOf(drawn) }),
      };
    },
  };
}

/** Two kinds of doubts of those that there are, and now and then one that has no number yet. */
function errorsOf(drawn: number): number {
  return 2 ** (drawn % 31) + 2 ** (drawn % 29) + (drawn % 7 === 0 ? 2 ** 40 : 0);
}

/** The register of all tariffs; now and then in finer units than count. */
function total(group: number, mWh: number, kind: number): Register {
  const isFine = kind === 3;
  return energy(group, 0, isFine ? 10 * mWh + 7 : mWh, isFine ? -4 : -3);
}

function tariffs(group: number, mWh: number): Register[] {
  const first = Math.floor(mWh / 3);
  return [energy(group, 1, first, -3), energy(group, 2, mWh - first, -3)];
}

function energy(group: number, tariff: number, value: number, scaler: number): Register {
  return { obis: Uint8Array.of(1, 0, group, 8, tariff, 255), value, scaler, unit: 30 };
}
