import assert from "node:assert/strict";
import { test } from "node:test";
import { fromHex } from "../../src/wire/bytes.js";
import { isLowOrder, lowOrderPoints } from "../../src/wire/low-order.js";
import { generateDeliveryKeys, sealTo } from "../../tools/crypto/hpke.js";

const sealsTo = (key: Uint8Array) => {
  try {
    sealTo(key, new Uint8Array(0), new Uint8Array(1));
    return true;
  } catch {
    return false;
  }
};

test("points of low order are those that nothing can be sealed to, whatever their highest bit", () => {
  for (const point of lowOrderPoints) {
    for (const high of [0, 0x80]) {
      const key = fromHex(point)!;
      key[31]! |= high;
      assert.ok(isLowOrder(key), point);
      assert.ok(!sealsTo(key), `OpenSSL agrees no secret with ${point}`);
    }
  }
});

test("other keys are none of them", () => {
  for (let turn = 0; turn < 100; turn += 1) assert.ok(!isLowOrder(generateDeliveryKeys().key), "a key that was made");
  const next = fromHex(`02${"00".repeat(31)}`)!;
  assert.ok(!isLowOrder(next) && sealsTo(next), "u = 2");
});
