// Sums over a group, slot by slot: of each meter the mean of its readings in the slot. A slot whose sum would tell of one meter has none.
// Pure, and the same whatever the order in which meters and readings come.

import { AGGREGATE_SUM_MAX, type SlotSum } from "../../../../src/wire/aggregate.js";
import { type GroupRule, hidesEach } from "../../../../src/wire/hiding.js";
import type { Register } from "../../../../src/wire/record.js";

export interface SlotRange {
  /** UTC seconds: multiples of the slot's length */
  readonly from_s: number;
  readonly until_s: number;
  readonly slot_s: number;
}

export interface GroupReading {
  readonly time_s: number;
  /** thousandths of the unit */
  readonly value: bigint;
}

export class SlotSums {
  readonly #range: SlotRange;
  readonly #rule: GroupRule;
  /** by slot: a mean of each meter that has one */
  readonly #means: bigint[][];

  constructor(range: SlotRange, rule: GroupRule) {
    this.#range = range;
    this.#rule = rule;
    const { from_s, until_s, slot_s } = range;
    this.#means = Array.from({ length: (until_s - from_s) / slot_s }, () => []);
  }

  /** Adds what one meter has read; what lies outside of the range counts for nothing. */
  add(readings: Iterable<GroupReading>): void {
    const ofSlot = new Map<number, { sum: bigint; count: bigint }>();
    for (const { time_s, value } of readings) {
      const slot = Math.floor((time_s - this.#range.from_s) / this.#range.slot_s);
      if (slot < 0 || slot >= this.#means.length) continue;
      const { sum, count } = ofSlot.get(slot) ?? { sum: 0n, count: 0n };
      ofSlot.set(slot, { sum: sum + value, count: count + 1n });
    }
    for (const [slot, { sum, count }] of ofSlot) this.#means[slot]!.push(sum / count);
  }

  sums(): SlotSum[] {
    return this.#means.map((means) => {
      const sum = means.reduce((all, mean) => all + mean, 0n);
      const isTold = hidesEach(this.#rule, means) && sum <= AGGREGATE_SUM_MAX && sum >= -AGGREGATE_SUM_MAX;
      return { count: means.length, sum: isTold ? sum : null };
    });
  }
}

/** Powers of ten beyond which no value fits 63 bits, or nothing of it is left. */
const POWER_MAX = 18;

/** A register's value in thousandths of its unit, what is finer cut off; undefined where it has no room. */
export function thousandths({ value, scaler }: Pick<Register, "value" | "scaler">): bigint | undefined {
  const power = scaler + 3;
  if (power < -POWER_MAX || BigInt(value) === 0n) return 0n;
  if (power > POWER_MAX) return undefined;
  const size = 10n ** BigInt(Math.abs(power));
  const scaled = power >= 0 ? BigInt(value) * size : BigInt(value) / size;
  return scaled > AGGREGATE_SUM_MAX || scaled < -AGGREGATE_SUM_MAX ? undefined : scaled;
}
