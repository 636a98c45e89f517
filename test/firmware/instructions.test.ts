import assert from "node:assert/strict";
import { test } from "node:test";
import { type Counts, counted, countsOf, readInstructionLimits, rowsOf } from "../../tools/firmware/instructions.js";

const limits: Counts = {
  boot: 200,
  key: 30,
  signature: 30,
  verification: 140,
  telegram: 36,
  reading: 30,
  record: 39,
  receipt: 75,
  tenSeconds: 930,
};
const parts = { boot: 205, key: 29, signature: 29, verification: 133 };
const quiet = { telegram: 10, answers: 1, records: 0 };

test("tells a record from the reading that gives it by two minutes, and shares what is no telegram's among the receipts", () => {
  const several = { ...parts, seconds: [quiet, { telegram: 110, answers: 61, records: 5 }, quiet, quiet, quiet] };
  const single = { ...parts, seconds: [quiet, { telegram: 50, answers: 20, records: 1 }] };
  assert.deepEqual(countsOf(several, single), {
    ...parts,
    telegram: 10,
    record: 15,
    reading: 25,
    receipt: (61 + 4) / 5,
    tenSeconds: (4 * 11 + 171) * 2,
  });
});

test("says nothing of a minute in which every telegram brings records, or none, or which are no more than those of one service", () => {
  const due = { ...quiet, records: 1 };
  const good = { ...parts, seconds: [quiet, due] };
  assert.throws(() => countsOf({ ...parts, seconds: [quiet] }, good), /with records and without/);
  assert.throws(() => countsOf(good, { ...parts, seconds: [due] }), /with records and without/);
  assert.throws(() => countsOf(good, good), /no more records/);
});

test("reads the limits of what is counted from the manifest, and names the one that is missing", () => {
  const both = { noble: limits, libsodium: { ...limits, record: 14 } };
  assert.deepEqual(readInstructionLimits({ limits: { instructions: both } }), both);
  for (const name of counted) {
    const { [name]: _, ...rest } = limits;
    assert.throws(
      () => readInstructionLimits({ limits: { instructions: { ...both, libsodium: rest } } }),
      new RegExp(`states no limits\\.instructions\\.libsodium\\.${name}$`),
      name,
    );
  }
  assert.throws(() => readInstructionLimits({}), /limits\.instructions\.noble\.boot/);
});

test("holds each count against its limit", () => {
  const rows = rowsOf({ ...limits, boot: 201, receipt: 76 }, limits);
  assert.equal(rows.length, counted.length);
  const over = rows.filter(({ found, limit }) => found > limit).map(({ what }) => what);
  assert.deepEqual(over, ["boot with five services", "a receipt"]);
});
