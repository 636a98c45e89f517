import assert from "node:assert/strict";
import { test } from "node:test";
import { type Counts, counted, countsOf, readInstructionLimits, rowsOf } from "../../tools/firmware/instructions.js";

const limits: Counts = {
  boot: 200,
  key: 30,
  signature: 30,
  verification: 140,
  telegram: 36,
  record: 39,
  receipt: 75,
  tenSeconds: 930,
};
const parts = { boot: 205, key: 29, signature: 29, verification: 133 };
const quiet = { telegram: 10, answers: 1, records: 0 };

test("takes a record for what its telegram costs beyond one without, and a receipt for its share of all that is no telegram's", () => {
  const due = { telegram: 110, answers: 61, records: 2 };
  const counts = countsOf({ ...parts, seconds: [quiet, due, quiet, quiet, quiet] });
  assert.deepEqual(counts, {
    ...parts,
    telegram: 10,
    record: 50,
    receipt: (61 + 4) / 2,
    tenSeconds: (4 * 11 + 171) * 2,
  });
});

test("says nothing of a minute in which every telegram brings records, or none", () => {
  assert.throws(() => countsOf({ ...parts, seconds: [quiet] }), /with records and without/);
  assert.throws(() => countsOf({ ...parts, seconds: [{ ...quiet, records: 1 }] }), /with records and without/);
});

test("reads the limits of what is counted from the manifest, and names the one that is missing", () => {
  assert.deepEqual(readInstructionLimits({ limits: { instructions: { noble: limits } } }), { noble: limits });
  for (const name of counted) {
    const { [name]: _, ...rest } = limits;
    assert.throws(
      () => readInstructionLimits({ limits: { instructions: { noble: rest } } }),
      new RegExp(`states no limits\\.instructions\\.noble\\.${name}$`),
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
