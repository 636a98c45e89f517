import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { crc16Arc, crc16Kermit, crc16Modbus, crc16X25 } from "../../src/meter/crc16.js";
import { kermitOf, modbusCrcOf, x25Of } from "../../tools/emulators/checksums.js";
import { crcOf } from "./telegram.js";

const digits = Buffer.from("123456789");

test("gives the check values of the catalogue", () => {
  assert.equal(crc16Arc(digits, 0, 9), 0xbb3d);
  assert.equal(crc16Modbus(digits, 0, 9), 0x4b37);
  assert.equal(crc16X25(digits, 0, 9), 0x906e);
  assert.equal(crc16Kermit(digits, 0, 9), 0x2189);
});

test("gives what the bit by bit definitions give, for any range", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), (bytes, from) => {
      const start = Math.min(from, bytes.length);
      const range = bytes.subarray(start);
      assert.equal(crc16Arc(bytes, start, bytes.length), crcOf(range));
      assert.equal(crc16Modbus(bytes, start, bytes.length), modbusCrcOf(range));
      assert.equal(crc16X25(bytes, start, bytes.length), x25Of(range));
      assert.equal(crc16Kermit(bytes, start, bytes.length), kermitOf(range));
    }),
  );
});
