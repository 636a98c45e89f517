import assert from "node:assert/strict";
import { test } from "node:test";
import { blinks, isLit } from "../../../hosts/esp32/blinks.js";

/** Times that the LED lights up in these ticks. */
function flashes(state: string, ticks: number): number {
  let count = 0;
  for (let tick = 1; tick < ticks; tick += 1) if (isLit(state, tick) && !isLit(state, tick - 1)) count += 1;
  return count;
}

test("every state has a pattern of its own; healthy is steady", () => {
  assert.equal(new Set(Object.values(blinks)).size, Object.keys(blinks).length);
  for (let tick = 0; tick < 50; tick += 1) assert.ok(isLit("healthy", tick));
  for (const [state, count] of Object.entries(blinks)) {
    if (count === 0) continue;
    const period = 2 * count + 6;
    assert.equal(flashes(state, 10 * period + 1), 10 * count, state);
  }
});

test("a meter that nodes refuse shows so, whatever their reason", () => {
  for (const reason of ["revoked", "clock-far-off"]) {
    assert.equal(flashes(`refused: ${reason}`, 241), 10 * blinks.refused);
  }
});

test("a state that nobody knows shows as a configuration that is refused", () => {
  for (const state of ["", "toString", "strange"])
    assert.equal(flashes(state, 201), flashes("configuration refused", 201));
});
