// How `operation submit --wait` ends by what has become of what was asked.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Done, failureOf, lineOf, notSealedYet } from "../../../tools/cli/operation/done.js";

const at = { service: 3, seq: 4, hash: "00", height: 5 } as const;

test("an operation that is sealed without effect ends the command with DENIED", () => {
  for (const result of ["denied", "failed", "expired"] as const) {
    const failure = failureOf([at, { ...at, result, outcome: `${result} by access` }]);
    assert.equal(failure?.code, "DENIED", result);
    assert.match(failure.message, /operation 4 of service 3 is sealed in block 5: (denied|failed|expired) by access/);
  }
});

test("what is done, told, taken by no contract or only submitted ends it well", () => {
  const results = ["done", "told", "unhandled", undefined] as const;
  for (const result of results) assert.equal(failureOf([{ ...at, result } as Done]), undefined, result);
  assert.equal(failureOf([]), undefined);
});

test("one that no node takes comes before one that is denied", () => {
  const refused = { service: 1, seq: 2, hash: "00", refused: "too old" };
  assert.equal(failureOf([{ ...at, result: "denied" }, refused])?.code, "RECORD_REFUSED");
  assert.equal(lineOf(refused), "operation 2 of service 1 is refused: too old");
});

test("what is not sealed in time is not called unreachable: the remedy is to run it again", () => {
  const failure = notSealedYet(at);
  assert.equal(failure.code, "NOT_SEALED");
  assert.match(failure.remedy, /Run the same command again/);
});
