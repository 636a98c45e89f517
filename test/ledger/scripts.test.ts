// Blocks that name rules which this version does not have, as a later one may seal them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { equalBytes } from "../../src/wire/bytes.js";
import { newestRules, rulesOf, UnknownScript } from "../../tools/ledger/scripts.js";

const bytes = (text: string) => new TextEncoder().encode(text);

test("a script names its rules by every byte of it", () => {
  assert.equal(rulesOf(bytes("gs1/rules/1")), newestRules);
  assert.ok(equalBytes(newestRules.script, bytes("gs1/rules/1")));
  for (const other of ["gs1/rules/2", "gs1/rules/1 ", "gs1/rules/", "", "x".repeat(100_000)]) {
    assert.equal(rulesOf(bytes(other)), undefined, other.slice(0, 20));
  }
});

test("an unknown script is said by its name, however long it is", () => {
  assert.match(new UnknownScript(bytes("gs1/rules/2")).message, /"gs1\/rules\/2" is unknown to this version/);
  assert.ok(new UnknownScript(bytes("x".repeat(100_000))).message.length < 200);
});
