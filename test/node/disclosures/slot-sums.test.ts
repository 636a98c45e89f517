// Sums over a group, slot by slot: means of meters added up, and withheld where they would tell of one.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type GroupReading, SlotSums, thousandths } from "../../../tools/node/disclosures/groups/slot-sums.js";

const range = { from_s: 1_800, until_s: 3_600, slot_s: 900 };
const rule = { meters_min: 2, share_percent_max: 100 };
const sumsOf = (meters: readonly (readonly GroupReading[])[], of = rule) => {
  const sums = new SlotSums(range, of);
  for (const readings of meters) sums.add(readings);
  return sums.sums();
};

test("of each meter the mean of its readings in the slot counts, and what lies outside does not", () => {
  const one = [
    { time_s: 1_799, value: 9n },
    { time_s: 1_800, value: 10n },
    { time_s: 2_699, value: 21n },
    { time_s: 2_700, value: 5n },
  ];
  const other = [
    { time_s: 2_000, value: -4n },
    { time_s: 3_600, value: 7n },
  ];
  assert.deepEqual(sumsOf([one, other]), [
    { count: 2, sum: 11n },
    { count: 1, sum: null },
  ]);
  assert.deepEqual(sumsOf([]), [
    { count: 0, sum: null },
    { count: 0, sum: null },
  ]);
});

test("a meter with more than its share of a slot is not told of", () => {
  const at = (value: bigint) => [{ time_s: 1_800, value }];
  const strict = { meters_min: 2, share_percent_max: 60 };
  assert.equal(sumsOf([at(40n), at(60n)], strict)[0]!.sum, 100n);
  assert.equal(sumsOf([at(40n), at(61n)], strict)[0]!.sum, null);
  assert.equal(sumsOf([at(40n), at(-61n)], strict)[0]!.sum, null);
});

test("a sum beyond 63 bits is withheld", () => {
  const most = 2n ** 63n - 1n;
  assert.equal(sumsOf([[{ time_s: 1_800, value: most }], [{ time_s: 1_800, value: 1n }]])[0]!.sum, null);
});

test("sums are the same whatever the order in which meters and readings come", () => {
  const reading = fc.record({
    time_s: fc.integer({ min: 1_700, max: 3_700 }),
    value: fc.bigInt({ min: -99n, max: 99n }),
  });
  fc.assert(
    fc.property(fc.array(fc.array(reading, { maxLength: 6 }), { maxLength: 6 }), (meters) => {
      const turned = [...meters].reverse().map((readings) => [...readings].reverse());
      assert.deepEqual(sumsOf(turned), sumsOf(meters));
    }),
  );
});

test("values are in thousandths of their unit, whatever their scaler", () => {
  const of = (value: number | bigint, scaler: number) => thousandths({ value, scaler });
  assert.deepEqual([of(4_321, 0), of(4_321, -1), of(-15, -4), of(7, 2)], [4_321_000n, 432_100n, -1n, 700_000n]);
  assert.deepEqual([of(5, -128), of(5, 127), of(2n ** 62n, 0)], [0n, undefined, undefined]);
  assert.deepEqual([of(5, 15), of(5, 16)], [5n * 10n ** 18n, undefined]);
});

test("nothing is nothing, whatever its scaler", () => {
  for (const scaler of [-128, 0, 15, 16, 127]) {
    assert.deepEqual([thousandths({ value: 0, scaler }), thousandths({ value: 0n, scaler })], [0n, 0n], `${scaler}`);
  }
});
