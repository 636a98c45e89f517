import assert from "node:assert/strict";
import { test } from "node:test";
import { createTimers } from "../../tools/node/timers.js";

const pause = (duration_ms: number) => new Promise((resolve) => setTimeout(resolve, duration_ms));

test("a timer that is set again is replaced, in its scope alone", async () => {
  const timers = createTimers();
  const called: string[] = [];
  timers.scope("one").set("name", 1, () => called.push("first"));
  timers.scope("one").set("name", 1, () => called.push("second"));
  timers.scope("two").set("name", 1, () => called.push("other"));
  timers.scope("one").set("cleared", 1, () => called.push("cleared"));
  timers.scope("one").clear("cleared");
  await pause(20);
  assert.deepEqual(called, ["second", "other"]);
});

test("none is called once they are stopped, nor any that is set afterwards", async () => {
  const timers = createTimers();
  const scope = timers.scope("chain");
  scope.set("before", 1, () => assert.fail("set before"));
  timers.stop();
  scope.set("after", 1, () => assert.fail("set after"));
  await pause(20);
});
