import assert from "node:assert/strict";
import { test } from "node:test";
import { parseUnit, unitName } from "../../src/meter/unit.js";

test("knows the codes of IEC 62056-6-2", () => {
  const expected = { m3: 13, W: 27, VA: 28, var: 29, Wh: 30, VAh: 31, varh: 32, A: 33, V: 35, Hz: 44, J: 25, s: 7 };
  for (const [name, code] of Object.entries(expected)) {
    assert.deepEqual(parseUnit(name), { code, exponent: 0 });
    assert.equal(unitName(code), name);
  }
  assert.equal(unitName(255), "");
});

test("names a code that is not in its table by its number", () => {
  assert.equal(unitName(71), "unit 71");
});

test("takes the prefix of a spelled unit as a power of ten", () => {
  assert.deepEqual(parseUnit("kWh"), { code: 30, exponent: 3 });
  assert.deepEqual(parseUnit("KWh"), { code: 30, exponent: 3 });
  assert.deepEqual(parseUnit("K"), { code: 52, exponent: 0 });
  assert.deepEqual(parseUnit("MWh"), { code: 30, exponent: 6 });
  assert.deepEqual(parseUnit("GJ"), { code: 25, exponent: 9 });
  assert.deepEqual(parseUnit("kvarh"), { code: 32, exponent: 3 });
  assert.deepEqual(parseUnit("kVArh"), { code: 32, exponent: 3 });
  assert.deepEqual(parseUnit("mA"), { code: 33, exponent: -3 });
  assert.deepEqual(parseUnit("dm3"), { code: 13, exponent: -3 });
});

test("takes m3 and min as units, not as thousandths", () => {
  assert.deepEqual(parseUnit("m3"), { code: 13, exponent: 0 });
  assert.deepEqual(parseUnit("min"), { code: 6, exponent: 0 });
});

test("does not guess", () => {
  for (const text of ["", "k", "furlong", "kwh", "KWH", "kkWh", "xWh", "Wh "])
    assert.equal(parseUnit(text), undefined, text);
});
