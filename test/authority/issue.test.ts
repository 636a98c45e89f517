import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "../../src/wire/bytes.js";
import { encodeKey } from "../../src/wire/key.js";
import { generateMeterKey, publicKeyFromHex } from "../../tools/authority/issue.js";

test("a public key in hex is a COSE_Key or the 32 bytes of Ed25519, and one that all verifiers judge alike", () => {
  const { key } = generateMeterKey();
  assert.ok(key.algorithm === -19);
  assert.deepEqual(publicKeyFromHex(toHex(encodeKey(key))), key);
  assert.deepEqual(publicKeyFromHex(toHex(key.x)), key);
  const smallOrder = "00".repeat(32);
  for (const [text, reason] of [
    [smallOrder, /judge alike/],
    [toHex(encodeKey(key)).slice(0, 60), /cannot be read/],
    ["xy", /not hex/],
  ] as const) {
    assert.throws(() => publicKeyFromHex(text), reason, text);
  }
});
