// Values of contracts as they go between host and guest: a text in JSON, in which each string says whether it is a text ("s...") or an
// integer beyond 2^53 ("i..."). On either side of the engine they are CBOR.

import { WireError } from "../../src/wire/error.js";
import { nextLevel, safeInteger, type Value } from "../../src/wire/value.js";

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
  if (typeof value === "number") return safeInteger(value);
  if (typeof value === "string") {
    if (value[0] === "s") return value.slice(1);
    if (/^i-?[0-9]{1,19}$/.test(value)) return BigInt(value.slice(1));
    throw new WireError("shape", "a string of the guest is neither text nor integer");
  }
  const below = nextLevel(depth);
  if (Array.isArray(value)) return value.map((item) => readGuest(item, below));
  const entries = Object.entries(value as object).map(([key, member]) => [key, readGuest(member, below)]);
  return Object.fromEntries(entries) as Value;
}
