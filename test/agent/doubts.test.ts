import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { doubtBits, errorBitsOf } from "../../src/agent/doubts.js";

const sources = new URL("../../src/meter/", import.meta.url);
const protocol = readFileSync(fileURLToPath(new URL("../../PROTOCOL.md", import.meta.url)), "utf8");

test("sets one bit a kind of doubt, whatever it is about, and one for kinds without a number", () => {
  assert.equal(errorBitsOf([]), undefined);
  assert.equal(errorBitsOf(["unchecked"]), 1);
  assert.equal(errorBitsOf(["fell 1-0:1.8.1*255", "fell 1-0:1.8.2*255", "no-clock"]), (1 << 8) | 2);
  assert.equal(errorBitsOf(["resumed"]), 1 << 24);
  assert.equal(errorBitsOf(["heard-of-nowhere", "toString"]), 1 << 30);
});

test("gives every kind of doubt that a reader has a number of its own", () => {
  const kinds = new Set<string>();
  for (const file of readdirSync(sources, { recursive: true, encoding: "utf8" }).filter((name) =>
    name.endsWith(".ts"),
  )) {
    const text = readFileSync(new URL(file, sources), "utf8");
    for (const [, kind] of text.matchAll(/(?:flag\((?:gathering, )?|flags\.push\()["`]([a-z][a-z-]+)/g))
      kinds.add(kind!);
  }
  for (const kind of ["unauthenticated", "replayed", "resumed"]) kinds.add(kind);
  assert.ok(kinds.size > 15, `${kinds.size} kinds`);
  for (const kind of kinds) assert.ok(Object.hasOwn(doubtBits, kind), kind);
  const numbers = Object.values(doubtBits);
  assert.equal(new Set(numbers).size, numbers.length);
  assert.ok(Math.max(...numbers) < 30);
});

test("says in the protocol's document what each bit means", () => {
  for (const [kind, bit] of Object.entries(doubtBits)) {
    assert.match(protocol, new RegExp(`\\| ${bit} \\| \`${kind}\` \\|`), kind);
  }
});
