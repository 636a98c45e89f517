// What stands for ever of a meter's erased days: runs without overlaps, ascending, each with who has erased it. The key `erased/METER`
// has the first of them; where one value does not hold all, the others stand behind it under `erased/METER/1` and so on.

import type { Context, Value } from "../../contracts/author.js";
import type { Days, Period } from "./days.js";
import { itemsIn, listAt, putList } from "./kept.js";
import { ERASURES_OF_KEY } from "./types.js";

/** Its days, the operation that erased them, and when that was. */
export type Erased = readonly [first: number, end: number, id: string, time_s: number];

export function erasedRows(context: Context, meter: string): Erased[] {
  const all: Erased[] = [];
  for (let at = 0; ; at += 1) {
    const rows = listAt(context, keyOf(meter, at)).map((item) => itemsIn(item, 4));
    all.push(
      ...rows.map(([first, end, id, time_s]) => [Number(first), Number(end), String(id), Number(time_s)] as const),
    );
    if (rows.length < ERASURES_OF_KEY) return all;
  }
}

/** The rows with those days that nobody has erased yet. What follows on a run of the same party is one with it. */
export function withErased(rows: readonly Erased[], { from, until }: Period, id: string, time_s: number): Erased[] {
  const added = notErased([[from, until, null]], rows).map(([first, end]): Erased => [first, end, id, time_s]);
  const sorted = [...rows, ...added].sort(([one], [other]) => one - other);
  const all: Erased[] = [];
  for (const row of sorted) {
    const last = all.at(-1);
    const isOne = last?.[1] === row[0] && partyOf(last[2]) === partyOf(id) && partyOf(row[2]) === partyOf(id);
    if (last !== undefined && isOne && (last[2] === id || row[2] === id))
      all[all.length - 1] = [last[0], row[1], id, time_s];
    else all.push(row);
  }
  return all;
}

/** Those of the days that nobody has erased; in one pass, as a meter may have many rows. */
export function notErased(days: readonly Days[], rows: readonly Erased[]): Days[] {
  const sorted = [...rows].sort(([one], [other]) => one - other);
  return days.flatMap(([from, until, subject]) => {
    const left: Days[] = [];
    let next = from;
    for (const [first, end] of sorted) {
      if (first >= until) break;
      if (first > next) left.push([next, first, subject]);
      next = Math.max(next, end);
    }
    if (next < until) left.push([next, until, subject]);
    return left;
  });
}

export function putErased(context: Context, meter: string, before: readonly Erased[], after: readonly Erased[]): void {
  const length = Math.max(before.length, after.length);
  for (let at = 0; at * ERASURES_OF_KEY < length; at += 1) {
    const [old, next] = [before, after].map((rows) => rows.slice(at * ERASURES_OF_KEY, (at + 1) * ERASURES_OF_KEY));
    if (!isSame(old!, next!)) putList(context, keyOf(meter, at), next as readonly Value[]);
  }
}

/** Who has signed the operation of that name. */
export function partyOf(id: string): string {
  return id.slice(0, id.indexOf("-"));
}

function isSame(old: readonly Erased[], next: readonly Erased[]): boolean {
  return old.length === next.length && old.every((row, at) => row.every((item, place) => item === next[at]![place]));
}

function keyOf(meter: string, at: number): string {
  return at === 0 ? `erased/${meter}` : `erased/${meter}/${at}`;
}
