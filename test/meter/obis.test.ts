import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatObis, matchesObis, parseObis, parseObisPattern, sameObis, scanObis } from "../../src/meter/obis.js";

const bytes6 = fc.uint8Array({ minLength: 6, maxLength: 6 });

test("reads the long and the short form of a code", () => {
  assert.deepEqual([...parseObis("1-0:1.8.1*255")], [1, 0, 1, 8, 1, 255]);
  assert.deepEqual([...parseObis("1-0:1.8.1")], [1, 0, 1, 8, 1, 255]);
  assert.deepEqual([...parseObis("0-0:96.7.19*101")], [0, 0, 96, 7, 19, 101]);
});

test("refuses what is not a code, and says what it got", () => {
  const wrong = [
    "",
    "1",
    "1-0",
    "1-0:1.8",
    "1.8.1",
    "1-0:1.8.1*",
    "1-0:1.8.1*256",
    "1-0:1.8.1.255",
    "0-n:24.2.1",
    "1-0:1.8.1 ",
    "1-0:0001.8.1",
    "1-0:１.8.1",
  ];
  for (const text of wrong) assert.throws(() => parseObis(text), RangeError, text);
  assert.throws(() => parseObis("1.8.1"), /"1\.8\.1"/);
});

test("prints every code so that it is read back", () => {
  fc.assert(fc.property(bytes6, (obis) => sameObis(parseObis(formatObis(obis)), obis)));
  assert.throws(() => formatObis(new Uint8Array(5)), /expected 6 bytes, got 5/);
});

test("reads a code within other bytes alone", () => {
  const line = Buffer.from("xx1-0:2.8.2(000)");
  assert.deepEqual([...scanObis(line, 2, 11)!], [1, 0, 2, 8, 2, 255]);
  assert.equal(scanObis(line, 2, 12), undefined);
  assert.equal(scanObis(line, 0, 11), undefined);
});

test("matches any channel where the pattern says n", () => {
  const gas = parseObisPattern("0-n:24.2.1");
  assert.equal(matchesObis(gas, parseObis("0-1:24.2.1")), true);
  assert.equal(matchesObis(gas, parseObis("0-4:24.2.1")), true);
  assert.equal(matchesObis(gas, parseObis("0-1:24.2.3")), false);
  assert.equal(matchesObis(gas, parseObis("1-1:24.2.1")), false);
});

test("matches the current value alone where the pattern does not name a past one", () => {
  assert.equal(matchesObis(parseObisPattern("1-0:1.6.0"), parseObis("1-0:1.6.0*101")), false);
  assert.equal(matchesObis(parseObisPattern("1-0:1.6.0*101"), parseObis("1-0:1.6.0*101")), true);
  assert.equal(matchesObis(parseObisPattern("1-0:1.6.0*n"), parseObis("1-0:1.6.0*101")), true);
});

test("refuses a pattern that is none", () => {
  for (const text of ["n", "0-nn:24.2.1", "0-*:24.2.1", "0-n:24.2", "0-n1:24.2.1"]) {
    assert.throws(() => parseObisPattern(text), RangeError, text);
  }
});

test("a code as a pattern matches itself and no other code", () => {
  fc.assert(
    fc.property(bytes6, bytes6, (one, other) => {
      assert.equal(matchesObis(parseObisPattern(formatObis(one)), other), sameObis(one, other));
    }),
  );
});
