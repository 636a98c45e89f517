import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BoundedMap } from "../tools/bounded-map.js";

test("holds what was set last, in that order, and never more than its limit", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.array(fc.tuple(fc.nat(12), fc.nat())), (most, entries) => {
      const map = new BoundedMap<number, number>(most);
      for (const [key, value] of entries) {
        map.set(key, value);
        assert.ok(map.size <= most);
      }
      const newest = new Map<number, number>();
      for (const [key, value] of entries.toReversed()) if (!newest.has(key)) newest.set(key, value);
      assert.deepEqual([...map], [...newest].slice(0, most).reverse());
    }),
  );
});

test("lets go of what was not set for longest, not of what came first", () => {
  const map = new BoundedMap<string, number>(2).set("a", 1).set("b", 2).set("a", 3).set("c", 4);
  assert.deepEqual([...map.keys()], ["a", "c"]);
});
