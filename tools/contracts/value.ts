// Values of contracts: integers, text, true, false, null, arrays, and objects with text for keys.
// Between host and guest they go as a text in JSON, in which each string says whether it is a text
// ("s...") or an integer beyond 2^53 ("i..."). On either side of the engine they are CBOR.

import { type CborValue, decodeCbor, encodeCbor } from "../../src/wire/cbor.js";
import { WireError } from "../../src/wire/error.js";
import { VALUE_DEPTH_MAX } from "./limits.js";

/** An integer is a number within 2^53, a bigint within 64 bits. */
export type Value = null | boolean | number | bigint | string | readonly Value[] | { readonly [key: string]: Value };

/** The encoding of a value. Throws a WireError for a float, text that is ill-formed, too many levels. */
export function encodeValue(value: Value): Uint8Array {
  return encodeCbor(toCbor(value, 0));
}

/** The value of an encoding. Throws a WireError where it is none, byte strings and integer keys included. */
export function decodeValue(bytes: Uint8Array): Value {
  return fromCbor(decodeCbor(bytes));
}

/** A value as it goes to the guest. */
export function toGuest(value: Value): string {
  return JSON.stringify(value, (_key, member: unknown) => {
    if (typeof member === "string") return `s${member}`;
    return typeof member === "bigint" ? guestInteger(member) : member;
  });
}

function guestInteger(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : `i${value}`;
}

/** A value as it came from the guest. Throws a WireError for what the guest's side does not write. */
export function fromGuest(text: string): Value {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new WireError("encoding", "what the guest wrote is no JSON");
  }
  return readGuest(parsed, 0);
}

function readGuest(value: unknown, depth: number): Value {
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "number") return integer(value);
  if (typeof value === "string") {
    if (value[0] === "s") return value.slice(1);
    if (/^i-?[0-9]{1,19}$/.test(value)) return BigInt(value.slice(1));
    throw new WireError("shape", "a string of the guest is neither text nor integer");
  }
  if (depth === VALUE_DEPTH_MAX) throw new WireError("limit", `a value has more than ${VALUE_DEPTH_MAX} levels`);
  if (Array.isArray(value)) return value.map((item) => readGuest(item, depth + 1));
  const entries = Object.entries(value as object).map(([key, member]) => [key, readGuest(member, depth + 1)]);
  return Object.fromEntries(entries) as Value;
}

function integer(value: number): number {
  if (!Number.isSafeInteger(value)) throw new WireError("shape", `${value} is no integer within 2^53`);
  return value === 0 ? 0 : value;
}

function toCbor(value: Value, depth: number): CborValue {
  if (typeof value === "number") return integer(value);
  if (value === null || typeof value !== "object") return value;
  if (depth === VALUE_DEPTH_MAX) throw new WireError("limit", `a value has more than ${VALUE_DEPTH_MAX} levels`);
  if (Array.isArray(value)) return value.map((item) => toCbor(item, depth + 1));
  return new Map(Object.entries(value).map(([key, member]) => [key, toCbor(member, depth + 1)]));
}

function fromCbor(value: CborValue): Value {
  if (typeof value === "bigint") {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }
  if (value === null || typeof value !== "object") return value;
  if (value instanceof Uint8Array) throw new WireError("shape", "a contract's value has no byte strings");
  if (Array.isArray(value)) return value.map(fromCbor);
  const entries = [...(value as ReadonlyMap<number | string, CborValue>)].map(([key, member]) => {
    if (typeof key !== "string") throw new WireError("shape", "keys of a contract's value are text");
    return [key, fromCbor(member)] as const;
  });
  return Object.fromEntries(entries);
}
