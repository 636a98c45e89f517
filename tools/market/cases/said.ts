// What chains have told of violations: a ring, of which the oldest message goes where there is one too many. What goes stays sealed in
// its block, and is too old for a case.

import type { Context, Value } from "../../contracts/author.js";
import { Denied } from "../asked.js";
import { numberOf } from "./parameters.js";

/** Of a violation, as its chain has told it; null once its case has gone. */
export type Row = readonly [kind: number, subject: string, number: number | null, rule: string | null];
type Told = readonly [time_s: number, rows: readonly (Row | null)[]];

/** Violations in one message of the rules, and in one value of the state. */
const TOGETHER = 100;
/** What may go for one that comes: no less than one message brings, as each has a row at least. */
const GONE_AT_ONCE = 100;

/** Numbers of the oldest and of the next one, and how much they are in all. */
type Tally = readonly [oldest: number, next: number, size: number];

interface Message {
  readonly service: number;
  readonly height: number;
  readonly first: number;
  readonly time_s: number;
  readonly rows: readonly Value[];
}

/** Keeps the rows of a message. */
export function keepSaid(context: Context, { service, height, first, time_s, rows }: Message): void {
  const place = `${service}:${height}:${Math.floor(first / TOGETHER)}`;
  context.put(`said/${place}`, [time_s, rows]);
  let [oldest, next, size] = (context.get("kept/said") ?? [0, 0, 0]) as unknown as Tally;
  context.put(`kept/said/${next}`, [place, rows.length]);
  next += 1;
  size += rows.length;
  const [most, rows_max] = [numberOf(context, "kept_messages", 16_384), numberOf(context, "kept_rows", 65_536)];
  const gone: string[] = [];
  while (gone.length < GONE_AT_ONCE && oldest < next - 1 && (next - oldest > most || size > rows_max)) {
    const [old, freed] = context.get(`kept/said/${oldest}`) as unknown as readonly [string, number];
    context.remove(`said/${old}`);
    context.remove(`kept/said/${oldest}`);
    gone.push(old);
    oldest += 1;
    size -= freed;
  }
  context.put("kept/said", [oldest, next, size]);
  if (gone.length > 0) noteGone(context, gone);
}

/** Keeps up to which height of each chain something has gone: messages of one come by height. */
function noteGone(context: Context, places: readonly string[]): void {
  const heights: { [service: string]: number } = { ...goneOf(context) };
  for (const place of places) {
    const [service, height] = place.split(":");
    heights[service!] = Math.max(heights[service!] ?? 0, Number(height));
  }
  context.put("kept/gone", heights);
}

function goneOf(context: Context): { readonly [service: string]: number } {
  return (context.get("kept/gone") ?? {}) as { readonly [service: string]: number };
}

/** The row of a violation. Throws Denied where no chain has told it, or it is too old. */
export function rowOf(context: Context, id: string): Row {
  const { key, index, service, height } = placeOf(id);
  const told = context.get(key) as unknown as Told | undefined;
  const row = told?.[1][index];
  if (row === null || (told === undefined && height <= (goneOf(context)[service] ?? -1)))
    throw new Denied("too-old", id);
  if (row === undefined) throw new Denied("unknown-violation", id);
  return row;
}

/** Lets go of the row of a violation whose case goes: nobody opens it again. */
export function forgetRow(context: Context, id: string): void {
  const { key, index } = placeOf(id);
  const told = context.get(key) as unknown as Told | undefined;
  if (told === undefined) return;
  const [time_s, rows] = told;
  context.put(key, [time_s, rows.map((row, at) => (at === index ? null : row))]);
}

function placeOf(id: string) {
  const [service, height, at] = id.split(":");
  const key = `said/${service}:${height}:${Math.floor(Number(at) / TOGETHER)}`;
  return { key, index: Number(at) % TOGETHER, service: service!, height: Number(height) };
}
