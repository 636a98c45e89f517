import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { crc16Arc } from "../../src/meter/crc16.js";
import { crcOf } from "./telegram.js";

test("gives the check value of CRC-16/ARC", () => {
  assert.equal(crc16Arc(Buffer.from("123456789"), 0, 9), 0xbb3d);
});

test("gives what the bit by bit definition gives, for any range", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), (bytes, from) => {
      const start = Math.min(from, bytes.length);
      assert.equal(crc16Arc(bytes, start, bytes.length), crcOf(bytes.subarray(start)));
    }),
  );
});
