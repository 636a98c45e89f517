import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { toHex } from "../../src/wire/bytes.js";
import { sha256 as portable } from "../../src/wire/hash.js";
import { sha256 as native } from "../../tools/crypto/hash.js";

test("gives the digest that FIPS 180-4 has for abc, as plain bytes", () => {
  const digest = native(new TextEncoder().encode("abc"));
  assert.equal(toHex(digest), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  assert.equal(digest.constructor, Uint8Array);
});

test("agrees with what it stands in for", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(8), (bytes, offset) => {
      const view = bytes.subarray(Math.min(offset, bytes.length));
      assert.deepEqual(native(view), portable(view));
    }),
  );
});
