// Energy of settlement intervals from a counter's readings: exact, in integers, the same whatever the
// order in which readings came. A slot begins at a multiple of its length in UTC, so that changes to
// and from summer time make no slot longer or shorter.

import { assertInvariant } from "../errors.js";

/** A counter as one record states it. */
export interface CounterReading {
  /** UTC seconds at which the counter stood so */
  readonly time_s: number;
  /** mWh, not negative */
  readonly counter: bigint;
  /** the record's sequence number */
  readonly seq: number;
  /** which registers it is the sum of; where these change a new run begins */
  readonly codes?: number;
  /** kinds of doubts that were sealed with it, as bits */
  readonly doubts: number;
}

export interface SlotPlan {
  readonly slot_s: number;
  /** the counter is interpolated between readings at most so far apart */
  readonly gapMax_s: number;
  /** first slot's begin and last slot's end, multiples of `slot_s` */
  readonly start_s: number;
  readonly end_s: number;
  /** mWh at which the counter begins at 0 again, where that is known */
  readonly capacity?: bigint;
}

/** 1: both ends are readings; 2: one at least is interpolated; 3: no energy can be said. */
export type SlotQuality = 1 | 2 | 3;

export interface SlotEnergy {
  readonly start_s: number;
  /** mWh; null at quality 3 */
  readonly energy: bigint | null;
  readonly quality: SlotQuality;
  /** kinds of doubts of the records at its ends, as bits */
  readonly doubts: number;
  /** sequence numbers of the records that it rests on, ascending */
  readonly seqs: readonly number[];
}

/** mWh of a counter, and of an energy: within int64. */
export const COUNTER_MWH_MAX = 2n ** 63n - 1n;

/** So many slots at most are made in one call. */
export const SLOTS_MAX = 100_000;

/** A reading on a counter that never goes back: where the meter's did, a new run begins. */
export interface Step extends CounterReading {
  readonly run: number;
  /** what was added to the counter where it overflowed before */
  readonly overflowed: bigint;
}

/** The counter at a moment. */
export interface Boundary {
  readonly counter: bigint;
  readonly run: number;
  readonly isRead: boolean;
  /** of the readings that it rests on, as bits */
  readonly doubts: number;
  readonly seqs: readonly number[];
}

/**
 * Energies of the plan's slots in order. A counter that goes back has overflowed where a capacity says
 * so, else it was reset or the meter was changed: no slot counts across that.
 */
export function slotEnergies(readings: readonly CounterReading[], plan: SlotPlan): SlotEnergy[] {
  const { slot_s, start_s, end_s } = plan;
  const isWhole = slot_s > 0 && start_s % slot_s === 0 && end_s % slot_s === 0 && start_s <= end_s;
  assertInvariant(
    isWhole && (end_s - start_s) / slot_s <= SLOTS_MAX,
    "slots begin and end at multiples of their length",
  );
  const steps = stepsOf(thinned(readings, slot_s), plan.capacity);
  const slots: SlotEnergy[] = [];
  let next = 0;
  let before: Boundary | undefined;
  for (let at = start_s; at <= end_s; at += slot_s) {
    while (next < steps.length && steps[next]!.time_s < at) next += 1;
    const boundary = boundaryAt(at, steps[next - 1], steps[next], plan.gapMax_s);
    if (at > start_s) slots.push(slotBetween(at - slot_s, before, boundary));
    before = boundary;
  }
  return slots;
}

/** The sum of several counters' slots, tariffs or meters of one point: as good as the worst of them. */
export function sumSlots(counters: readonly (readonly SlotEnergy[])[]): SlotEnergy[] {
  const [first = []] = counters;
  return first.map(({ start_s }, index) => {
    const parts = counters.map((slots) => slots[index]!);
    const seqs = [...new Set(parts.flatMap((part) => part.seqs))].sort((a, b) => a - b);
    const quality = Math.max(...parts.map((part) => part.quality)) as SlotQuality;
    let energy: bigint | null = 0n;
    for (const part of parts) energy = energy === null || part.energy === null ? null : energy + part.energy;
    const doubts = parts.reduce((bits, part) => bits | part.doubts, 0);
    return { start_s, energy, quality, doubts, seqs };
  });
}

/**
 * The readings that slots rest on, in order of time: of each slot the first and the last, of each moment the newest record's. They are
 * the same whatever the order in which readings came, and two a slot are all that is to be kept of a counter.
 */
export function thinned(readings: readonly CounterReading[], slot_s: number): CounterReading[] {
  const ordered = [...readings].sort((a, b) => a.time_s - b.time_s || a.seq - b.seq || compare(a.counter, b.counter));
  const newest = ordered.filter(({ time_s }, index) => ordered[index + 1]?.time_s !== time_s);
  const slotOf = (reading: CounterReading | undefined) => reading && Math.floor(reading.time_s / slot_s);
  return newest.filter((reading, index) => {
    const slot = slotOf(reading);
    return slotOf(newest[index - 1]) !== slot || slotOf(newest[index + 1]) !== slot;
  });
}

/** Readings that are in order of time, on counters that never go back. */
export function stepsOf(readings: readonly CounterReading[], capacity: bigint | undefined): Step[] {
  const steps: Step[] = [];
  let run = 0;
  let overflowed = 0n;
  for (const reading of readings) {
    const last = steps.at(-1);
    let counter = reading.counter + overflowed;
    const isOther = last !== undefined && last.codes !== (reading.codes ?? 0);
    if (last !== undefined && (isOther || counter < last.counter)) {
      if (!isOther && capacity !== undefined && isOverflow(counter + capacity - last.counter, capacity)) {
        overflowed += capacity;
        counter += capacity;
      } else {
        run += 1;
        overflowed = 0n;
        counter = reading.counter;
      }
    }
    const { time_s, seq, codes, doubts } = reading;
    // Named one by one: a copy by spreading costs as much as all the rest.
    steps.push({ time_s, seq, codes: codes ?? 0, doubts, counter, run, overflowed });
  }
  return steps;
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A counter that went on by more than half of what it holds has been reset. */
function isOverflow(advance: bigint, capacity: bigint): boolean {
  return advance >= 0n && advance <= capacity / 2n;
}

/** The counter at a moment, `after` being the first reading that is not before it; undefined where nothing can be said. */
export function boundaryAt(
  at: number,
  before: Step | undefined,
  after: Step | undefined,
  gapMax_s: number,
): Boundary | undefined {
  if (after === undefined) return undefined;
  if (after.time_s === at) {
    return { counter: after.counter, run: after.run, isRead: true, doubts: after.doubts, seqs: [after.seq] };
  }
  if (before === undefined || before.run !== after.run || after.time_s - before.time_s > gapMax_s) return undefined;
  const passed = BigInt(at - before.time_s);
  const counter = before.counter + ((after.counter - before.counter) * passed) / BigInt(after.time_s - before.time_s);
  const doubts = before.doubts | after.doubts;
  return { counter, run: after.run, isRead: false, doubts, seqs: [before.seq, after.seq] };
}

function slotBetween(start_s: number, begin: Boundary | undefined, end: Boundary | undefined): SlotEnergy {
  const doubts = (begin?.doubts ?? 0) | (end?.doubts ?? 0);
  if (begin === undefined || end === undefined || begin.run !== end.run) {
    return { start_s, energy: null, quality: 3, doubts, seqs: [] };
  }
  const seqs = [...new Set([...begin.seqs, ...end.seqs])].sort((a, b) => a - b);
  return { start_s, energy: end.counter - begin.counter, quality: begin.isRead && end.isRead ? 1 : 2, doubts, seqs };
}
