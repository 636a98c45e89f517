import assert from "node:assert/strict";
import { test } from "node:test";
import { createRuns } from "../../../tools/node/network/runs.js";

test("a node that is started again and again is one process at a time, one whose earlier run comes again is two", () => {
  const runs = createRuns();
  const seen = ["a", "a", "b", "b", "c"].map((run) => runs.isDouble("node", run));
  assert.deepEqual(seen, [false, false, false, false, false]);
  assert.equal(runs.isDouble("other", "a"), false, "another node's runs are its own");
  assert.equal(runs.isDouble("node", "b"), true);
  assert.equal(runs.isDouble("node", "b"), false, "the same again is no news");
  assert.equal(runs.isDouble("node", "c"), true);
});
