import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  describeLevel,
  type FetchedChain,
  GOAL_WAIT_MS,
  isLevel,
  lookAt,
  noLevel,
} from "../../../tools/node/store/level.js";

const chain = (height: number, claimed: readonly number[], members = 4): FetchedChain => ({
  name: "trading",
  height,
  members,
  others: members - 1,
  claimed,
});

test("the goal is what the peers had when all had said where they are, however far they go on", () => {
  const level = lookAt(noLevel, [chain(0, [9, 10, 10])], 0);
  assert.ok(!isLevel(level, [chain(9, [50, 50, 50])]));
  const later = lookAt(level, [chain(9, [50, 50, 50])], 9_000);
  assert.ok(isLevel(later, [chain(10, [60, 60, 60])]));
});

test("members that are slow to say it are waited for a while, and one alone decides nothing", () => {
  const one = lookAt(noLevel, [chain(0, [7])], 0);
  assert.ok(!isLevel(lookAt(one, [chain(9, [7])], 60_000), [chain(9, [7])]));
  const two = lookAt(one, [chain(7, [7, 8])], 1_000);
  assert.ok(!isLevel(two, [chain(7, [7, 8])]));
  const due = lookAt(two, [chain(7, [7, 8])], 1_000 + GOAL_WAIT_MS);
  assert.ok(isLevel(due, [chain(7, [7, 8])]));
});

test("what f members lie sets no goal that nobody reaches", () => {
  const level = lookAt(noLevel, [chain(0, [10, 1e9, 10])], 0);
  assert.ok(isLevel(level, [chain(10, [10, 1e9, 10])]));
  assert.ok(!isLevel(level, [chain(9, [10, 1e9, 10])]));
});

test("the only member of a chain has nobody to wait for", () => {
  const lone = [chain(0, [], 1)];
  assert.ok(isLevel(lookAt(noLevel, lone, 0), lone));
});

test("every chain counts, one that an order adds meanwhile too", () => {
  const solar = { ...chain(0, []), name: "solar" };
  const level = lookAt(noLevel, [chain(3, [3, 3, 3])], 0);
  assert.ok(isLevel(level, [chain(3, [3, 3, 3])]));
  assert.ok(!isLevel(lookAt(level, [chain(3, [3, 3, 3]), solar], 0), [chain(3, [3, 3, 3]), solar]));
});

test("says how far it is, and who is missing", () => {
  const chains = [chain(3, [9, 9, 9]), { ...chain(0, [4]), name: "solar" }];
  const level = lookAt(noLevel, chains, 0);
  assert.equal(describeLevel(level, chains), "trading 3 of 9; solar 0, 1 of 3 members have said where they are");
  assert.equal(describeLevel(lookAt(level, [chain(9, [])], 0), [chain(9, [])]), "level with the peers");
});

test("a goal is never above what f + 1 members claim, and never moves", () => {
  const claims = fc.array(fc.nat(100), { minLength: 0, maxLength: 3 });
  fc.assert(
    fc.property(fc.array(fc.tuple(claims, fc.nat(1_500)), { maxLength: 12 }), (looks) => {
      let level = noLevel;
      let now_ms = 0;
      for (const [claimed, later_ms] of looks) {
        now_ms += later_ms;
        const before = level.goals.get("trading");
        level = lookAt(level, [chain(0, claimed)], now_ms);
        const goal = level.goals.get("trading");
        if (before !== undefined) assert.equal(goal, before);
        else if (goal !== undefined) assert.ok(claimed.filter((height) => height >= goal).length >= 2);
      }
    }),
  );
});
