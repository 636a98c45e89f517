// The 80-byte header and its difficulty target.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeHeader, encodeHeader, headerHash, isTarget, meetsTarget, mineHeader } from "../../src/wire/header.js";
import { fixedBytes } from "./arbitraries.js";
import { sha256 } from "./network.js";

const uint32 = fc.integer({ min: 0, max: 0xffffffff });
const headers = fc.record(
  {
    version: fc.constant(1),
    previous: fixedBytes(32),
    merkleRoot: fixedBytes(32),
    time_s: uint32,
    target: uint32,
    nonce: uint32,
  },
  { noNullPrototype: true },
);

/** The number that a compact target stands for. */
const expanded = (target: number) => {
  const shift = 8 * ((target >>> 24) - 3);
  const mantissa = BigInt(target & 0xffffff);
  return shift >= 0 ? mantissa << BigInt(shift) : mantissa >> BigInt(-shift);
};

test("reads what it wrote, little-endian at fixed places", () => {
  fc.assert(
    fc.property(headers, (header) => {
      const bytes = encodeHeader(header);
      assert.equal(bytes.length, 80);
      assert.deepEqual(decodeHeader(bytes), header);
      assert.equal(Buffer.from(bytes).readUInt32LE(68), header.time_s);
      assert.deepEqual(headerHash(bytes), sha256(bytes));
    }),
  );
});

test("refuses a header of another length or version", () => {
  assert.throws(() => decodeHeader(new Uint8Array(79)), /80 bytes/);
  assert.throws(() => decodeHeader(new Uint8Array(81)), /80 bytes/);
  assert.throws(() => decodeHeader(new Uint8Array(80)), /version 0/);
});

test("compares a hash with its target as numbers", () => {
  const targets = fc
    .tuple(fc.integer({ min: 3, max: 32 }), fc.integer({ min: 1, max: 0x7fffff }))
    .map(([exponent, mantissa]) => exponent * 0x1000000 + mantissa);
  fc.assert(
    fc.property(fixedBytes(32), targets, fc.integer({ min: 0, max: 40 }), (hash, target, zeros) => {
      const bytes = Uint8Array.from(hash);
      bytes.fill(0, 0, zeros);
      assert.equal(isTarget(target), true);
      assert.equal(meetsTarget(bytes, target), BigInt(`0x${Buffer.from(bytes).toString("hex")}`) <= expanded(target));
    }),
    { numRuns: 500 },
  );
  assert.equal(meetsTarget(new Uint8Array(32).fill(0xff), 0), true);
});

test("knows targets that no hash or every hash would meet for none", () => {
  for (const target of [0x00ffffff, 0x02000001, 0x03000000, 0x03800000, 0x20ffffff, 0x21000001, 0xff7fffff]) {
    assert.equal(isTarget(target), false, target.toString(16));
  }
  for (const target of [0, 0x03000001, 0x1d00ffff, 0x207fffff])
    assert.equal(isTarget(target), true, target.toString(16));
});

test("mines a header that meets its target and differs in the nonce alone", () => {
  fc.assert(
    fc.property(headers, (header) => {
      const easy = { ...header, target: 0x2007ffff, nonce: 0 };
      const mined = decodeHeader(mineHeader(easy));
      assert.deepEqual({ ...mined, nonce: 0 }, easy);
      assert.equal(meetsTarget(sha256(encodeHeader(mined)), easy.target), true);
      assert.equal(decodeHeader(mineHeader({ ...easy, target: 0 })).nonce, 0);
    }),
    { numRuns: 20 },
  );
});
