// The metering contract: how good and how plausible the data of each point and day is, and which meters are silent, from closed slots
// and the doubts that meters sealed. A deadline begins a block where nobody speaks, so that slots close and all silence is found.
// Parameters: `silent_slots`, after how many slots without an energy a meter is silent (4); `kept_days`, for how many days what was
// found stays in the state (7); `plausible_mwh`, the most that a point takes or gives in a slot (whatever it is); `doubts`, the kinds
// of doubts that count, as the bits of a row have them (DOUBTS).

import type { Context, Deadline, Slot, SlotRow, Value } from "../../contracts/author.js";

export const reads: readonly string[] = [];
export const writes = ["day/", "silent/", "due/"];

const DAY_S = 86_400;
/** Points in one value of the state: with the longest IDs they fit its 16 KiB. */
const POINTS_TOGETHER = 125;

/**
 * Kinds of doubts that come and go, and speak against an energy or its time: 8 fell, 9 jumped, 10 clock-backwards, 18 replayed,
 * 24 resumed, 27 contradiction, 28 meter-error. Others say for ever how a meter is read.
 */
const DOUBTS = [8, 9, 10, 18, 24, 27, 28].reduce((bits, kind) => bits | (1 << kind), 0);
/**
 * Of a point and day: slots whose ends were interpolated, without an energy, with one that is implausible, with one that was doubted.
 * A point without any has no row.
 */
type Flaws = readonly [interpolated: number, missing: number, implausible: number, doubted: number];
const noFlaws: Flaws = [0, 0, 0, 0];
/** Of a point and day, by the worst of its slots: measured, interpolated, doubted, incomplete, implausible. */
const CLASSES = 5;
/** The next deadline is so many slots off: where slots close as they pass, none falls due. */
const DUE_SLOTS = 2;
/** By point, which may be called anything: in a map, where no name means something else. */
type FoundOf<Found> = Map<string, Found>;

export function slot(context: Context, { start_s, length_s, count, first, points }: Slot): void {
  const day = Math.floor(start_s / DAY_S);
  if (first === 0) countSlot(context, day, count);
  if (first === 0) awaitSlots(context, start_s, length_s);
  const silent = silences(context);
  for (let at = 0; at < points.length; at += POINTS_TOGETHER) {
    const place = Math.floor((first + at) / POINTS_TOGETHER);
    const rows = points.slice(at, at + POINTS_TOGETHER);
    noteFlaws(context, `day/${day}/${place}`, { start_s, rows });
    noteSilence(context, `silent/${place}`, rows, silent);
  }
}

/** Called where no slot has closed for some time: the block closes what is late, and nothing more is to be done. */
export function due(context: Context, { body }: Deadline): void {
  if (context.get("due/slots") !== undefined) return;
  const [start_s, length_s] = body as unknown as readonly [number, number];
  if (context.time_s - start_s <= keptDays(context) * DAY_S) awaitSlots(context, start_s, length_s);
}

/** A block is begun though nobody speaks, until nothing was settled for as long as anything is kept. */
function awaitSlots(context: Context, start_s: number, length_s: number): void {
  context.put("due/slots", [context.time_s + DUE_SLOTS * length_s, [start_s, length_s]]);
}

function keptDays({ parameters }: Context): number {
  return Number(parameters.kept_days ?? 7);
}

/** Slots of a day, and the most points that one of them has. */
type Counted = readonly [slots: number, points: number];

/** Counts the day's slots; the first of a day sums up the day before. */
function countSlot(context: Context, day: number, count: number): void {
  const key = `day/${day}/slots`;
  const [slots, points] = (context.get(key) ?? [0, 0]) as unknown as Counted;
  context.put(key, [slots + 1, Math.max(points, count)]);
  if (slots > 0) return;
  sumUp(context, day - 1);
  for (const old of context.keys(`day/${day - keptDays(context) - 1}/`)) context.remove(old);
}

