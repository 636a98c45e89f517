// A rating that a browser computes again: the facts come to it, or it is wrong.

import assert from "node:assert/strict";
import { test } from "node:test";
import { factRows, type KeptRating, monthsOf, recomputeRating } from "../../tools/explorer/verification/rating.js";
import { type Facts, noFacts, rate } from "../../tools/market/credit/rating.js";
import { defaults } from "../../tools/market/credit/rules.js";

const month = 680;
const time_s = 1_789_000_000;
const facts = new Map<number, Facts>([
  [month, { ...noFacts, contracted: 10n, beyond: 1, evidence: { delivery: [[3, 7, "0"], [3, 9, "2"], 2] } }],
  [month - 1, { ...noFacts, breaches: [["auction/unopened", 3, time_s - 100, [1, 5, "1"]]] }],
]);
const asked = { facts, since: month - 3, month, time_s, rules: defaults };
const kept: KeptRating = { ...rate(asked), month, since: month - 3, rules: defaults, time_s };

test("a rating is verified from the facts of its twelve months, and wrong with others", () => {
  assert.deepEqual(
    monthsOf(kept),
    Array.from({ length: 12 }, (_, back) => month - back),
  );
  assert.deepEqual(recomputeRating(kept, facts), { state: "verified" });
  assert.equal(recomputeRating({ ...kept, score: kept.score + 1 }, facts).state, "wrong");
  assert.equal(recomputeRating(kept, new Map()).state, "wrong", "a fact is left out");
});

test("each fact leads to the block that it is sealed in", () => {
  assert.deepEqual(
    factRows(facts).map(({ what, evidence: [service, height] }) => `${what} ${service}:${height}`),
    ["delivery × 2 3:7", "delivery × 2 3:9", "auction/unopened 1:5"],
  );
});
