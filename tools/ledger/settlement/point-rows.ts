// The rows of a slot: what each point has taken and given, from the counters of the meters that are assigned to it for a part of the
// slot at least. A meter that was never assigned is a point of its own.

import type { Assignment } from "../../../src/wire/assignment-order.js";
import type { PointRow, RowQuality } from "../../../src/wire/slot.js";
import { assignmentsOf, capacityOf, endOf, type OrderedAssignments } from "../assignments.js";
import { PIECE_UNITS, type Pieces } from "../pieces.js";
import { type Boundary, boundaryAt, COUNTER_MWH_MAX, type Step, stepsOf } from "../slot-energy.js";
import {
  beginOf,
  boundaryIn,
  broughtUp,
  type CountersPlace,
  type Direction,
  directions,
  type MeterCounters,
  type Track,
} from "./meter-counters.js";

/** A meter that is silent for longer is no point of its own any more. */
export const SILENCE_S_MAX = 7 * 86_400;

/** The slot to close, which is the first open one, and what its rows depend on. */
export interface ClosingSlot extends Omit<CountersPlace, "capacity"> {
  readonly assignments: OrderedAssignments;
  readonly judgedAt: number;
}

/** A part of a slot in which a meter counts for a point. */
interface Part {
  /** up to the slot's begin */
  readonly counters: MeterCounters | undefined;
  readonly from_s: number;
  readonly until_s: number;
  /** whether the meter was put there in the slot, or taken away: it may have no readings beyond */
  readonly isPut: boolean;
  readonly isTaken: boolean;
  readonly sign: 1 | -1;
  readonly capacity: bigint | undefined;
}

/** What a part, or all of a point's, comes to in one direction. */
interface Energy {
  readonly energy: bigint | null;
  readonly quality: RowQuality;
  /** kinds of doubts of the readings at its ends, as far as these are known */
  readonly doubts: number;
}

/** The rows of the slot, ascending by point. */
export function* pointRows(
  slot: ClosingSlot,
  meters: Iterable<readonly [meter: string, counters: MeterCounters]>,
): Pieces<PointRow[]> {
  const points = new Map<string, Part[]>();
  const add = (point: string, part: Part) => {
    const parts = points.get(point);
    if (parts === undefined) points.set(point, [part]);
    else parts.push(part);
  };
  const counted = new Map<string, MeterCounters>();
  let done = 0;
  for (const [meter, counters] of meters) {
    done += 1;
    if (done % PIECE_UNITS === 0) yield;
    if (counters.epoch !== slot.epoch) continue;
    if (slot.assignments.has(meter)) counted.set(meter, counters);
    const isOwn = assignmentsOf(slot.assignments, meter, slot.judgedAt) === undefined;
    if (!isOwn || counters.reached_s < slot.open_s - SILENCE_S_MAX) continue;
    add(meter, wholeSlot(slot, broughtUp(counters, { ...slot, capacity: undefined })));
  }
  for (const meter of slot.assignments.keys()) {
    done += 1;
    if (done % PIECE_UNITS === 0) yield;
    const capacity = capacityOf(slot.assignments, meter, slot.judgedAt);
    for (const assignment of assignmentsOf(slot.assignments, meter, slot.judgedAt) ?? []) {
      const known = counted.get(meter);
      const counters = known && broughtUp(known, { ...slot, capacity });
      const part = partOf(slot, assignment, { counters, capacity });
      if (part !== undefined) add(assignment.point, part);
    }
  }
  const sorted = [...points].sort(([one], [other]) => (one < other ? -1 : 1));
  const rows: PointRow[] = [];
  for (const [point, parts] of sorted) {
    rows.push(rowOf(slot, point, parts));
    if (rows.length % PIECE_UNITS === 0) yield;
  }
  return rows;
}

function wholeSlot({ open_s, slot_s }: ClosingSlot, counters: MeterCounters): Part {
  const whole = { from_s: open_s, until_s: open_s + slot_s, isPut: false, isTaken: false };
  return { counters, ...whole, sign: 1, capacity: undefined };
}

