// Points of edwards25519 (RFC 8032, section 5.1) and their multiples, for the engine of a chip. The curve, its base point and what is done
// once a signature are noble's. A product is reduced by shifts instead of a division, and no point is checked that was made here: that
// takes a sixth of the instructions. BigInts take the longer the larger they are: neither this nor noble takes always the same time.

import { ed25519 } from "@noble/curves/ed25519.js";

/** In extended coordinates: x is X / Z, y is Y / Z, and T is XY / Z. Each is not negative and below 2^257, but need not be below p. */
export interface Point {
  readonly X: bigint;
  readonly Y: bigint;
  readonly Z: bigint;
  readonly T: bigint;
}

/** A point as it is added: Y - X, Y + X, 2dT, and 2Z where Z is not 1. */
interface Addend {
  readonly minus: bigint;
  readonly plus: bigint;
  readonly t2d: bigint;
  readonly z2?: bigint;
}

const { Fp, BASE } = ed25519.Point;
/** 2^256 is 38 modulo p. */
const WORD_BITS = BigInt(256);
const WORD_MASK = (BigInt(1) << WORD_BITS) - BigInt(1);
const FOLD = BigInt(38);
/** A multiple of p that is above the coordinates, and one above what is reduced by half: nothing becomes negative. */
const ABOVE = Fp.ORDER * BigInt(8);
const FAR_ABOVE = Fp.ORDER * BigInt(4096);
const D2 = Fp.create(ed25519.Point.CURVE().d * BigInt(2));

const SCALAR_BYTES = 32;
/** Of a digit of a scalar, from -7 to 8. */
const DIGIT_BITS = 4;
const MULTIPLES = 1 << (DIGIT_BITS - 1);

export const NEUTRAL: Point = Object.freeze({ X: Fp.ZERO, Y: Fp.ONE, Z: Fp.ONE, T: Fp.ZERO });
/** From 1 to 8 times 16^n times the base point, for each digit n: in ROM, as they are made while the image is. */
const baseMultiples = multiplesOfBase();

/** `point` and `scalar` times the base point. A scalar is below 2^253, as those of the group are. */
export function addBaseMultiple(point: Point, scalar: bigint): Point {
  let sum = point;
  let place = -1;
  for (const digit of digitsOf(scalar)) {
    // A zero costs an addition as well, whose sum is let go.
    const other = add(sum, baseMultiples[place + Math.abs(digit || 1)]!, digit < 0);
    if (digit !== 0) sum = other;
    place += MULTIPLES;
  }
  return sum;
}

/** `scalar` times a point that anybody may know, and a scalar as well: takes as long as they need. */
export function multiplePublic(point: Point, scalar: bigint): Point {
  const multiples = multiplesOf(point).map(addendOf);
  let sum = NEUTRAL;
  for (const digit of digitsOf(scalar).reverse()) {
    if (sum !== NEUTRAL) for (let doubled = 0; doubled < DIGIT_BITS; doubled++) sum = double(sum);
    if (digit !== 0) sum = add(sum, multiples[Math.abs(digit) - 1]!, digit < 0);
  }
  return sum;
}

/** As section 5.1.2 encodes it. */
export function encodePoint({ X, Y, Z }: Point): Uint8Array {
  const inverse = Fp.inv(Fp.create(Z));
  const bytes = Fp.toBytes(Fp.create(Y * inverse));
  if (Number(Fp.create(X * inverse) & BigInt(1)) === 1) bytes[bytes.length - 1]! |= 0x80;
  return bytes;
}

/** The negative of a point. */
export function negate({ X, Y, Z, T }: Point): Point {
  return { X: reduce(ABOVE - X), Y, Z, T: reduce(ABOVE - T) };
}

/** p + q or p - q: add-2008-hwcd-3 of the Explicit-Formulas Database, complete on this curve. */
function add({ X, Y, Z, T }: Point, { minus, plus, t2d, z2 }: Addend, isSubtracted: boolean): Point {
  const A = halfReduce((Y - X + ABOVE) * (isSubtracted ? plus : minus));
  const B = halfReduce((Y + X) * (isSubtracted ? minus : plus));
  const C = halfReduce(T * t2d);
  const D = z2 === undefined ? Z + Z : halfReduce(Z * z2);
  const E = B - A + FAR_ABOVE;
  const H = B + A;
  const difference = D - C + FAR_ABOVE;
  const F = isSubtracted ? D + C : difference;
  const G = isSubtracted ? difference : D + C;
  return { X: reduce(E * F), Y: reduce(G * H), Z: reduce(F * G), T: reduce(E * H) };
}

/** p + p: dbl-2008-hwcd of the same, with the signs of E, F, G and H changed. */
function double({ X, Y, Z }: Point): Point {
  const A = halfReduce(X * X);
  const B = halfReduce(Y * Y);
  const XY = halfReduce(X * Y);
  const ZZ = halfReduce(Z * Z);
  const E = FAR_ABOVE - XY - XY;
  const G = A - B + FAR_ABOVE;
  const F = ZZ + ZZ + G;
  const H = A + B;
  return { X: reduce(E * F), Y: reduce(G * H), Z: reduce(F * G), T: reduce(E * H) };
}

/** Below 2^256 + 2^35, of a number that is not negative and below 2^537. */
function reduce(product: bigint): bigint {
  const half = (product & WORD_MASK) + FOLD * (product >> WORD_BITS);
  return (half & WORD_MASK) + FOLD * (half >> WORD_BITS);
}

/** Below 2^266.2, of a number that is not negative and below 2^517: for what is added once and multiplied again. */
function halfReduce(product: bigint): bigint {
  return (product & WORD_MASK) + FOLD * (product >> WORD_BITS);
}

function addendOf({ X, Y, Z, T }: Point): Addend {
  return { minus: Y - X + ABOVE, plus: Y + X, t2d: reduce(T * D2), z2: Z + Z };
}

/** From 1 to 8 times the point. */
function multiplesOf(point: Point): Point[] {
  const addend = addendOf(point);
  const multiples = [point];
  for (let count = 1; count < MULTIPLES; count++) multiples.push(add(multiples[count - 1]!, addend, false));
  return multiples;
}

/** Digits of base 16 from -7 to 8, the lowest first. */
function digitsOf(scalar: bigint): number[] {
  const bytes = ed25519.Point.Fn.toBytes(scalar);
  const digits: number[] = [];
  let carry = 0;
  for (let place = 0; place < 2 * SCALAR_BYTES; place++) {
    const byte = bytes[place >> 1]!;
    const digit = ((place & 1) === 0 ? byte & 15 : byte >> 4) + carry;
    carry = digit > MULTIPLES ? 1 : 0;
    digits.push(digit - (carry << DIGIT_BITS));
  }
  return digits;
}

function multiplesOfBase(): readonly Addend[] {
  const points: Point[] = [];
  for (let base: Point = BASE; points.length < 2 * SCALAR_BYTES * MULTIPLES; base = double(points.at(-1)!))
    points.push(...multiplesOf(base));
  const inverses = Fp.invertBatch(points.map(({ Z }) => Fp.create(Z)));
  return Object.freeze(
    points.map(({ X, Y }, index) => {
      const x = Fp.create(X * inverses[index]!);
      const y = Fp.create(Y * inverses[index]!);
      return Object.freeze({ minus: Fp.sub(y, x), plus: Fp.add(x, y), t2d: Fp.create(D2 * Fp.mul(x, y)) });
    }),
  );
}
