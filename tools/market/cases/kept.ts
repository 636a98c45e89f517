// Cases that are kept, in a ring a subject: whoever has many lets go of his own. What a subject alone has contested stands in rings of
// its own, so that it presses out no case on which others have taken a step. What goes is never open again: an effect `lapsed` says so.

import type { Context, Value } from "../../contracts/author.js";
import { numberOf } from "./parameters.js";

export type Ring = "case" | "own";
const rings = ["case", "own"] as const;

/** Cases of one subject in a ring: a value of the state has room for their names. */
const EACH_MAX = 128;

/** Keeps a case as it stands now, in this ring. */
export function keepCase(
  context: Context,
  { id, subject, ring }: { readonly id: string; readonly subject: string; readonly ring: Ring },
  value: Value,
): void {
  context.put(`case/${id}`, value);
  for (const other of rings) {
    const ids = other === ring ? [] : idsOf(context, other, subject);
    const left = ids.filter((each) => each !== id);
    if (left.length < ids.length) putIds(context, other, subject, left);
  }
  if (idsOf(context, ring, subject).includes(id)) return;
  const each = Math.min(EACH_MAX, numberOf(context, "kept_of_one", EACH_MAX));
  if (idsOf(context, ring, subject).length >= each) dropOldest(context, ring, subject);
  putIds(context, ring, subject, [...idsOf(context, ring, subject), id]);
  const most = numberOf(context, "kept_cases", 4_096);
  if (countOf(context, ring) > most) dropOldest(context, ring, fullest(context, ring, subject));
}

/** A subject's cases in a ring, oldest first, and its place among the subjects that have as many. */
type Own = readonly [place: number, ids: readonly string[]];

function ownOf(context: Context, ring: Ring, subject: string): Own {
  return (context.get(`kept/${ring}/of/${subject}`) ?? [0, []]) as unknown as Own;
}

function idsOf(context: Context, ring: Ring, subject: string): readonly string[] {
  return ownOf(context, ring, subject)[1];
}

/** Sets a subject's cases, and its place among those that have as many. */
function putIds(context: Context, ring: Ring, subject: string, ids: readonly string[]): void {
  const key = `kept/${ring}/of/${subject}`;
  const counts = [...countsOf(context, ring)];
  leavePlace(context, ring, subject, counts);
  if (ids.length > 0) {
    while (counts.length < ids.length) counts.push(0);
    const place = counts[ids.length - 1]!;
    context.put(placeKey(ring, ids.length, place), subject);
    context.put(key, [place, ids]);
    counts[ids.length - 1] = place + 1;
  } else context.remove(key);
  while (counts[counts.length - 1] === 0) counts.pop();
  context.put(`kept/${ring}`, counts);
}

/** Takes a subject from among those that have as many cases; the last of them takes its place. */
function leavePlace(context: Context, ring: Ring, subject: string, counts: number[]): void {
  const [place, { length }] = ownOf(context, ring, subject);
  if (length === 0) return;
  const last = counts[length - 1]! - 1;
  if (place < last) {
    const other = String(context.get(placeKey(ring, length, last)));
    context.put(placeKey(ring, length, place), other);
    context.put(`kept/${ring}/of/${other}`, [place, idsOf(context, ring, other)]);
  }
  context.remove(placeKey(ring, length, last));
  counts[length - 1] = last;
}

/** How many subjects have one case, two, and so on. */
function countsOf(context: Context, ring: Ring): readonly number[] {
  return (context.get(`kept/${ring}`) ?? []) as unknown as readonly number[];
}

function countOf(context: Context, ring: Ring): number {
  return countsOf(context, ring).reduce((sum, subjects, index) => sum + subjects * (index + 1), 0);
}

function placeKey(ring: Ring, count: number, place: number): string {
  return `kept/${ring}/by/${count}/${place}`;
}

/** A subject that has most cases; another one than who comes, where there is one. */
function fullest(context: Context, ring: Ring, coming: string): string {
  const counts = countsOf(context, ring);
  const first = String(context.get(placeKey(ring, counts.length, 0)));
  const isOther = first !== coming || counts[counts.length - 1] === 1;
  return isOther ? first : String(context.get(placeKey(ring, counts.length, 1)));
}

function dropOldest(context: Context, ring: Ring, subject: string): void {
  const [oldest, ...left] = idsOf(context, ring, subject);
  context.remove(`case/${oldest}`);
  context.effect("lapsed", { violations: [oldest!] });
  putIds(context, ring, subject, left);
}
