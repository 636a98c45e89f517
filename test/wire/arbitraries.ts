// Arbitrary CBOR: values as the formats have them, and bytes that are almost what the guard accepts.

import fc from "fast-check";
import type { CborValue } from "../../src/wire/cbor.js";
import type { OperationClaims } from "../../src/wire/operation.js";
import type { Claims, Register } from "../../src/wire/record.js";
import { VALUE_DEPTH_MAX, type Value } from "../../src/wire/value.js";
import { type Item, independentCbor } from "./independent-cbor.js";

const edges = [
  23n,
  24n,
  255n,
  256n,
  65_535n,
  65_536n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 32n,
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 63n - 1n,
];

/** Integers of int64, the borders of the encodings often. */
export const integers: fc.Arbitrary<number | bigint> = fc
  .oneof(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), fc.constantFrom(...edges, ...edges.map((edge) => -1n - edge)))
  .chain((value) => {
    const safe = value <= BigInt(Number.MAX_SAFE_INTEGER) && value >= -BigInt(Number.MAX_SAFE_INTEGER);
    return fc.constantFrom<number | bigint>(...(safe ? [value, Number(value)] : [value]));
  });

/** Well-formed text, long and short, of one to four bytes a character, without a byte order mark first. */
export const texts: fc.Arbitrary<string> = fc
  .oneof(
    fc.string({ unit: "binary", maxLength: 90 }),
    fc.constantFrom("", "__proto__", "constructor", "a\ufeffb", "é".repeat(40), "😀".repeat(20), "x".repeat(300)),
  )
  .filter((text) => !text.startsWith("\ufeff"));

export const byteStrings = (maxLength: number) => fc.uint8Array({ maxLength }).map((bytes) => Uint8Array.from(bytes));

const keys: fc.Arbitrary<number | string> = fc.oneof(
  fc.integer({ min: -30, max: 30 }),
  fc.integer({ min: -0x100000000, max: 0xffffffff }),
  texts,
);

/** Any value that the formats could hold, nested up to the guard's depth. */
export const values: fc.Arbitrary<CborValue> = fc.letrec<{ value: CborValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 7, depthSize: "small" },
    fc.constantFrom<CborValue>(null, true, false),
    integers,
    texts,
    byteStrings(80),
    fc.array(tie("value"), { maxLength: 6 }),
    fc
      .uniqueArray(fc.tuple(keys, tie("value")), { selector: ([key]) => `${typeof key} ${key}`, maxLength: 6 })
      .map((entries) => new Map(entries)),
  ),
})).value;

/** Bytes that are CBOR or nearly so: encoded values with a few bytes changed, put in, taken out or cut off, and rows of heads. */
export const nearlyCbor: fc.Arbitrary<Uint8Array> = fc.oneof(
  values.map((value) => Uint8Array.from(independentCbor(value as Item))),
  fc
    .tuple(
      values,
      fc.array(fc.tuple(fc.nat(), fc.constantFrom("set", "flip", "insert", "remove", "cut"), fc.nat({ max: 255 })), {
        minLength: 1,
        maxLength: 3,
      }),
    )
    .map(([value, changes]) => {
      let bytes = [...independentCbor(value as Item)];
      for (const [position, change, byte] of changes) {
        const index = position % (bytes.length + 1);
        if (change === "set") bytes[index] = byte;
        else if (change === "flip") bytes[index] = (bytes[index] ?? 0) ^ (1 << (byte & 7));
        else if (change === "insert") bytes.splice(index, 0, byte);
        else if (change === "remove") bytes.splice(index, 1);
        else bytes = bytes.slice(0, index);
      }
      return Uint8Array.from(bytes);
    }),
  fc
    .array(
      fc.oneof(
        fc.constantFrom(0x18, 0x19, 0x1a, 0x1b, 0x38, 0x3b, 0x40, 0x41, 0x58, 0x5a, 0x5b, 0x5f, 0x61, 0x78, 0x7b, 0x7f),
        fc.constantFrom(0x80, 0x81, 0x82, 0x9a, 0x9b, 0x9f, 0xa0, 0xa1, 0xa2, 0xbb, 0xbf, 0xc0, 0xc2, 0xd2, 0xd8, 0xd9),
        fc.constantFrom(0xe0, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9, 0xfa, 0xfb, 0xff),
        fc.nat({ max: 255 }),
      ),
      { maxLength: 24 },
    )
    .map((bytes) => Uint8Array.from(bytes)),
);

