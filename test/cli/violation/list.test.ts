// `gridseal violation list`: what its table calls what a contract ran for.

import assert from "node:assert/strict";
import { test } from "node:test";
import { entryText } from "../../../src/wire/entry.js";
import { entryShown } from "../../../tools/cli/entry-shown.js";

test("an operation is named by its leaf and says so; its number is the participant's own", () => {
  assert.equal(entryShown(entryText({ kind: "operation", leaf: 1 })), "operation at leaf 1");
});

test("other entries stand as they do elsewhere, and a violation of a meter has none", () => {
  assert.equal(entryShown(entryText({ kind: "message", service: 2, number: 17 })), "message 2/17");
  assert.equal(entryShown(entryText({ kind: "slot", start_s: 1_790_000_100, part: 0 })), "slot 2026-09-21T14:15:00Z/0");
  const due = { kind: "due", time_s: 1_790_000_100, contract: "market", key: "round/7" } as const;
  assert.equal(entryShown(entryText(due)), "due 2026-09-21T14:15:00Z market round/7");
  assert.equal(entryShown(null), "");
});
