import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DoubtList, listDoubts } from "../../src/meter/doubt-list.js";

const kindOf = (doubt: string): string => doubt.split(" ")[0]!;

function listOf(...doubts: readonly (readonly [kind: string, e?: number | undefined])[]): readonly string[] {
  const list = new DoubtList();
  for (const [kind, e] of doubts) list.add(kind, e === undefined ? undefined : Uint8Array.of(1, 0, 1, 8, e, 255));
  return list.list();
}

test("lists the doubts of the whole frame first, each once", () => {
  assert.deepEqual(listOf(["no-unit", 1], ["no-clock"], ["no-unit", 1], ["fell", 1], ["no-clock"], ["unchecked"]), [
    "no-clock",
    "unchecked",
    "no-unit 1-0:1.8.1*255",
    "fell 1-0:1.8.1*255",
  ]);
});

test("says that there are more doubts than it lists, and leaves out no kind", () => {
  const many = Array.from({ length: 40 }, (_, index) => ["no-unit", index] as const);
  const list = listOf(...many, ["no-clock"], ["never-read", 7]);
  assert.equal(list.length, 16);
  assert.deepEqual(list.slice(0, 3), ["no-clock", "doubts-left-out", "no-unit 1-0:1.8.0*255"]);
  assert.equal(list.at(-1), "never-read 1-0:1.8.7*255");
  const full = listOf(...many.slice(0, 16));
  assert.equal(full.length, 16);
  assert.ok(!full.includes("doubts-left-out"));
  assert.ok(listOf(...many.slice(0, 17)).includes("doubts-left-out"));
});

test("keeps every kind of any doubts, in a bounded list, and listing it again changes nothing", () => {
  const doubt = fc.tuple(fc.constantFrom("a", "b", "c", "d", "e"), fc.option(fc.nat(200), { nil: undefined }));
  fc.assert(
    fc.property(fc.array(doubt, { maxLength: 80 }), (doubts) => {
      const list = listOf(...doubts);
      assert.ok(list.length <= 16);
      const kinds = new Set(list.map(kindOf));
      for (const [kind] of doubts) assert.ok(kinds.has(kind), kind);
      const codes = new Set(doubts.map(([kind, e]) => `${kind} ${e}`));
      assert.equal(kinds.has("doubts-left-out"), codes.size > 16);
      assert.deepEqual(listDoubts(list), list);
    }),
  );
});
