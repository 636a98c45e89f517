// `gridseal violation list`: what its table calls what a contract ran for.

import assert from "node:assert/strict";
import { test } from "node:test";
import { entryText } from "../../../src/wire/entry.js";
import { entryShown } from "../../../tools/cli/violation/list.js";

test("an operation is named by its leaf and says so; its number is the participant's own", () => {
  assert.equal(entryShown(entryText({ kind: "operation", leaf: 1 })), "operation at leaf 1");
});

test("other entries stand as they do elsewhere, and a violation of a meter has none", () => {
  assert.equal(entryShown(entryText({ kind: "message", service: 2, number: 17 })), "message 2/17");
  assert.equal(entryShown(entryText({ kind: "slot", start_s: 1_790_000_100, part: 0 })), "slot 1790000100/0");
  assert.equal(entryShown(null), "");
});
