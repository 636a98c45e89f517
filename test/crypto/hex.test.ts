import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { hexAt as onTheMeter } from "../../src/wire/hex.js";
import { hexAt } from "../../tools/crypto/hex.js";

test("ids are the same on a meter and on a node, whichever memory they stand in", () => {
  const views = fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.nat(), fc.nat(), fc.nat());
  fc.assert(
    fc.property(fc.array(views, { minLength: 1 }), (all) => {
      for (const [bytes, skip, first, last] of all) {
        const view = bytes.subarray(skip % bytes.length);
        const [from, to] = [first % (view.length + 1), last % (view.length + 1)].sort((a, b) => a - b) as [
          number,
          number,
        ];
        assert.equal(hexAt(view, from, to), onTheMeter(view, from, to));
        assert.equal(hexAt(view, from, to), Buffer.from(view.slice(from, to)).toString("hex"));
      }
    }),
  );
});
