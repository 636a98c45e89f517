// The metering contract: how good the data of each point and day is, and which meters are silent, from closed slots alone.
// Parameters: `silent_slots`, after how many slots without an energy a meter is silent (4); `kept_days`, for how many days what was
// found stays in the state (7).

import type { Context, Slot, Value } from "../../contracts/author.js";

export const reads: readonly string[] = [];
export const writes = ["day/", "silent/"];

const DAY_S = 86_400;
/** Points in one value of the state: with the longest IDs they fit its 16 KiB. */
const POINTS_TOGETHER = 125;

type Row = Slot["points"][number];
/** Of a point and day: slots whose ends were interpolated, and slots without an energy. A point without either has no row. */
type Flaws = readonly [interpolated: number, missing: number];
/** By point, which may be called anything: in a map, where no name means something else. */
type FoundOf<Found> = Map<string, Found>;

export function slot(context: Context, { start_s, first, points }: Slot): void {
  const day = Math.floor(start_s / DAY_S);
  if (first === 0) countSlot(context, day);
  const silent = silences(context);
  for (let at = 0; at < points.length; at += POINTS_TOGETHER) {
    const place = Math.floor((first + at) / POINTS_TOGETHER);
    const rows = points.slice(at, at + POINTS_TOGETHER);
    noteFlaws(context, `day/${day}/${place}`, rows);
    noteSilence(context, `silent/${place}`, rows, silent);
  }
}

/** Counts the day's slots; the first of a day sums up the day before. */
function countSlot(context: Context, day: number): void {
  const key = `day/${day}/slots`;
  const slots = Number(context.get(key) ?? 0);
  context.put(key, slots + 1);
  if (slots > 0) return;
  sumUp(context, day - 1);
  const kept = Number(context.parameters.kept_days ?? 7);
  for (const old of context.keys(`day/${day - kept - 1}/`)) context.remove(old);
}

function sumUp(context: Context, day: number): void {
  const slots = context.get(`day/${day}/slots`);
  if (slots === undefined) return;
  let [flawed, interpolated, missing] = [0, 0, 0];
  for (const key of context.keys(`day/${day}/`)) {
    if (key === `day/${day}/slots`) continue;
    for (const [once, without] of foundAt<Flaws>(context, key).values()) {
      flawed += 1;
      interpolated += once;
      missing += without;
    }
  }
  context.effect("day", { day, slots, flawed, interpolated, missing });
}

function noteFlaws(context: Context, key: string, rows: readonly Row[]): void {
  const flawed = rows.filter(([, , , quality]) => quality > 1);
  if (flawed.length === 0) return;
  const flaws = foundAt<Flaws>(context, key);
  for (const [point, , , quality] of flawed) {
    const [interpolated, missing] = flaws.get(point) ?? [0, 0];
    flaws.set(point, quality === 2 ? [interpolated + 1, missing] : [interpolated, missing + 1]);
  }
  put(context, key, flaws);
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
function noteSilence(context: Context, key: string, rows: readonly Row[], before: FoundOf<number>): void {
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
