import assert from "node:assert/strict";
import { test } from "node:test";
import { isEic, isGln } from "../../../tools/authority/register/codes.js";

/** Public codes of control areas and parties, as ENTSO-E lists them. */
const eics = ["10YDE-VE-------2", "10YBE----------2", "10YFR-RTE------C", "10X1001A1001A450", "10YAT-APG------L"];

test("knows the check character of an EIC, and no other one for good", () => {
  for (const eic of eics) {
    assert.ok(isEic(eic), eic);
    for (const character of "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") {
      if (character !== eic.at(-1)) assert.ok(!isEic(eic.slice(0, -1) + character), `${eic} with ${character}`);
    }
    for (let place = 0; place < 15; place += 1) {
      const other = eic[place] === "7" ? "8" : "7";
      assert.ok(!isEic(eic.slice(0, place) + other + eic.slice(place + 1)), `${eic} changed at ${place}`);
    }
  }
  for (const text of ["", "10YDE-VE------2", "10yde-ve-------2", `${eics[0]} `]) assert.ok(!isEic(text), text);
});

test("knows the check digit of a GLN", () => {
  for (const gln of ["4012345000009", "5412345000013"]) {
    assert.ok(isGln(gln), gln);
    for (let place = 0; place < 13; place += 1) {
      const other = (Number(gln[place]) + 1) % 10;
      assert.ok(!isGln(gln.slice(0, place) + other + gln.slice(place + 1)), `${gln} changed at ${place}`);
    }
  }
  assert.ok(!isGln("401234500000"));
});
