import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createLineLimit } from "../../../tools/node/watch/line-limit.js";

test("lets so many lines of a kind through, and says later how many it has left out", () => {
  const limit = createLineLimit(2, 1_000);
  assert.deepEqual(
    [0, 1, 2, 3, 999].map((now) => limit.take("dropped", now)),
    [0, 0, undefined, undefined, undefined],
  );
  assert.equal(limit.take("sealed", 999), 0);
  assert.equal(limit.take("dropped", 1_000), 3);
  assert.equal(limit.take("dropped", 1_001), 0);
});

test("every line is either let through or counted by the next that is", () => {
  const lines = fc.array(fc.tuple(fc.constantFrom("a", "b"), fc.nat(400)), { maxLength: 200 });
  fc.assert(
    fc.property(lines, fc.integer({ min: 1, max: 5 }), (steps, most) => {
      const limit = createLineLimit(most, 1_000);
      let now = 0;
      const seen = new Map<string, { lines: number; told: number; behind: number }>();
      for (const [kind, wait] of steps) {
        now += wait;
        const count = seen.get(kind) ?? { lines: 0, told: 0, behind: 0 };
        seen.set(kind, count);
        count.lines += 1;
        const leftOut = limit.take(kind, now);
        if (leftOut === undefined) count.behind += 1;
        else {
          assert.equal(leftOut, count.behind);
          count.told += 1 + leftOut;
          count.behind = 0;
        }
      }
      for (const { lines: all, told, behind } of seen.values()) assert.equal(told + behind, all);
    }),
  );
});

test("kinds beyond a number share one count, so that nobody fills memory with new ones", () => {
  const limit = createLineLimit(1, 1_000);
  const passed = Array.from({ length: 5_000 }, (_, kind) => limit.take(`kind ${kind}`, 0)).filter((n) => n === 0);
  assert.equal(passed.length, 1_025);
});
