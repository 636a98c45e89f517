// Minimum groups: how many meters, and how large a share of one of them.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { hidesEach, isGroup } from "../../../src/wire/hiding.js";
import { type GroupKind, groupRule } from "../../../tools/market/access/groups.js";

const rule = (kind: GroupKind, parameters = {}) => groupRule({ parameters }, kind);
const equal = (meters: number) => Array.from({ length: meters }, () => 7n);

test("households are a group from a hundred meters on, others from fifteen", () => {
  assert.deepEqual(
    [99, 100].map((meters) => isGroup(rule("residential"), meters)),
    [false, true],
  );
  assert.deepEqual(
    [14, 15].map((meters) => isGroup(rule("non-residential"), meters)),
    [false, true],
  );
});

test("a chain's parameters state other numbers", () => {
  const set = { group_residential: 20, group_nonresidential: 4, group_share: 40 };
  assert.deepEqual(rule("residential", set), { meters_min: 20, share_percent_max: 100 });
  assert.deepEqual(rule("non-residential", set), { meters_min: 4, share_percent_max: 40 });
});

test("a business with more than 15 % of the sum is not hidden by it, whatever the signs", () => {
  const others = Array.from({ length: 17 }, () => 5n);
  assert.equal(hidesEach(rule("non-residential"), [...others, 15n]), true);
  assert.equal(hidesEach(rule("non-residential"), [...others, 16n]), false);
  assert.equal(hidesEach(rule("non-residential"), [...others, -16n]), false);
});

test("a household may have any share, in a group that is large enough", () => {
  assert.equal(hidesEach(rule("residential"), [...equal(99), 100_000n]), true);
  assert.equal(hidesEach(rule("residential"), equal(99)), false);
});

test("whatever the values are, no sum that is given out has fewer meters or a larger share than the rule says", () => {
  const values = fc.array(fc.bigInt({ min: -1_000n, max: 1_000n }), { maxLength: 40 });
  fc.assert(
    fc.property(values, fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 100 }), (all, meters, share) => {
      if (!hidesEach({ meters_min: meters, share_percent_max: share }, all)) return;
      const total = all.reduce((sum, value) => sum + Math.abs(Number(value)), 0);
      assert.ok(all.length >= meters);
      for (const value of all) assert.ok(Math.abs(Number(value)) * 100 <= share * total);
    }),
  );
});