export const fixedBytes = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => Uint8Array.from(bytes));

/** Numbers up to a bound of PROTOCOL.md, section 17, the small ones and the bound often. */
export const upTo = (max: number, min = 0): fc.Arbitrary<number> =>
  fc.oneof(fc.integer({ min, max: Math.min(min + 100, max) }), fc.integer({ min, max }), fc.constant(max));

const uints = upTo(2 ** 53 - 1);
export const heights = upTo(2 ** 40 - 2, 1);
export const batchNumbers = upTo(2 ** 48 - 1);
export const times_s = upTo(2 ** 42 - 1);
export const times_ms = upTo(2 ** 32 * 1_000 - 1);
export const services = fc.integer({ min: 1, max: 65_535 });

export const registers: fc.Arbitrary<Register> = fc
  .record({
    obis: fixedBytes(6),
    value: integers.map((value) =>
      typeof value === "bigint" && Number.isSafeInteger(Number(value)) ? Number(value) : value,
    ),
    scaler: fc.integer({ min: -128, max: 127 }),
    unit: fc.nat({ max: 255 }),
    age: fc.option(uints, { nil: undefined }),
  })
  .map(({ age, ...register }) => ({ ...register, ...(age !== undefined && { age }) }));

/** Claims without digests: those follow from the disclosures that a test adds. */
export const claims: fc.Arbitrary<Claims> = fc
  .record(
    {
      service: fc.integer({ min: 1, max: 65_535 }),
      serviceId: uints,
      seq: upTo(2 ** 32 - 2),
      time_s: times_s,
      quality: fc.nat({ max: 3 }),
      status: uints,
      registers: fc.array(registers, { minLength: 1, maxLength: 5 }),
      source: uints,
      frameHash: fixedBytes(32),
      reason: uints,
      events: uints,
      errors: uints,
      hash: fixedBytes(32),
    },
    { requiredKeys: ["service", "serviceId", "seq", "time_s", "quality", "hash"] },
  )
  .map(({ hash, ...rest }) => ({ ...rest, previous: rest.seq === 0 ? new Uint8Array(0) : hash }));

/** Integers as a decoded value has them. */
const valueIntegers = integers.map((value) => (Number.isSafeInteger(Number(value)) ? Number(value) : value));

/** Values of contracts, of all levels that one may have. */
export const contractValues: fc.Arbitrary<Value> = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: VALUE_DEPTH_MAX, depthSize: "small" },
    fc.constantFrom<Value>(null, true, false),
    valueIntegers,
    texts,
    fc.array(tie("value"), { maxLength: 4 }),
    fc.uniqueArray(fc.tuple(texts, tie("value")), { selector: ([key]) => key, maxLength: 4 }).map(Object.fromEntries),
  ),
})).value;

/** Claims of operations without digests. */
export const operationClaims: fc.Arbitrary<OperationClaims> = fc
  .record(
    {
      service: services,
      serviceId: uints,
      seq: upTo(2 ** 32 - 2),
      time_s: times_s,
      quality: fc.nat({ max: 3 }),
      type: upTo(65_535, 1),
      body: contractValues,
      until_s: times_s,
      hash: fixedBytes(32),
    },
    { requiredKeys: ["service", "serviceId", "seq", "time_s", "quality", "type", "body", "hash"] },
  )
  .map(({ hash, ...rest }) => ({ ...rest, previous: rest.seq === 0 ? new Uint8Array(0) : hash }));
