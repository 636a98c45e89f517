import assert from "node:assert/strict";
import { test } from "node:test";
import { describeStart, keepsTime } from "../../../hosts/esp32/last-run.js";

test("tells what the chip says of its reset, and what the run before left", () => {
  assert.equal(describeStart(1, undefined, 0), "started after power on, reset 0 times since power on");
  assert.equal(
    describeStart(3, "unhandled exception: Error: no", 4),
    "started after restart, reset 4 times since power on; the last run ended: unhandled exception: Error: no",
  );
  assert.match(describeStart(6, undefined, 1), /^started after task watchdog/);
  assert.match(describeStart(99, undefined, 1), /^started after an unknown reset/);
});

test("says of a restart that left no reason that nothing explains it", () => {
  assert.match(describeStart(3, undefined, 1), /nothing explains it: the engine's stack or memory ran out$/);
  assert.doesNotMatch(describeStart(4, undefined, 1), /nothing explains/);
});

test("knows that the clock starts anew after power on and brownout alone", () => {
  assert.deepEqual(
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10].filter((reset) => !keepsTime(reset)),
    [1, 9],
  );
});
