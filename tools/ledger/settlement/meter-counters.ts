// What is kept of a meter's counters while its slots are open: two readings a slot, and where the last closed slot ended. A function of
// the sealed readings alone, whatever their order.

import { HEIGHT_MAX, PLAIN_MAX, SEQ_MAX, TIME_S_MAX } from "../../../src/wire/bounds.js";
import { type CborValue, decodeCbor, encodeCbor } from "../../../src/wire/cbor.js";
import { asArray, asBoolean, asInteger, asUint } from "../../../src/wire/shape.js";
import { DOUBTS_MAX } from "../../../src/wire/slot.js";
import { type Boundary, boundaryAt, type CounterReading, type Step, stepsOf, thinned } from "../slot-energy.js";

/** Slots of one meter that readings are kept of; of more, the oldest go. */
export const OPEN_SLOTS_MAX = 128;
/** Of a reading as it is stored. */
const READING_NUMBERS = 5;

/** Where the slots that are closed ended, so that the next one begins there. */
export interface Edge {
  /** mWh, as the reading that it follows has it */
  readonly counter: bigint;
  /** whether there was a reading at that moment */
  readonly isRead: boolean;
  /** kinds of doubts of the readings that it rests on, as bits */
  readonly doubts: number;
}

/** One counter of a meter. */
export interface Track {
  /** undefined where it is not known, or may still be known better */
  readonly edge: Edge | undefined;
  /** ascending by time; of those before the first open slot the last alone, of a slot the first and the last */
  readonly readings: readonly CounterReading[];
}

export const directions = ["imported", "exported"] as const;
export type Direction = (typeof directions)[number];

/** The counters of a meter, up to its latest reading. */
export interface MeterCounters extends Readonly<Record<Direction, Track>> {
  /** height at which the settlement began that they are of */
  readonly epoch: number;
  /** begin of the first slot that was open when they were brought up to date */
  readonly open_s: number;
  /** time of the latest reading */
  readonly reached_s: number;
}

/** What a reading states of both counters. */
export type CountersRead = Readonly<Record<Direction, CounterReading | undefined>>;

/** What of a settlement the counters depend on. */
export interface CountersPlace {
  readonly epoch: number;
  /** begin of the first open slot */
  readonly open_s: number;
  readonly slot_s: number;
  readonly gapMax_s: number;
  /** mWh at which the meter's counters begin at 0 again, where that is known */
  readonly capacity: bigint | undefined;
}

const noTrack: Track = { edge: undefined, readings: [] };

/** The counters with one more reading. */
export function withReading(
  before: MeterCounters | undefined,
  read: CountersRead,
  place: CountersPlace,
): MeterCounters {
  const known = before === undefined || before.epoch !== place.epoch ? undefined : broughtUp(before, place);
  const tracks = {
    imported: trackWith(known?.imported ?? noTrack, read.imported, place),
    exported: trackWith(known?.exported ?? noTrack, read.exported, place),
  };
  const reached_s = Math.max(known?.reached_s ?? 0, read.imported?.time_s ?? 0, read.exported?.time_s ?? 0);
  return { epoch: place.epoch, open_s: place.open_s, reached_s, ...tracks };
}

/** The counters at the first open slot: what lies before it comes to where it begins. */
export function broughtUp(counters: MeterCounters, place: CountersPlace): MeterCounters {
  if (counters.open_s === place.open_s) return counters;
  const { open_s } = place;
  const imported = trackFrom(counters.imported, place);
  const exported = trackFrom(counters.exported, place);
  return { ...counters, open_s, imported, exported };
}

function trackFrom({ readings }: Track, { open_s, gapMax_s, capacity }: CountersPlace): Track {
  const first = readings.findIndex(({ time_s }) => time_s >= open_s);
  const kept = first < 0 ? readings.slice(-1) : readings.slice(Math.max(0, first - 1));
  const steps = stepsOf(readings, capacity);
  const boundary = boundaryIn(steps, open_s, gapMax_s);
  if (boundary === undefined) return { edge: undefined, readings: kept };
  const next = steps.findIndex(({ time_s }) => time_s >= open_s);
  const base = boundary.isRead ? steps[next]! : steps[next - 1]!;
  const { isRead, doubts } = boundary;
  return { edge: { counter: boundary.counter - base.overflowed, isRead, doubts }, readings: kept };
}

/** A reading of a slot that is closed counts where nothing is known yet of how it ended, for the slots behind it. */
function trackWith(track: Track, reading: CounterReading | undefined, place: CountersPlace): Track {
  if (reading === undefined) return track;
  const { edge, readings } = track;
  const { open_s, slot_s } = place;
  if (reading.time_s < open_s && edge !== undefined) return track;
  const last = readings.at(-1);
  if (reading.time_s >= open_s && (last === undefined || last.time_s < reading.time_s)) {
    return { edge, readings: newest(behind(readings, reading, place), place) };
  }
  const slots = thinned([...readings, reading], slot_s);
  const before = slots.filter(({ time_s }) => time_s < open_s).slice(-1);
  return { edge, readings: newest([...before, ...slots.filter(({ time_s }) => time_s >= open_s)], place) };
}

