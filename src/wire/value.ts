// Values of contracts: what an operation asks with, what a contract keeps and puts out. Integers, text, true, false, null, arrays, and
// objects with text for keys; of CBOR no byte strings and no other keys. No meter reads one.

import { type CborValue, decodeCbor, encodeCbor } from "./cbor.js";
import { WireError } from "./error.js";

/** Levels of arrays and objects in a value: in an outcome it stands three levels down. */
export const VALUE_DEPTH_MAX = 5;

/** Bytes that a run of a contract may put out, whatever its order says. */
export const CONTRACT_OUTPUT_MAX = 262_144;
/** An item has at least a byte. */
const outputLimits = { size: CONTRACT_OUTPUT_MAX, items: CONTRACT_OUTPUT_MAX };

/** An integer is a number within 2^53, a bigint within 64 bits. */
export type Value = null | boolean | number | bigint | string | readonly Value[] | { readonly [key: string]: Value };

/** The encoding of a value. Throws a WireError for a float, text that is ill-formed, too many levels. */
export function encodeValue(value: Value): Uint8Array {
  return encodeCbor(valueToCbor(value));
}

/** The value of an encoding. Throws a WireError where it is none, byte strings and integer keys included. */
export function decodeValue(bytes: Uint8Array): Value {
  return valueFromCbor(decodeCbor(bytes));
}

/** The value that a contract has put out, up to as much as a run may. Throws a WireError as `decodeValue` does. */
export function decodeOutput(bytes: Uint8Array): Value {
  return valueFromCbor(decodeCbor(bytes, outputLimits));
}

/** As it stands within another item. Throws a WireError as `encodeValue` does. */
export function valueToCbor(value: Value): CborValue {
  return toCbor(value, 0);
}

/** The value that a decoded item is. Throws a WireError as `decodeValue` does. */
export function valueFromCbor(value: CborValue): Value {
  return fromCbor(value, 0);
}

/** An integer that a number can be. Throws a WireError for any other number. */
export function safeInteger(value: number): number {
  if (!Number.isSafeInteger(value)) throw new WireError("shape", `${value} is no integer within 2^53`);
  return value === 0 ? 0 : value;
}

/** The level below that at `depth`. Throws a WireError where there is none. */
export function nextLevel(depth: number): number {
  if (depth === VALUE_DEPTH_MAX) throw new WireError("limit", `a value has more than ${VALUE_DEPTH_MAX} levels`);
  return depth + 1;
}

function toCbor(value: Value, depth: number): CborValue {
  if (typeof value === "number") return safeInteger(value);
  if (value === null || typeof value !== "object") return value;
  const below = nextLevel(depth);
  if (Array.isArray(value)) return value.map((item) => toCbor(item, below));
  return new Map(Object.entries(value).map(([key, member]) => [key, toCbor(member, below)]));
}

function fromCbor(value: CborValue, depth: number): Value {
  if (typeof value === "bigint") {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }
  if (value === null || typeof value !== "object") return value;
  if (value instanceof Uint8Array) throw new WireError("shape", "a contract's value has no byte strings");
  const below = nextLevel(depth);
  if (Array.isArray(value)) return value.map((item) => fromCbor(item, below));
  const entries = [...(value as ReadonlyMap<number | string, CborValue>)].map(([key, member]) => {
    if (typeof key !== "string") throw new WireError("shape", "keys of a contract's value are text");
    return [key, fromCbor(member, below)] as const;
  });
  return Object.fromEntries(entries);
}
