// Privacy budgets as the monitor watches them: nearly spent, passed, and over with their window.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Spent } from "../../tools/monitor/budgets.js";
import { createWatch, type Sight, type Told } from "../../tools/monitor/watch.js";

const UNTIL_S = 1_000;
const names = (told: readonly Told[]) => told.map(({ type, alarm }) => `${type} ${alarm.kind}`);
const sight = (spent: number | undefined, more: Partial<Spent> = {}): Sight => ({
  type: "spent",
  spent: { service: 4, participant: "ee00000000000001", spent, budget: 10, until_s: UNTIL_S, ...more },
});
const chain = {
  service: 4,
  name: "mining",
  height: 1,
  header: "00",
  records: 0,
  violations: 0,
  time_ms: null,
  pending: 0,
};
const health = { status: "pass" as const, checks: {}, node: "n", network: "test", peers: 3, chains: [chain] };
const seen: Sight = { type: "seen", node: "n", chains: [chain], health };

test("a budget of which four fifths are spent is told of once, whichever node's block says it, and is over with its window", () => {
  const watch = createWatch();
  assert.deepEqual(names(watch.step(sight(7), 0)), []);
  assert.deepEqual(names(watch.step(sight(8), 0)), ["raised budget"]);
  assert.deepEqual(names(watch.step(sight(7), 0)), [], "another node's blocks come behind");
  assert.equal(watch.open[0]!.alarm.what, "ee00000000000001 has spent 8 of 10");
  assert.deepEqual(names(watch.step(seen, UNTIL_S * 1_000 - 1)), []);
  assert.deepEqual(names(watch.step(seen, UNTIL_S * 1_000)), ["over budget"]);
});

test("who asks for more than is left is told of as well", () => {
  const watch = createWatch();
  assert.deepEqual(names(watch.step(sight(8), 0)), ["raised budget"]);
  assert.deepEqual(names(watch.step(sight(undefined), 0)), ["over budget", "raised beyond-budget"]);
  assert.deepEqual(names(watch.step(sight(9), 0)), [], "what is passed stays so in its window");
  assert.deepEqual(names(watch.step(sight(1, { until_s: 2 * UNTIL_S }), 0)), ["over beyond-budget"]);
});

test("budgets of another chain, and of a window that is past, raise nothing here", () => {
  const watch = createWatch();
  watch.step(sight(9, { service: 7 }), 0);
  assert.deepEqual(
    watch.open.map(({ alarm }) => alarm.service),
    [7],
  );
  assert.deepEqual(names(watch.step(sight(9), UNTIL_S * 1_000)), []);
});
