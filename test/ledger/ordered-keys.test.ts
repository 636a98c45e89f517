// Keys in order against their definition: sorted as UTF-8, whatever was added and removed before.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compareKeys, OrderedKeys } from "../../tools/ledger/ordered-keys.js";

const byUtf8 = (one: string, other: string) => Buffer.compare(Buffer.from(one), Buffer.from(other));
const letter = fc.constantFrom("a", "b", "/", "z", "ß", "\uffee", "\ud7ff", "\u{1f600}", "\u{10ffff}");
const key = fc.array(letter, { maxLength: 4 }).map((letters) => letters.join(""));

test("compares as UTF-8 does, surrogates and all", () => {
  fc.assert(
    fc.property(key, key, (one, other) => {
      assert.equal(Math.sign(compareKeys(one, other)), byUtf8(one, other));
    }),
  );
});

test("lists what begins with a prefix in order, whatever was added and removed", () => {
  const change = fc.record({ key, isAdded: fc.boolean() });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 200 }), fc.array(key, { maxLength: 5 }), (changes, prefixes) => {
      const keys = new OrderedKeys();
      const wanted = new Set<string>();
      for (const { key, isAdded } of changes) {
        if (isAdded) wanted.add(key);
        else wanted.delete(key);
        if (isAdded) keys.add(key);
        else keys.delete(key);
      }
      for (const prefix of ["", ...prefixes]) {
        const expected = [...wanted].filter((found) => found.startsWith(prefix)).sort(byUtf8);
        assert.deepEqual([...keys.under(prefix)], expected);
      }
    }),
  );
});

test("keeps order over many chunks, and after all are gone", () => {
  const keys = new OrderedKeys();
  const names = Array.from({ length: 5_000 }, (_, index) => `k/${(index * 7_919) % 5_003}`);
  for (const name of names) keys.add(name);
  for (const name of names) keys.add(name);
  assert.deepEqual([...keys.under("k/")], [...names].sort(byUtf8));
  assert.deepEqual([...keys.under("k/49")], names.filter((name) => name.startsWith("k/49")).sort(byUtf8));
  for (const name of names) keys.delete(name);
  assert.deepEqual([...keys.under("")], []);
  keys.add("x");
  assert.deepEqual([...keys.under("")], ["x"]);
});
