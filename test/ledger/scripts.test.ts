// Blocks that name rules which this version does not have, as a later one may seal them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeCbor } from "../../src/wire/cbor.js";
import { newestRules, rulesOf, UnknownScript } from "../../tools/ledger/scripts.js";

const none = new Uint8Array(0);
const scriptOf = (name: string) => encodeCbor([name, none, none, []]);

test("a script names its rules by every character of the name", () => {
  assert.equal(rulesOf(scriptOf("gs1/rules/2")), newestRules);
  for (const other of ["gs1/rules/1", "gs1/rules/2 ", "gs1/rules/", "", "x".repeat(100_000)]) {
    assert.equal(rulesOf(scriptOf(other)), undefined, other.slice(0, 20));
  }
  assert.equal(rulesOf(new TextEncoder().encode("gs1/rules/2")), undefined);
});

test("an unknown script is said by its name, however long it is, and where it has none by its bytes", () => {
  assert.match(new UnknownScript(scriptOf("gs1/rules/3")).message, /"gs1\/rules\/3" is unknown to this version/);
  assert.match(new UnknownScript(new TextEncoder().encode("gs1/rules/1")).message, /"gs1\/rules\/1" is unknown/);
  assert.ok(new UnknownScript(scriptOf("x".repeat(8_000))).message.length < 200);
  assert.ok(new UnknownScript(new Uint8Array(100_000)).message.length < 700);
});
