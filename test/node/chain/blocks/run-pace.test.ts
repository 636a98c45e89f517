// How many calls of contracts a node's next proposal has: what its machine can do, and less where rounds pass.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { CalledKind } from "../../../../src/wire/entry.js";
import { BLOCK_CALLS_MAX, KIND_CALLS_MAX, type PlannedCall } from "../../../../tools/ledger/run-plan.js";
import { callsOfKind, createRunPace } from "../../../../tools/node/chain/blocks/run-pace.js";

test("a machine that runs contracts quickly proposes all that a block has room for", () => {
  const pace = createRunPace();
  assert.equal(pace.callsIn(0), BLOCK_CALLS_MAX, "nothing has run yet");
  pace.note(BLOCK_CALLS_MAX, 700);
  pace.note(1, 240);
  pace.note(0, 60_000);
  assert.equal(pace.callsIn(0), BLOCK_CALLS_MAX);
});

test("the slower its runs are the fewer a proposal has, and never none", () => {
  const pace = createRunPace();
  pace.note(BLOCK_CALLS_MAX, 16_250);
  assert.equal(pace.callsIn(0), 20, "200 ms each: four seconds");
  assert.equal(pace.most_ms, 4_000);
  pace.note(4, 40_250);
  assert.equal(pace.callsIn(0), 1, "10 s each");
  assert.equal(pace.most_ms, 40_000);
});

test("what was slow is forgotten as runs are quick again", () => {
  const pace = createRunPace();
  pace.note(BLOCK_CALLS_MAX, 16_250);
  let blocks = 0;
  for (; pace.callsIn(0) < BLOCK_CALLS_MAX && blocks < 100; blocks += 1) pace.note(10, 280);
  assert.ok(blocks > 5 && blocks < 20, `${blocks} blocks`);
});

test("rounds that pass without a block halve it, for others may be slower; and the next blocks begin there", () => {
  const pace = createRunPace();
  const calls = () => [0, 1, 2, 5, 1_000].map((round) => pace.callsIn(round));
  assert.deepEqual(calls(), [80, 40, 20, 2, 1]);
  pace.onSealed(3);
  assert.deepEqual(calls(), [10, 10, 10, 2, 1]);
  pace.onSealed(0);
  assert.deepEqual(calls(), [20, 20, 20, 2, 1]);
  for (let block = 0; block < 2; block += 1) pace.onSealed(0);
  assert.deepEqual(calls(), [80, 40, 20, 2, 1]);
});

test("kinds of entries have equal shares of the calls, of which none is left where another has few", () => {
  const of = (entry: CalledKind, count: number) => Array.from({ length: count }, () => ({ entry }) as PlannedCall);
  const plan = { calls: [...of("operation", 32), ...of("message", 3), ...of("slot", 16)] };
  assert.equal(callsOfKind(plan, BLOCK_CALLS_MAX), KIND_CALLS_MAX);
  assert.equal(callsOfKind(plan, 51), KIND_CALLS_MAX);
  assert.equal(callsOfKind(plan, 23), 10, "10 operations, 3 messages, 10 slots");
  assert.equal(callsOfKind(plan, 1), 1, "the first of each kind runs in any case");
  assert.equal(callsOfKind({ calls: of("operation", 32) }, 20), 20);
});
