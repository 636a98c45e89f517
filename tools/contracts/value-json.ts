// Values as people write and read them: JSON, in which an integer beyond 2^53 is { "integer": "9007199254740993" }.

import type { Value } from "../../src/wire/value.js";

/** What is printed of a value. */
export function valueToJson(value: Value): unknown {
  if (typeof value === "bigint") return { integer: value.toString() };
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(valueToJson);
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, valueToJson(member)]));
}

/** The value that parsed JSON is. Throws an Error that begins with `name` where it is none. */
export function valueFromJson(parsed: unknown, name: string): Value {
  if (parsed === null || typeof parsed !== "object") {
    if (typeof parsed !== "number" || Number.isSafeInteger(parsed)) return parsed as Value;
    throw new Error(`${name}: ${parsed} is no integer within 2^53`);
  }
  if (Array.isArray(parsed)) return parsed.map((item) => valueFromJson(item, name));
  const members = Object.entries(parsed);
  const [only] = members;
  if (members.length === 1 && only![0] === "integer" && typeof only![1] === "string") {
    if (/^-?\d{1,19}$/.test(only![1])) return BigInt(only![1]);
    throw new Error(`${name}: ${only![1]} is no integer of 64 bits`);
  }
  return Object.fromEntries(members.map(([key, member]) => [key, valueFromJson(member, name)]));
}
