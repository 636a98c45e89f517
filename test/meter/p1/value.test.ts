import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type P1Value, scanMeasured, scanP1Value } from "../../../src/meter/p1/value.js";

function scan(text: string): P1Value | undefined {
  const padded = Buffer.from(`(${text})`);
  return scanP1Value(padded, 1, padded.length - 1);
}

test("keeps the decimals as the scaler", () => {
  assert.deepEqual(scan("002130.115*kWh"), { value: 2130115, scaler: 0, unit: 30 });
  assert.deepEqual(scan("00.244*kW"), { value: 244, scaler: 0, unit: 27 });
  assert.deepEqual(scan("221.6*V"), { value: 2216, scaler: -1, unit: 35 });
  assert.deepEqual(scan("12785.123*m3"), { value: 12785123, scaler: -3, unit: 13 });
  assert.deepEqual(scan("0001.01*kW"), { value: 101, scaler: 1, unit: 27 });
  assert.deepEqual(scan("00032549.5061662*kWh"), { value: 325495061662, scaler: -4, unit: 30 });
  assert.deepEqual(scan("240.860*GJ"), { value: 240860, scaler: 6, unit: 25 });
  assert.deepEqual(scan("000*A"), { value: 0, scaler: 0, unit: 33 });
  assert.deepEqual(scan("0002"), { value: 2, scaler: 0, unit: 255 });
});

test("reads a unit with spaces around it and with a capital K, and one that lost its asterisk where that is asked", () => {
  const measured = (text: string): P1Value | undefined => scanMeasured(Buffer.from(text), 0, text.length);
  const energy = { value: 7137694, scaler: 0, unit: 30 };
  for (const text of ["7137.694*kWh", "7137.694*kWh ", "7137.694* kWh", "7137.694 *KWh"]) {
    assert.deepEqual(scan(text), energy, text);
    assert.deepEqual(measured(text), energy, text);
  }
  for (const text of ["7137.694kWh", "7137.694 kWh "]) {
    assert.deepEqual(measured(text), energy, text);
    assert.equal(scan(text), undefined);
  }
  assert.deepEqual(measured("0002"), { value: 2, scaler: 0, unit: 255 });
  for (const text of ["kWh", "7137 .694kWh", "7137kWhh", "7137.694 kWh kWh", "1-2W", "1e5W", "260102010000W", ""])
    assert.equal(measured(text), undefined, text);
});

test("reads a negative value, and no negative zero", () => {
  assert.deepEqual(scan("-299.12*W"), { value: -29912, scaler: -2, unit: 27 });
  assert.ok(Object.is(scan("-0.0*W")?.value, 0));
});

test("is exact beyond the safe integers", () => {
  assert.deepEqual(scan("9007199254740991*Wh"), { value: 9007199254740991, scaler: 0, unit: 30 });
  assert.deepEqual(scan("9007199254740993*Wh"), { value: 9007199254740993n, scaler: 0, unit: 30 });
  assert.deepEqual(scan("-999999999999999.999*kWh"), { value: -999999999999999999n, scaler: 0, unit: 30 });
});

test("refuses what is not a number in a known unit", () => {
  for (const text of [
    "",
    "-",
    ".",
    "*kWh",
    "1.2.3*kWh",
    "1,5*kWh",
    "12*kwh",
    "12*",
    "1e5*W",
    "1e5W",
    "+1*W",
    " 1*W",
    "1*W*W",
    "1*kWh9999999",
    "1000000000000000000*Wh",
  ]) {
    assert.equal(scan(text), undefined, text);
  }
});

test("states every number as its text does", () => {
  const digits = fc.stringMatching(/^[0-9]{1,12}$/);
  fc.assert(
    fc.property(digits, fc.stringMatching(/^[0-9]{0,6}$/), fc.boolean(), (whole, decimals, negative) => {
      const scanned = scan(`${negative ? "-" : ""}${whole}${decimals === "" ? "" : `.${decimals}`}*W`)!;
      assert.equal(scanned.scaler, decimals === "" ? 0 : -decimals.length);
      assert.equal(BigInt(scanned.value), BigInt(whole + decimals) * (negative ? -1n : 1n));
      assert.equal(
        typeof scanned.value,
        Math.abs(Number(scanned.value)) > Number.MAX_SAFE_INTEGER ? "bigint" : "number",
      );
    }),
  );
});
