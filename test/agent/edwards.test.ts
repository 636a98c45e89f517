import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ed25519 } from "@noble/curves/ed25519.js";
import fc from "fast-check";
import { addBaseMultiple, encodePoint, multiplePublic, NEUTRAL, negate } from "../../src/agent/edwards.js";

const { Point } = ed25519;
const order = Point.Fn.ORDER;
/** Each digit at each place, the carries of eights and above, and the ends of the range. */
const corners: readonly bigint[] = [
  ...[0n, 1n, 2n, order - 1n, order - 2n, (order - 1n) / 2n, 2n ** 252n - 1n, 2n ** 252n],
  ...["8", "9", "7", "f", "1", "08", "80"].map((digits) => BigInt(`0x${digits.repeat(63 / digits.length)}`) % order),
];
const scalar = fc.oneof(fc.bigInt({ min: 0n, max: order - 1n }), fc.constantFrom(...corners));
/** Points of order 8 and 2, whose encodings RFC 8032 and the literature on small orders list. */
const torsion = [
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
].map((hex) => Point.fromHex(hex));

describe("points of edwards25519", () => {
  test("multiply the base point as noble does", () => {
    fc.assert(
      fc.property(scalar, (factor) => {
        const expected = Point.BASE.multiplyUnsafe(factor).toBytes();
        assert.deepEqual(encodePoint(addBaseMultiple(NEUTRAL, factor)), expected);
      }),
      { examples: corners.map((corner): [bigint] => [corner]) },
    );
  });

  test("multiply any point, and add and negate it, as noble does, those of mixed order too", () => {
    const point = fc
      .tuple(fc.bigInt({ min: 1n, max: order - 1n }), fc.constantFrom(Point.ZERO, ...torsion))
      .map(([factor, small]) => Point.BASE.multiply(factor).add(small));
    fc.assert(
      fc.property(point, scalar, scalar, (start, factor, base) => {
        // From the encoding, as a verifier has it: Z is 1.
        const affine = Point.fromBytes(start.toBytes());
        const expected = affine.multiplyUnsafe(factor).negate().add(Point.BASE.multiplyUnsafe(base));
        const found = addBaseMultiple(multiplePublic(negate(affine), factor), base);
        assert.deepEqual(encodePoint(found), expected.toBytes());
      }),
    );
  });

  test("meet neither exceptions nor limits where points are equal, opposite or neutral", () => {
    for (const small of torsion) {
      for (const factor of [0n, 1n, 2n, 7n, 8n, 9n, 16n])
        assert.deepEqual(
          encodePoint(multiplePublic(small, factor)),
          (factor === 0n ? Point.ZERO : small.multiplyUnsafe(factor)).toBytes(),
        );
    }
    const opposite = negate(addBaseMultiple(NEUTRAL, 5n));
    assert.deepEqual(encodePoint(addBaseMultiple(opposite, 5n)), Point.ZERO.toBytes());
    assert.deepEqual(encodePoint(negate(NEUTRAL)), Point.ZERO.toBytes());
    assert.deepEqual(encodePoint(multiplePublic(NEUTRAL, order - 1n)), Point.ZERO.toBytes());
  });
});
