import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type CborValue, decodeCbor, decodeCborViews, encodeCbor } from "../../src/wire/cbor.js";
import { WireError } from "../../src/wire/error.js";
import * as onNode from "../../tools/crypto/cbor.js";

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const text = fc.string({ unit: "grapheme", maxLength: 12 });
const key = fc.oneof(fc.integer({ min: -(2 ** 32), max: 2 ** 32 - 1 }), text);
const value: fc.Arbitrary<CborValue> = fc.letrec<{ value: CborValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.oneof(fc.maxSafeInteger(), int64, fc.boolean(), fc.constant(null)),
    fc.oneof(text, fc.uint8Array({ maxLength: 300 })),
    fc.array(tie("value"), { maxLength: 40 }),
    fc
      .uniqueArray(fc.tuple(key, tie("value")), { maxLength: 30, selector: ([name]) => name })
      .map((all) => new Map(all)),
  ),
})).value;

/** What a call gives, or the code of the WireError that it throws. */
function outcome<T>(call: () => T): T | string {
  try {
    return call();
  } catch (error) {
    if (error instanceof WireError) return error.code;
    throw error;
  }
}

test("the codec of Node and that of the meter encode every value to the same bytes, and read them to the same value", () => {
  fc.assert(
    fc.property(value, (item) => {
      const bytes = outcome(() => encodeCbor(item));
      assert.deepEqual(
        outcome(() => onNode.encodeCbor(item)),
        bytes,
      );
      if (typeof bytes === "string") return;
      assert.deepEqual(onNode.decodeCbor(bytes), decodeCbor(bytes));
      assert.deepEqual(onNode.decodeCborViews(bytes), decodeCborViews(bytes));
    }),
  );
});

test("both refuse the same bytes, for the same reason", () => {
  fc.assert(
    fc.property(value, fc.nat(), fc.integer({ min: 0, max: 255 }), (item, place, octet) => {
      const bytes = outcome(() => encodeCbor(item));
      if (typeof bytes === "string") return;
      bytes[place % bytes.length] = octet;
      assert.deepEqual(
        outcome(() => onNode.decodeCbor(bytes)),
        outcome(() => decodeCbor(bytes)),
      );
    }),
    { numRuns: 500 },
  );
});

test("what was encoded stays as it is, however large what is encoded after it, up to what no buffer is kept for", () => {
  const values = [100, 300_000, 3, 9_000_000, 70_000, 1].map((length, index) => new Uint8Array(length).fill(index + 1));
  const encoded = values.map((bytes) => onNode.encodeCbor([bytes, bytes.length]));
  assert.deepEqual(
    encoded.map((bytes) => onNode.decodeCbor(bytes, { size: 16_777_216, items: 8 })),
    values.map((bytes) => [bytes, bytes.length]),
  );
  assert.ok(encoded.every((bytes) => bytes.buffer.byteLength === bytes.length));
});
