// Section 4 of PROTOCOL.md: the form of a sealed record, a reading or an operation. It imports neither src nor tools.

import { type Item, independentDecode } from "./independent-cbor.js";
import { bounds, sizes } from "./stranger-bounds.js";
import { bytesOf, demand, list, listUpTo, mapOf, numberOf, readSign1, type Sign1 } from "./stranger-proof.js";

export interface RecordForm {
  readonly message: Sign1;
  readonly claims: ReadonlyMap<number, Item>;
  readonly isOperation: boolean;
}

const ofBoth = [1, 2, 3, 4, 5, 6, 7];
const ofReadings = [...ofBoth, 8, 9, 10, 11, 12, 13, 14, 15];
const ofOperations = [...ofBoth, 10, 16];
const LEVELS = 5;

/** Throws unless the bytes are a stripped record; its signature is not looked at. */
export function readRecordForm(bytes: Uint8Array): RecordForm {
  const message = readSign1(bytes, sizes.operation);
  const algorithm = message.header.get(1);
  demand(message.header.size === 2 && (algorithm === -19 || algorithm === -9), "record has another protected header");
  bytesOf(message.header.get(4), 8);
  const claims = mapOf(independentDecode(message.payload)) as ReadonlyMap<number, Item>;
  const isOperation = claims.has(16);
  demand(isOperation || bytes.length <= sizes.reading, "reading is too long");
  const known = isOperation ? ofOperations : ofReadings;
  demand(
    [...claims.keys()].every((claim) => known.includes(claim)),
    "record has a claim that is none of its kind",
  );
  demand(claims.get(1) === 1, "record is of another version");
  numberOf(claims.get(2), bounds.service, 1);
  numberOf(claims.get(3), bounds.plain);
  const seq = numberOf(claims.get(4), bounds.seq);
  bytesOf(claims.get(5), seq === 0 ? 0 : 32);
  numberOf(claims.get(6), bounds.time_s);
  numberOf(claims.get(7), 3);
  if (claims.has(9)) for (const register of someOf(claims.get(9), 256)) checkRegister(register);
  for (const claim of [8, 11, 13, 14, 15]) if (claims.has(claim)) numberOf(claims.get(claim), bounds.plain);
  if (claims.has(10)) checkDigests(someOf(claims.get(10), 16));
  if (claims.has(12)) bytesOf(claims.get(12), 32);
  if (isOperation) readAsked(list(claims.get(16)));
  return { message, claims, isOperation };
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

function readAsked(asked: readonly Item[]): void {
  demand(asked.length === 2 || asked.length === 3, "operation's claim 16 is neither two nor three items");
  numberOf(asked[0], bounds.operationType, 1);
  checkValue(independentDecode(bytesOf(asked[1])), LEVELS);
  if (asked.length === 3) numberOf(asked[2], bounds.time_s);
}

function checkValue(item: Item, levels: number): void {
  if (item === null || typeof item !== "object") return;
  demand(!(item instanceof Uint8Array), "operation's body has a byte string");
  demand(levels > 0, "operation's body has too many levels");
  if (item instanceof Map) {
    for (const key of item.keys()) demand(typeof key === "string", "operation's body has a key that is no text");
  }
  const members = item instanceof Map ? [...item.values()] : (item as readonly Item[]);
  for (const member of members) checkValue(member, levels - 1);
}
