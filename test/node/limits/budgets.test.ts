import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createBudgets } from "../../../tools/node/limits/budgets.js";

test("nobody spends more than a full budget and what has come back since, however the clock goes", () => {
  const step = fc.record({
    passed_ms: fc.integer({ min: -5_000, max: 5_000 }),
    tokens: fc.integer({ min: 1, max: 9 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const budgets = createBudgets({ tokens_s: 3, tokens_max: 10 }, 4);
      let now_ms = 0;
      let forward_ms = 0;
      let spent = 0;
      for (const { passed_ms, tokens } of steps) {
        now_ms += passed_ms;
        forward_ms += Math.max(0, passed_ms);
        if (budgets.take("meter", tokens, now_ms)) spent += tokens;
        assert.ok(spent <= 10 + (3 * forward_ms) / 1000 + 1e-6);
      }
    }),
  );
});

test("a name that waits has its budget again, and no other name's spending touches it", () => {
  const budgets = createBudgets({ tokens_s: 1, tokens_max: 2 }, 10);
  assert.ok(budgets.take("a", 2, 0));
  assert.equal(budgets.take("a", 1, 999), false);
  assert.ok(budgets.take("b", 2, 999));
  assert.ok(budgets.take("a", 1, 1_000));
  assert.equal(budgets.left("a", 1_500), 0.5);
  assert.equal(budgets.left("c", 1_500), 2);
});

test("of more names than are remembered the one that spent longest ago is forgotten, with a whole budget", () => {
  const budgets = createBudgets({ tokens_s: 0.001, tokens_max: 1 }, 2);
  for (const name of ["a", "b", "c"]) assert.ok(budgets.take(name, 1, 0));
  assert.equal(budgets.size, 2);
  assert.ok(budgets.take("a", 1, 0));
  assert.equal(budgets.take("c", 1, 0), false);
});
