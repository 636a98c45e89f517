// What `gridseal credit explain` prints of figures: each with its unit, money as the market tells it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { inputText, limitText } from "../../tools/cli/credit/explain.js";

test("a limit is told as the auction tells it, energy in kWh, counts as they are", () => {
  assert.equal(limitText(40_000), "may owe 0.40000");
  assert.equal(inputText("contracted", 1_250_000n), "contracted 1.250000 kWh");
  assert.equal(inputText("beyond", 0n), "beyond 0.000000 kWh");
  assert.equal(inputText("taken", 50), "taken 50 of 1000");
  assert.equal(inputText("months", 3), "months 3");
});
