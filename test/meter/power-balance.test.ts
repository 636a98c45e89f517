import assert from "node:assert/strict";
import { test } from "node:test";
import { parseObis } from "../../src/meter/obis.js";
import { powerBalance } from "../../src/meter/power-balance.js";
import type { Register } from "../../src/meter/register.js";

const units = { V: 35, A: 33, W: 27, var: 29 } as const;

function register(code: string, value: number, scaler: number, unit: keyof typeof units): Register {
  return { obis: parseObis(`1-0:${code}.7.0`), value, scaler, unit: units[unit] };
}

/** Three phases of 230 V with this current in steps of ten to the scaler. */
function supply(current: number, scaler: number): Register[] {
  return [31, 51, 71].flatMap((c) => [register(`${c}`, current, scaler, "A"), register(`${c + 1}`, 2300, -1, "V")]);
}

test("agrees where the power is of these voltages and currents", () => {
  assert.equal(powerBalance([...supply(300, -2), register("1", 2000, 0, "W"), register("2", 0, 0, "W")]), "agrees");
  assert.equal(powerBalance([...supply(300, -2), register("16", -2000, 0, "W")]), "agrees");
  const lagging = [register("1", 700, 0, "W"), register("4", 1800, 0, "var")];
  assert.equal(powerBalance([...supply(300, -2), ...lagging]), "agrees");
});

test("contradicts where a scaler is wrong by ten", () => {
  assert.equal(powerBalance([...supply(1000, -3), register("1", 6900, 0, "W")]), "contradicts");
  assert.equal(powerBalance([...supply(100, -3), register("1", 690, 0, "W")], "assumed"), "contradicts");
  assert.equal(powerBalance([...supply(9000, -1), register("1", 62_000, 0, "W")]), "contradicts");
  assert.equal(powerBalance([...supply(300, -1), register("1", 2000, 0, "W")], "assumed"), "contradicts");
});

test("says nothing where a phase may feed in what another draws, or where something is missing", () => {
  assert.equal(powerBalance([...supply(1000, -2), register("1", 10, 0, "W")]), "unknown");
  assert.equal(powerBalance(supply(300, -2)), "unknown");
  assert.equal(powerBalance([register("1", 2000, 0, "W")]), "unknown");
  assert.equal(powerBalance([register("1", 20_000, 0, "W"), register("31", 3, 0, "A")]), "unknown", "no voltage");
  assert.equal(powerBalance([...supply(0, -2), register("1", 0, 0, "W")]), "unknown");
});

test("allows for the steps that values come in", () => {
  assert.equal(powerBalance([...supply(0, 0), register("1", 690, 0, "W")], "assumed"), "unknown", "whole amperes, cut");
  assert.equal(powerBalance([...supply(0, -2), register("1", 690, 0, "W")], "assumed"), "contradicts");
});
