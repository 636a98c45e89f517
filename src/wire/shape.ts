// Checks at the door: a decoded item is what the format asks for, or a WireError names the field and what it must be.

import { HEIGHT_MAX, ORDER_NUMBER_MAX, SERVICE_MAX } from "./bounds.js";
import { toHex } from "./bytes.js";
import type { CborValue } from "./cbor.js";
import { WireError } from "./error.js";

/** An unsigned integer up to `max`, which is one of bounds.ts. */
export function asUint(value: CborValue | undefined, name: string, max: number): number {
  return within(value, name, 0, max);
}

/** The number of a service, which is that of its chain. */
export function asService(value: CborValue | undefined, name: string): number {
  return within(value, name, 1, SERVICE_MAX);
}

/** The height of a block; heights begin at 1. */
export function asHeight(value: CborValue | undefined, name: string): number {
  return within(value, name, 1, HEIGHT_MAX);
}

/** The number of an order; orders begin at 1. */
export function asOrderNumber(value: CborValue | undefined, name: string): number {
  return within(value, name, 1, ORDER_NUMBER_MAX);
}

function within(value: CborValue | undefined, name: string, min: number, max: number): number {
  const number = typeof value === "bigint" ? Number(value) : value;
  if (typeof number !== "number" || number < min || number > max)
    throw refused(name, min === 0 ? `an unsigned integer up to ${max}` : `an integer from ${min} to ${max}`, value);
  return number;
}

/** An integer within int64: a number where it is safe, else a bigint. */
export function asInteger(value: CborValue | undefined, name: string): number | bigint {
  if (typeof value === "number") return value;
  if (typeof value !== "bigint") throw refused(name, "an integer", value);
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

export function asBoolean(value: CborValue | undefined, name: string): boolean {
  if (typeof value !== "boolean") throw refused(name, "true or false", value);
  return value;
}

/** A byte string, of exactly `length` bytes where that is given. */
export function asBytes(value: CborValue | undefined, name: string, length?: number): Uint8Array {
  if (!(value instanceof Uint8Array)) throw refused(name, "a byte string", value);
  if (length !== undefined && value.length !== length) throw refused(name, `a byte string of ${length} bytes`, value);
  return value;
}

/** Text of 1 to `max` characters (default 64). */
export function asText(value: CborValue | undefined, name: string, max = 64): string {
  if (typeof value !== "string" || value.length === 0 || value.length > max) {
    throw refused(name, `text of 1 to ${max} characters`, value);
  }
  return value;
}

/** ISO 3166-1 code of a country, or ISO 3166-2 code of a part of it. */
export function asPlace(value: CborValue | undefined, name: string): string {
  const text = asText(value, name, 6);
  if (/^[A-Z]{2}(-[A-Z0-9]{1,3})?$/.test(text)) return text;
  throw new WireError("shape", `${name} is no code of ISO 3166-1 or 3166-2`);
}

/** An array, of exactly `length` items where that is given. */
export function asArray(value: CborValue | undefined, name: string, length?: number): readonly CborValue[] {
  if (!Array.isArray(value)) throw refused(name, "an array", value);
  if (length !== undefined && value.length !== length) throw refused(name, `an array of ${length} items`, value);
  return value;
}

/** An array of at most `max` items. */
export function asList(value: CborValue | undefined, name: string, max: number): readonly CborValue[] {
  const items = asArray(value, name);
  if (items.length > max) throw new WireError("limit", `${name} must hold at most ${max} items, not ${items.length}`);
  return items;
}

/** A map whose keys are all among `keys`. */
export function asMap(
  value: CborValue | undefined,
  name: string,
  keys: readonly number[],
): ReadonlyMap<number | string, CborValue> {
  if (!(value instanceof Map)) throw refused(name, "a map", value);
  for (const key of value.keys()) {
    if (!keys.includes(key as number)) throw new WireError("shape", `${name} has the unknown key ${String(key)}`);
  }
  return value;
}

function refused(name: string, expected: string, value: CborValue | undefined): WireError {
  return new WireError("shape", `${name} must be ${expected}, not ${described(value)}`);
}

function described(value: CborValue | undefined): string {
  if (value === undefined) return "absent";
  if (value === null || typeof value === "boolean" || typeof value === "number") return String(value);
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "string") return `text of ${value.length} characters`;
  if (value instanceof Uint8Array) return value.length <= 8 ? `bytes ${toHex(value)}` : `${value.length} bytes`;
  return Array.isArray(value) ? `an array of ${value.length}` : "a map";
}
