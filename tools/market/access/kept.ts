// What the access contract keeps, and how it is read back: nothing that stands there is trusted to have a shape.

import type { Context, Value } from "../../contracts/author.js";
import type { Days } from "./days.js";
import { DAY_MAX, DAY_S, TEXT_MAX } from "./types.js";

export const writes = [
  "need/",
  "needs/",
  "subject/",
  "change/",
  "request/",
  "of/",
  "grant/",
  "group/",
  "groups",
  "open/",
  "closed/",
  "erased/",
  "due/",
];

export type Row = { readonly [name: string]: Value };

/** The UTC day of the block. */
export function todayOf({ time_s }: Context): number {
  return Math.floor(time_s / DAY_S);
}

export function numberSet({ parameters }: Pick<Context, "parameters">, name: string, otherwise: number): number {
  const value = parameters[name];
  return typeof value === "number" ? value : otherwise;
}

/** Who is the meter's subject on which days, ascending. */
export function subjectsOf(context: Context, meter: string): Days[] {
  return listAt(context, `subject/${meter}`).map((item) => {
    const [participant, first, end] = itemsIn(item, 3);
    return [Number(first), Number(end), String(participant)];
  });
}

/** Days of a grant. */
export function daysIn(value: Value | undefined): Days[] {
  return (Array.isArray(value) ? (value as readonly Value[]) : []).map((item) => {
    const [first, end, subject] = itemsIn(item, 3);
    return [Number(first), Number(end), textIn(subject ?? null) ?? null];
  });
}

/** The items of a list of so many; of anything else none. */
export function itemsIn(value: Value, length: number): readonly Value[] {
  return Array.isArray(value) && value.length === length ? value : [];
}

export function listAt(context: Context, key: string): readonly Value[] {
  const value = context.get(key);
  return Array.isArray(value) ? value : [];
}

export function rowAt(context: Context, key: string): Row | undefined {
  const value = context.get(key);
  return value === undefined || value === null || typeof value !== "object" || Array.isArray(value)
    ? undefined
    : (value as Row);
}

export function textIn(value: Value): string | undefined {
  return typeof value === "string" && value.length <= TEXT_MAX ? value : undefined;
}

export function dayIn(value: Value | undefined): number | undefined {
  return typeof value === "number" && value >= 0 && value <= DAY_MAX ? value : undefined;
}

export function isCount(value: Value | undefined, most: number): boolean {
  return typeof value === "number" && value >= 1 && value <= most;
}

export function isId(value: Value | undefined): value is string {
  return isHex(value, 16);
}

export function isHex(value: Value | undefined, length: number): value is string {
  if (typeof value !== "string" || value.length !== length) return false;
  for (const character of value) if (!"0123456789abcdef".includes(character)) return false;
  return true;
}

/** Sets a list, or removes it where nothing is left. */
export function putList(context: Context, key: string, items: readonly Value[]): void {
  if (items.length > 0) context.put(key, items);
  else if (context.get(key) !== undefined) context.remove(key);
}

/** Adds to a count of somebody's. */
export function count(context: Context, key: string, change: number): void {
  const after = countAt(context, key) + change;
  if (after > 0) context.put(key, after);
  else if (context.get(key) !== undefined) context.remove(key);
}

export function countAt(context: Context, key: string): number {
  return Number(context.get(key) ?? 0);
}
