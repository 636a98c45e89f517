// Section 4 of PROTOCOL.md: what a record states, claim by claim. It imports neither src nor tools.

import { type Item, independentDecode } from "./independent-cbor.js";
import { bounds, sizes } from "./stranger-bounds.js";
import { bytesOf, demand, hex, listUpTo, mapOf, numberOf, readSign1, type Sign1 } from "./stranger-proof.js";

export interface StrangerRecord {
  readonly message: Sign1;
  /** id of its meter */
  readonly meter: string;
  readonly service: number;
  readonly seq: number;
  readonly claims: ReadonlyMap<number, Item>;
}

const NUMBERS = [3, 8, 11, 13, 14, 15];
const REQUIRED = [1, 2, 3, 4, 5, 6, 7];

/** Reads a stripped record; its signature is not checked. */
export function readStripped(bytes: Uint8Array): StrangerRecord {
  const message = readSign1(bytes, sizes.record);
  const algorithm = message.header.get(1);
  demand(message.header.size === 2 && (algorithm === -19 || algorithm === -9), "record has another protected header");
  bytesOf(message.header.get(4), 8);
  const claims = mapOf(independentDecode(message.payload)) as ReadonlyMap<number, Item>;
  demand(claims.get(1) === 1, "record is of another version");
  for (const claim of REQUIRED) demand(claims.has(claim), `record has no claim ${claim}`);
  for (const claim of claims.keys()) demand(claim >= 1 && claim <= 15, "record has a claim that is none");
  const service = numberOf(claims.get(2), bounds.service, 1);
  const seq = numberOf(claims.get(4), bounds.seq);
  bytesOf(claims.get(5), seq === 0 ? 0 : 32);
  numberOf(claims.get(6), bounds.time_s);
  numberOf(claims.get(7), 3);
  for (const claim of NUMBERS) if (claims.has(claim)) numberOf(claims.get(claim), bounds.plain);
  if (claims.has(9)) for (const register of someOf(claims.get(9), 256)) checkRegister(register);
  if (claims.has(10)) checkDigests(someOf(claims.get(10), 16));
  if (claims.has(12)) bytesOf(claims.get(12), 32);
  return { message, meter: hex(message.header.get(4)), service, seq, claims };
}

function someOf(item: Item | undefined, max: number): readonly Item[] {
  const items = listUpTo(item, max);
  demand(items.length > 0, "an array is empty");
  return items;
}

function checkRegister(item: Item): void {
  const fields = listUpTo(item, 5);
  demand(fields.length >= 4, "a register has too few items");
  const [obis, value, scaler, unit, age] = fields;
  bytesOf(obis, 6);
  demand(typeof value === "number" || typeof value === "bigint", "a register has no value");
  demand(typeof scaler === "number" && scaler >= -128 && scaler <= 127, "a register has no power of ten");
  numberOf(unit, 255);
  if (fields.length === 5) numberOf(age, bounds.plain);
}

function checkDigests(digests: readonly Item[]): void {
  const all = digests.map((digest) => Buffer.from(bytesOf(digest, 32)));
  for (const [index, digest] of all.entries()) {
    demand(index === 0 || Buffer.compare(all[index - 1]!, digest) < 0, "digests are not ascending");
  }
}
