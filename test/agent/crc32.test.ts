import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32 as zlibCrc32 } from "node:zlib";
import fc from "fast-check";
import { crc32 } from "../../src/agent/crc32.js";

test("gives the check value of CRC-32/ISO-HDLC", () => {
  const check = new TextEncoder().encode("123456789");
  assert.equal(crc32(check, 0, check.length), 0xcbf43926);
  assert.equal(crc32(check, 3, 3), 0);
});

test("agrees with zlib on any bytes", { skip: zlibCrc32 === undefined && "this Node has no zlib.crc32" }, () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(20), (bytes, from) => {
      const start = Math.min(from, bytes.length);
      assert.equal(crc32(bytes, start, bytes.length), zlibCrc32(bytes.subarray(start)));
    }),
  );
});
