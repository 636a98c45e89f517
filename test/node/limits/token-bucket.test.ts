import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { tokensAfter } from "../../../tools/node/limits/token-bucket.js";

const terms = { tokens_s: 10, tokens_max: 20 };

test("a bucket gets back what a second gives, up to what it holds", () => {
  assert.equal(tokensAfter(0, 500, terms), 5);
  assert.equal(tokensAfter(-25, 1_000, terms), -15);
  assert.equal(tokensAfter(15, 60_000, terms), 20);
});

test("a clock that was set back gives and takes nothing", () => {
  assert.equal(tokensAfter(7, -60_000, terms), 7);
});

test("a bucket that is filled in steps holds what one has that is filled at once", () => {
  const steps = fc.array(fc.nat(5_000), { maxLength: 20 });
  fc.assert(
    fc.property(fc.integer({ min: -100, max: 20 }), steps, (tokens, pauses_ms) => {
      const inSteps = pauses_ms.reduce((left, pause_ms) => tokensAfter(left, pause_ms, terms), tokens);
      const atOnce = tokensAfter(
        tokens,
        pauses_ms.reduce((sum, pause_ms) => sum + pause_ms, 0),
        terms,
      );
      assert.ok(Math.abs(inSteps - atOnce) < 1e-6);
    }),
  );
});