function partOf(
  { open_s, slot_s }: ClosingSlot,
  assignment: Assignment,
  meter: Pick<Part, "counters" | "capacity">,
): Part | undefined {
  const end_s = open_s + slot_s;
  const from_s = Math.max(open_s, assignment.from_s);
  const until_s = Math.min(end_s, endOf(assignment));
  if (from_s >= until_s) return undefined;
  const isPut = assignment.from_s >= open_s;
  const isTaken = endOf(assignment) <= end_s;
  return { ...meter, from_s, until_s, isPut, isTaken, sign: assignment.sign };
}

function rowOf(slot: ClosingSlot, point: string, parts: readonly Part[]): PointRow {
  const energies = directions.map((direction) => energyOf(slot, parts, direction));
  const [imported, exported] = energies;
  const qualities = energies.flatMap((energy) => (energy === undefined ? [] : [energy.quality]));
  const quality = qualities.length === 0 ? 3 : (Math.max(...qualities) as RowQuality);
  const doubts = (imported?.doubts ?? 0) | (exported?.doubts ?? 0);
  return { point, imported: imported?.energy ?? null, exported: exported?.energy ?? null, quality, doubts };
}

/** The sum of the parts, as good as the worst of them; undefined where none of their meters counts in this direction. */
function energyOf(slot: ClosingSlot, parts: readonly Part[], direction: Direction): Energy | undefined {
  let sum: bigint | null = 0n;
  let quality: RowQuality = 1;
  let doubts = 0;
  let isCounted = false;
  for (const part of parts) {
    const energy = partEnergy(slot, part, direction);
    if (energy === undefined) continue;
    isCounted = true;
    if (energy.quality > quality) quality = energy.quality;
    doubts |= energy.doubts;
    sum = sum === null || energy.energy === null ? null : sum + BigInt(part.sign) * energy.energy;
  }
  // A meter that was never heard of leaves the point without an energy.
  if (isCounted && parts.some(({ counters }) => counters === undefined)) return nothing(doubts);
  if (sum !== null && (sum > COUNTER_MWH_MAX || sum < -COUNTER_MWH_MAX)) return nothing(doubts);
  return isCounted ? { energy: sum, quality, doubts } : undefined;
}

function nothing(doubts: number): Energy {
  return { energy: null, quality: 3, doubts };
}

function partEnergy(slot: ClosingSlot, part: Part, direction: Direction): Energy | undefined {
  if (part.counters === undefined) return undefined;
  const track = part.counters[direction];
  if (track.readings.length === 0) return undefined;
  const place = { ...slot, capacity: part.capacity };
  const steps = stepsOf(track.readings, part.capacity);
  const begin = beginOfPart(track, steps, part, place);
  const end = endOfPart(steps, part, slot);
  const doubts = (begin?.doubts ?? 0) | (end?.doubts ?? 0);
  if (begin === undefined || end === undefined || begin.run !== end.run || end.counter < begin.counter) {
    return nothing(doubts);
  }
  return { energy: end.counter - begin.counter, quality: begin.isRead && end.isRead ? 1 : 2, doubts };
}

/** A meter that was put there counts from its first reading on where nothing is known of it before. */
function beginOfPart(track: Track, steps: readonly Step[], part: Part, place: CountersPlace): Boundary | undefined {
  const { from_s, until_s, isPut } = part;
  const boundary = from_s === place.open_s ? beginOf(track, steps, place) : boundaryIn(steps, from_s, place.gapMax_s);
  if (boundary !== undefined || !isPut) return boundary;
  const first = steps.find(({ time_s }) => time_s >= from_s);
  return first !== undefined && first.time_s <= until_s && first.time_s - from_s <= place.gapMax_s
    ? standingAt(first)
    : undefined;
}

/** A meter that was taken away counts to its last reading where none comes behind it. */
function endOfPart(steps: readonly Step[], part: Part, { gapMax_s }: ClosingSlot): Boundary | undefined {
  const { from_s, until_s, isTaken } = part;
  const boundary = boundaryIn(steps, until_s, gapMax_s);
  if (boundary !== undefined || !isTaken) return boundary;
  const last = steps.findLast(({ time_s }) => time_s <= until_s);
  return last !== undefined && last.time_s >= from_s && until_s - last.time_s <= gapMax_s
    ? standingAt(last)
    : undefined;
}

function standingAt(step: Step): Boundary {
  return { ...boundaryAt(step.time_s, undefined, step, 0)!, isRead: false };
}
