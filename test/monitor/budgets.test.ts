// Privacy budgets as the monitor watches them: nearly spent, passed, and over with their window.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Effect, EntryOutcome } from "../../src/wire/outcome.js";
import { encodeValue, type Value } from "../../src/wire/value.js";
import { encodeResults } from "../../tools/ledger/violations.js";
import { budgetsIn, type Spent } from "../../tools/monitor/budgets.js";
import { createWatch, type Sight, type Told } from "../../tools/monitor/watch.js";

const UNTIL_S = 1_000;
const names = (told: readonly Told[]) => told.map(({ type, alarm }) => `${type} ${alarm.kind}`);
const sight = (spent: number | undefined, more: Partial<Spent> = {}): Sight => ({
  type: "spent",
  spent: { service: 4, height: 1, participant: "ee00000000000001", spent, budget: 10, until_s: UNTIL_S, ...more },
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
  assert.deepEqual(names(watch.step(sight(1, { height: 2, until_s: 2 * UNTIL_S }), 0)), ["over beyond-budget"]);
});

test("a window that an order has made shorter is the one that counts, and older blocks say nothing of it", () => {
  const watch = createWatch();
  watch.step(sight(2, { until_s: 30 * UNTIL_S }), 0);
  assert.deepEqual(names(watch.step(sight(9, { height: 2 }), 0)), ["raised budget"]);
  assert.deepEqual(names(watch.step(sight(2, { until_s: 30 * UNTIL_S }), 0)), [], "another node's blocks come behind");
  assert.equal(watch.open[0]!.alarm.what, "ee00000000000001 has spent 9 of 10");
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

test("a block's effects and violations of the contract mining are read, and what has another shape is passed over", () => {
  const effect = (name: string, body: Value): Effect => ({ name, body: encodeValue(body) });
  const done = (contract: string, ...effects: readonly Effect[]): EntryOutcome => ({
    ...{ type: "done", entry: { kind: "operation", leaf: 1 }, contract, used: 9, effects },
  });
  const said = { participant: "ee00000000000001", spent: 3, budget: 10, until_s: 99 };
  const against = {
    kind: "contract",
    contract: "mining",
    name: "budget",
    entry: { kind: "operation", leaf: 1 },
  } as const;
  const results = encodeResults({
    outcomes: [
      done("other", effect("budget", said)),
      done(
        "mining",
        effect("budget", null),
        effect("budget", [1]),
        effect("budget", { spent: 1 }),
        effect("asked", said),
      ),
      done("mining", effect("budget", said)),
    ],
    violations: [
      { ...against, subject: new Uint8Array(8).fill(7), body: encodeValue({ budget: 10, until_s: 99 }) },
      { ...against, subject: new Uint8Array(8).fill(8), body: encodeValue(null) },
    ],
    slots: [],
  });
  assert.deepEqual(budgetsIn({ chain: 4, height: 1, results }), [
    { service: 4, height: 1, ...said },
    { service: 4, height: 1, participant: "07".repeat(8), spent: undefined, budget: 10, until_s: 99 },
  ]);
});
