import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { openKeyValue } from "../../tools/meters/key-value.js";

const folder = mkdtempSync(join(tmpdir(), "gridseal-keys-"));
after(() => rmSync(folder, { recursive: true }));

test("keeps values by key, across openings", () => {
  const first = openKeyValue(join(folder, "kept"));
  assert.equal(first.get("seed"), undefined);
  first.set("seed", Uint8Array.of(1, 2, 3));
  first.set("mark.1", new Uint8Array(0));
  first.set("seed", Uint8Array.of(4));
  first.delete("absent");
  const second = openKeyValue(join(folder, "kept"));
  assert.deepEqual(second.get("seed"), Uint8Array.of(4));
  assert.deepEqual(second.get("mark.1"), new Uint8Array(0));
  second.delete("seed");
  assert.equal(second.get("seed"), undefined);
});

test("shows the old value where a cut left a new one unfinished", () => {
  const store = openKeyValue(join(folder, "cut"));
  store.set("seed", Uint8Array.of(1));
  writeFileSync(join(folder, "cut/~new"), "half a val");
  const again = openKeyValue(join(folder, "cut"));
  assert.deepEqual(again.get("seed"), Uint8Array.of(1));
  again.set("seed", Uint8Array.of(2));
  assert.deepEqual(again.get("seed"), Uint8Array.of(2));
});

test("refuses keys that NVS has no room for or that would leave the folder, and values longer than a page", () => {
  const store = openKeyValue(join(folder, "refused"));
  for (const key of ["", "sixteen-letters-", "../seed", ".", "..", "a/b", "~new", "\0"])
    assert.throws(() => store.set(key, new Uint8Array(1)), RangeError, key);
  assert.throws(() => store.get("../kept/mark.1"), RangeError);
  assert.throws(() => store.set("long", new Uint8Array(4_001)), /4001 bytes/);
});
