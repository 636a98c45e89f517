// Shares and bills that a browser computes again: a good one is verified, and each figure that is altered is found.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Bill,
  type BillLine,
  recomputeLine,
  recomputeShares,
  recomputeTotal,
  type ShareRow,
  type SlotShares,
} from "../../tools/explorer/verification/recompute.js";

/** One house takes 3 kWh, another 1 kWh, a roof gives 2 kWh: half of each is covered. */
const rows: readonly ShareRow[] = [
  ["house", 3_000_000, 1_500_000, 1_500_000, 0, 0, 1],
  ["flat", 1_000_000, 500_000, 500_000, 0, 0, 1],
  ["roof", 0, 0, 0, 2_000_000n, 0, 1],
];
const slot = (start: number, revision = 0, own = rows): SlotShares => ({
  ...{ community: "sun", start, length: 900, model: "proportional", rounding: "conserving", revision, rows: own },
});
const slots = [slot(0), slot(900)];
const line: BillLine = ["covered", 3_000_000, 12_345, 37_035, 2, 0, 0, 0, 900, 5, 9];
const bill: Bill = {
  ...{
    community: "sun",
    kind: "final",
    number: 0,
    period: [0, 1_800],
    point: "house",
    owner: "aa",
    consumed: 6_000_000,
  },
  ...{ produced: 0, lines: [line, ["fee", null, 500, 500, 2, 0, 0, 0, 900, 5, 9]], amount: 37_535 },
};

test("shares of a proportional community are computed whole", () => {
  assert.deepEqual(recomputeShares(slots[0]!), { state: "verified" });
  for (const [index, place] of [
    [0, 2],
    [0, 3],
    [2, 5],
  ] as const) {
    const altered = rows.map((row, at) => (at === index ? row.map((value, of) => (of === place ? 7 : value)) : row));
    const found = recomputeShares(slot(0, 0, altered as unknown as readonly ShareRow[]));
    assert.equal(found.state, "wrong", `column ${place} of row ${index} is found`);
  }
});

test("shares by keys, which stand elsewhere, are sealed and not computed, but for what follows from them", () => {
  const fixed = { ...slots[0]!, model: "static" } as const;
  assert.equal(recomputeShares(fixed).state, "sealed");
  const altered = [["house", 3_000_000, 1_500_000, 1_400_000, 0, 0, 1] as const, ...rows.slice(1)];
  assert.equal(recomputeShares({ ...fixed, rows: altered }).state, "wrong");
});

test("a bill's lines are added up from the slots, the corrected ones in the place of those before", () => {
  assert.deepEqual(recomputeLine(line, bill, slots), { state: "verified" });
  assert.deepEqual(recomputeLine(bill.lines[1]!, bill, []), { state: "verified" }, "a fee has no energy");
  assert.deepEqual(recomputeTotal(bill), { state: "verified" });
  const corrected = slot(900, 1, [["house", 3_000_000, 1_000_000, 1_000_000, 0, 0, 1], ...rows.slice(1)]);
  const found = recomputeLine(line, bill, [...slots, corrected]);
  assert.equal(found.state, "wrong");
  assert.match(found.reason!, /come to 2500000 mWh, not 3000000/);
});

test("an altered price, amount or total is wrong, and what does not stand under the point is sealed alone", () => {
  const dearer: BillLine = ["covered", 3_000_000, 12_346, 37_035, 2, 0, 0, 0, 900, 5, 9];
  assert.match(recomputeLine(dearer, bill, slots).reason!, /come to 37038, not 37035/);
  assert.equal(recomputeTotal({ ...bill, amount: 37_536 }).state, "wrong");
  assert.equal(recomputeLine(line, bill, slots.slice(1)).state, "sealed", "a slot is not there");
});

test("how many of a line's slots are estimated or missing is counted again", () => {
  const estimated = slot(900, 0, [["house", 3_000_000, 1_500_000, 1_500_000, 0, 0, 2], ...rows.slice(1)]);
  const found = recomputeLine(line, bill, [slots[0]!, estimated]);
  assert.deepEqual([found.state, found.reason], ["wrong", "of the sealed slots 1 are estimated and 0 missing"]);
  const said: BillLine = ["covered", 3_000_000, 12_345, 37_035, 2, 1, 0, 0, 900, 5, 9];
  assert.deepEqual(recomputeLine(said, bill, [slots[0]!, estimated]), { state: "verified" });
});