/** The readings with one that is later than all of them, as most are: it takes the place of the last of its slot. */
function behind(
  readings: readonly CounterReading[],
  reading: CounterReading,
  { open_s, slot_s }: Pick<CountersPlace, "open_s" | "slot_s">,
): CounterReading[] {
  const slot = Math.floor(reading.time_s / slot_s);
  const isIn = (other: CounterReading | undefined) =>
    other !== undefined && other.time_s >= open_s && Math.floor(other.time_s / slot_s) === slot;
  const hasTwo = isIn(readings.at(-1)) && isIn(readings.at(-2));
  return [...(hasTwo ? readings.slice(0, -1) : readings), reading];
}

/** The readings of the newest slots. The one before the first open slot is of none of these, and stays. */
function newest(
  readings: readonly CounterReading[],
  { open_s, slot_s }: Pick<CountersPlace, "open_s" | "slot_s">,
): readonly CounterReading[] {
  if (readings.length <= OPEN_SLOTS_MAX) return readings;
  const slotOf = ({ time_s }: CounterReading) => Math.floor(time_s / slot_s);
  const open = readings.filter(({ time_s }) => time_s >= open_s);
  const from = [...new Set(open.map(slotOf))].at(-OPEN_SLOTS_MAX) ?? 0;
  return readings.filter((reading) => reading.time_s < open_s || slotOf(reading) >= from);
}

/** The counter at a moment between readings, as `boundaryAt`. */
export function boundaryIn(steps: readonly Step[], at: number, gapMax_s: number): Boundary | undefined {
  const after = steps.findIndex(({ time_s }) => time_s >= at);
  return after < 0 ? undefined : boundaryAt(at, steps[after - 1], steps[after], gapMax_s);
}

/** Where the first open slot begins. */
export function beginOf(track: Track, steps: readonly Step[], place: CountersPlace): Boundary | undefined {
  const { open_s, gapMax_s } = place;
  const { edge } = track;
  if (edge === undefined) return boundaryIn(steps, open_s, gapMax_s);
  const base = edge.isRead ? steps.find(({ time_s }) => time_s === open_s) : steps[0];
  if (base === undefined) return undefined;
  const { isRead, doubts } = edge;
  return { counter: edge.counter + base.overflowed, run: base.run, isRead, doubts, seqs: [] };
}

export function encodeMeterCounters({ epoch, open_s, reached_s, imported, exported }: MeterCounters): Uint8Array {
  return encodeCbor([epoch, open_s, reached_s, trackToArray(imported), trackToArray(exported)]);
}

export function decodeMeterCounters(bytes: Uint8Array): MeterCounters {
  const [epoch, open, reached, imported, exported] = asArray(decodeCbor(bytes), "meter counters", 5);
  return {
    epoch: asUint(epoch, "meter counters epoch", HEIGHT_MAX),
    open_s: asUint(open, "meter counters begin", TIME_S_MAX),
    reached_s: asUint(reached, "meter counters end", TIME_S_MAX),
    imported: trackFromArray(imported),
    exported: trackFromArray(exported),
  };
}

/** The numbers of its readings stand one behind the other. */
function trackToArray({ edge, readings }: Track): CborValue {
  const numbers = readings.flatMap(({ time_s, seq, counter, codes, doubts }) => [
    time_s,
    seq,
    counter,
    codes ?? 0,
    doubts,
  ]);
  return [edge === undefined ? null : [edge.counter, edge.isRead, edge.doubts], numbers];
}

function trackFromArray(value: CborValue | undefined): Track {
  const [edge, numbers] = asArray(value, "counter", 2);
  const items = asArray(numbers, "counter readings");
  const readings: CounterReading[] = [];
  for (let at = 0; at < items.length; at += READING_NUMBERS) {
    const [time, seq, counter, codes, doubts] = items.slice(at, at + READING_NUMBERS);
    readings.push({
      time_s: asUint(time, "reading time", TIME_S_MAX),
      seq: asUint(seq, "reading number", SEQ_MAX),
      counter: BigInt(asInteger(counter, "reading counter")),
      codes: asUint(codes, "reading registers", PLAIN_MAX),
      doubts: asUint(doubts, "reading doubts", DOUBTS_MAX),
    });
  }
  if (edge === null) return { edge: undefined, readings };
  const [counter, isRead, doubts] = asArray(edge, "counter edge", 3);
  return {
    edge: {
      counter: BigInt(asInteger(counter, "edge counter")),
      isRead: asBoolean(isRead, "edge kind"),
      doubts: asUint(doubts, "edge doubts", DOUBTS_MAX),
    },
    readings,
  };
}
