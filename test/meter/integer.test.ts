import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { bigEndian } from "../../src/meter/integer.js";

test("reads every integer of one to eight bytes exactly, a bigint only beyond the safe ones", () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(bytes, fc.boolean(), (content, signed) => {
      const bits = 8 * content.length;
      const unsigned = BigInt(`0x${Buffer.from(content).toString("hex")}`);
      const expected = signed ? BigInt.asIntN(bits, unsigned) : unsigned;
      const value = bigEndian(Uint8Array.of(0xaa, ...content, 0xbb), 1, content.length, signed);
      assert.equal(BigInt(value), expected);
      assert.equal(typeof value, Number.isSafeInteger(Number(expected)) ? "number" : "bigint");
    }),
    { numRuns: 500 },
  );
});
