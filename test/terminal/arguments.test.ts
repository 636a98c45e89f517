import assert from "node:assert/strict";
import { test } from "node:test";
import { compactTarget, id, serviceNumbers, whole } from "../../tools/terminal/arguments.js";
import { countText, pairs, table, toJson } from "../../tools/terminal/output.js";

test("reads whole numbers, services, ids and targets, and nothing that only looks like them", () => {
  assert.equal(whole(1, 5)("5"), 5);
  assert.deepEqual(serviceNumbers("1,65535"), [1, 65_535]);
  assert.deepEqual(id("00ff00ff00ff00ff"), Uint8Array.of(0, 255, 0, 255, 0, 255, 0, 255));
  assert.equal(compactTarget("1f00ffff"), 0x1f00ffff);
  assert.equal(compactTarget("00000000"), 0);
  for (const text of ["", "0", "6", "1e0", "0x1", " 1", "1.0", "-1"]) assert.throws(() => whole(1, 5)(text), /whole/);
  for (const text of ["1,", "0", "65536", "a"]) assert.throws(() => serviceNumbers(text), /whole/);
  for (const text of ["00FF00FF00FF00FF", "00", ""]) assert.throws(() => id(text), /hex/);
  for (const text of ["1f", "1f000000", "ff00ffff", "1f80ffff"]) assert.throws(() => compactTarget(text), /compact/);
});

test("prints every digit of an integer, bytes as hex, and leaves out what is not there", () => {
  const value = {
    big: 2n ** 63n - 1n,
    bytes: Uint8Array.of(1, 255),
    none: undefined,
    list: [1, null, "a\n"],
    ok: true,
  };
  assert.equal(toJson(value), '{"big":9223372036854775807,"bytes":"01ff","list":[1,null,"a\\n"],"ok":true}');
});

test("says how many as people do", () => {
  assert.deepEqual(
    [0, 1, 2].map((count) => countText(count, "temporary block")),
    ["0 temporary blocks", "1 temporary block", "2 temporary blocks"],
  );
});

test("aligns tables, numbers to the right", () => {
  assert.deepEqual(
    table(
      ["N", "NAME"],
      [
        [1, "a"],
        [100, "long"],
      ],
    ),
    ["  N  NAME", "  1  a", "100  long"],
  );
  assert.deepEqual(
    pairs([
      ["a", 1],
      ["long", "b"],
    ]),
    ["a     1", "long  b"],
  );
});