function sumUp(context: Context, day: number): void {
  const counted = context.get(`day/${day}/slots`) as unknown as Counted | undefined;
  if (counted === undefined) return;
  const [slots, points] = counted;
  const sums = [0, 0, 0, 0];
  const classes = Array.from({ length: CLASSES }, () => 0);
  for (const key of context.keys(`day/${day}/`)) {
    if (key === `day/${day}/slots`) continue;
    for (const flaws of foundAt<Flaws>(context, key).values()) {
      classes[classOf(flaws)]! += 1;
      for (const [kind, count] of flaws.entries()) sums[kind]! += count;
    }
  }
  const flawed = classes.reduce((sum, count) => sum + count, 0);
  classes[0] = Math.max(0, points - flawed);
  const [interpolated, missing, implausible, doubted] = sums as unknown as Flaws;
  context.effect("day", { day, slots, points, classes, interpolated, missing, implausible, doubted });
}

/** The worst that a slot of the day was: 1 interpolated, 2 doubted, 3 without an energy, 4 implausible. */
function classOf([, missing, implausible, doubted]: Flaws): number {
  if (implausible > 0) return 4;
  if (missing > 0) return 3;
  return doubted > 0 ? 2 : 1;
}

function noteFlaws(
  context: Context,
  key: string,
  { start_s, rows }: { readonly start_s: number; readonly rows: readonly SlotRow[] },
): void {
  const counting = Number(context.parameters.doubts ?? DOUBTS);
  const isDoubted = ([, , , , doubts]: SlotRow) => (doubts & counting) !== 0;
  const beyond = new Set(rows.filter((row) => !isPlausible(context, row)));
  const flawed = rows.filter((row) => row[3] > 1 || beyond.has(row) || isDoubted(row));
  if (flawed.length === 0) return;
  const flaws = foundAt<Flaws>(context, key);
  for (const row of flawed) {
    const [point, , , quality] = row;
    const [interpolated, missing, implausible, doubted] = flaws.get(point) ?? noFlaws;
    flaws.set(point, [
      interpolated + Number(quality === 2),
      missing + Number(quality === 3),
      implausible + Number(beyond.has(row)),
      doubted + Number(isDoubted(row)),
    ]);
  }
  put(context, key, flaws);
  if (beyond.size === 0) return;
  context.effect("implausible", { start_s, points: [...beyond].map(([point, taken, given]) => [point, taken, given]) });
}

/** A point takes and gives no more than what it is connected with carries; meters that are taken off may leave less than nothing. */
function isPlausible({ parameters }: Context, [, taken, given]: SlotRow): boolean {
  const most = parameters.plausible_mwh;
  if (typeof most !== "number" && typeof most !== "bigint") return true;
  const isWithin = (energy: Value) => energy === null || (Number(energy) <= most && Number(energy) >= -most);
  return isWithin(taken) && isWithin(given);
}

/** What is kept under a key: `[point, found]` in the order in which the points came. */
function foundAt<Found>(context: Context, key: string): FoundOf<Found> {
  return new Map((context.get(key) ?? []) as unknown as readonly (readonly [string, Found])[]);
}

function put(context: Context, key: string, found: FoundOf<Value>): void {
  context.put(key, [...found]);
}

/** Of points that are silent, for how many slots they have been. */
function silences(context: Context): FoundOf<number> {
  const all: FoundOf<number> = new Map();
  for (const key of context.keys("silent/")) {
    for (const [point, slots] of foundAt<number>(context, key)) all.set(point, slots);
  }
  return all;
}

/** A meter without an energy in so many slots is in breach, once until it is heard of again. */
function noteSilence(context: Context, key: string, rows: readonly SlotRow[], before: FoundOf<number>): void {
  const after = Number(context.parameters.silent_slots ?? 4);
  const now: FoundOf<number> = new Map();
  for (const [point, , , quality] of rows) {
    const slots = before.get(point) ?? 0;
    if (quality === 3) now.set(point, slots + 1);
    if (quality === 3 && slots + 1 === after) accuse(context, point, after);
    if (quality < 3 && slots >= after) context.effect("heard", { point, slots });
  }
  if (now.size > 0) put(context, key, now);
  else if (context.get(key) !== undefined) context.remove(key);
}

/** A point that is not a meter's own names no one: which meters it has is in the orders. */
function accuse(context: Context, point: string, slots: number): void {
  if (isId(point)) context.violation("silent", point, { slots });
  else context.effect("silent", { point, slots });
}

function isId(point: string): boolean {
  if (point.length !== 16) return false;
  for (const character of point) if (!"0123456789abcdef".includes(character)) return false;
  return true;
}
