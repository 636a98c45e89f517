import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { TIME_S_MAX } from "../../src/wire/bounds.js";
import { decodeCbor, encodeCbor } from "../../src/wire/cbor.js";
import { type Entry, entryFromArray, entryText, entryToArray, isSameEntry } from "../../src/wire/entry.js";
import { WireError } from "../../src/wire/error.js";

const names = fc.stringMatching(/^[a-z][a-z0-9-]{0,31}$/);
const times = fc.nat(TIME_S_MAX);
const services = fc.integer({ min: 1, max: 65_535 });
const entries: fc.Arbitrary<Entry> = fc.oneof(
  fc.nat(4_000).map((leaf): Entry => ({ kind: "operation", leaf })),
  fc.tuple(services, fc.nat(2 ** 48 - 1)).map(([service, number]): Entry => ({ kind: "message", service, number })),
  fc.tuple(times, fc.nat(65_535)).map(([start_s, part]): Entry => ({ kind: "slot", start_s, part })),
  fc
    .tuple(times, names, fc.string({ minLength: 1, maxLength: 64 }))
    .map(([time_s, contract, key]): Entry => ({ kind: "due", time_s, contract, key })),
);
const limits = { size: 1_024, items: 16 };

test("an entry's name is read as it was written, and no two entries have one name", () => {
  fc.assert(
    fc.property(entries, entries, (one, other) => {
      const bytes = encodeCbor(entryToArray(one));
      assert.deepEqual(entryFromArray(decodeCbor(bytes, limits)), one);
      const areOne = Buffer.compare(bytes, encodeCbor(entryToArray(other))) === 0;
      assert.equal(isSameEntry(one, other), areOne);
      assert.equal(entryText(one) === entryText(other), areOne);
    }),
  );
});

test("what is no entry is refused with what is wrong with it", () => {
  for (const value of [[], [0], [0, 4_001], [1, 0, 3], [1, 2], [2, 900], [3, 5, "UP", "k"], [4, 1], "operation 1", 7]) {
    assert.throws(() => entryFromArray(value as never), WireError);
  }
});
