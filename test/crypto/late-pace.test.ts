import assert from "node:assert/strict";
import { test } from "node:test";
import { createPace } from "../../tools/crypto/late-pace.js";

test("a thread whose processor is its own does not rest", () => {
  const rest = createPace();
  const rests = [8, 8.4, 7.9, 9, 10, 8].map((took_ms) => rest(64, took_ms));
  assert.deepEqual(rests, [0, 0, 0, 0, 0, 0]);
});

test("a thread rests forty times as long as it worked where others want the processor, a second at most", () => {
  const rest = createPace();
  rest(64, 8);
  assert.equal(rest(64, 16), 640);
  assert.equal(rest(64, 400), 1_000);
  assert.equal(rest(64, 8), 0, "the processor is free again");
});

test("a few signatures tell nothing", () => {
  const rest = createPace();
  rest(64, 8);
  assert.equal(rest(1, 8), 0);
});

test("a processor that has become slower for good is free again some time later", () => {
  const rest = createPace();
  rest(64, 8);
  const rests = Array.from({ length: 600 }, () => rest(64, 16));
  assert.notEqual(rests[0], 0);
  assert.equal(rests.at(-1), 0);
});
