import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { summarise } from "../../../tools/lab/bench/quantile.js";

test("takes the nearest rank", () => {
  const hundred = Float64Array.from({ length: 100 }, (_, index) => 100 - index);
  assert.deepEqual(summarise(hundred), { p50_ms: 50, p99_ms: 99, max_ms: 100 });
  assert.deepEqual(summarise(new Float64Array(0)), { p50_ms: 0, p99_ms: 0, max_ms: 0 });
});

test("leaves at most the share above each quantile", () => {
  fc.assert(
    fc.property(fc.float64Array({ minLength: 1, noNaN: true }), (values) => {
      const { p50_ms, p99_ms, max_ms } = summarise(values);
      const above = (limit: number) => values.filter((value) => value > limit).length;
      assert.ok(above(p50_ms) <= values.length * 0.5 && above(p99_ms) <= values.length * 0.01);
      assert.equal(above(max_ms), 0);
    }),
  );
});
