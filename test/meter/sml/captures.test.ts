// Real SML files (smartmeter-obis, MIT, Copyright (c) 2017-2023 Ingo Fischer), read where they lie beside the project, and compared with
// the registers that were taken from them by hand.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Outcome, Reading } from "../../../src/meter/reader.js";
import { shared } from "../../shared.js";
import { assertAnyPieces, kinds, outcomesOf, registersOf } from "../streams.js";

interface ExpectedFile {
  readonly serverId: string;
  readonly values: Readonly<Record<string, { raw?: number; scaler?: number; dlmsUnit?: number; bytes?: string }>>;
}

const expectation = shared("data/EXPECTED_SML.json");
const captures = shared("data/smartmeter-obis/sml");
const skip = expectation.skip !== false ? expectation.skip : captures.skip;
const expected: Readonly<Record<string, ExpectedFile>> =
  skip === false ? JSON.parse(readFileSync(expectation.path, "utf8")) : {};

function outcomes(name: string): Outcome[] {
  return outcomesOf("sml", readFileSync(join(captures.path, name)));
}

test("the expectation covers seven captures, all of them there", { skip }, () => {
  assert.equal(Object.keys(expected).length, 7);
  for (const path of Object.keys(expected)) assert.ok(existsSync(shared(`data/${path}`).path), path);
});

for (const [path, file] of Object.entries(expected)) {
  test(`reads every register of the first file of ${path}: raw value, scaler and unit`, () => {
    const first = outcomesOf("sml", readFileSync(shared(`data/${path}`).path)).find(
      (outcome): outcome is Reading => outcome.ok,
    );
    assert.ok(first !== undefined);
    const numbers = Object.entries(file.values).filter(([, { raw }]) => raw !== undefined);
    assert.deepEqual(
      registersOf(first),
      Object.fromEntries(numbers.map(([obis, { raw, scaler, dlmsUnit }]) => [obis, [raw, scaler, dlmsUnit]])),
    );
    assert.equal(first.meter, file.serverId);
  });
}

test("reads all 878 files of a long stream, the power from 35 to 56 W, with no doubt but the clock", { skip }, () => {
  const all = outcomes("ttyUSB0.dump");
  assert.equal(all.length, 878);
  const powers = all.map((outcome) => {
    assert.ok(outcome.ok);
    assert.deepEqual(outcome.flags, ["no-clock"]);
    return Number(registersOf(outcome)["1-0:15.7.0*255"]![0]);
  });
  assert.ok(powers.every((power) => power >= 35 && power <= 56));
});

test("refuses the broken variants with their reasons, and gives no value from them", { skip }, () => {
  assert.deepEqual(kinds(outcomes("testLocalFileSmlErrorProtocol-1.bin")), ["crc"]);
  assert.deepEqual(kinds(outcomes("testSerialResponseSmlError-1.bin")), ["crc"]);
  assert.deepEqual(kinds(outcomes("testSerialResponseSmlCont-1.bin")), ["ok", "crc"]);
  assert.deepEqual(kinds(outcomes("testSerialResponseSmlCont2-1.bin")), ["ok", "truncated"]);
  assert.deepEqual(kinds(outcomes("testSerialResponseSmlCont2-2.bin")), ["truncated"]);
  assert.deepEqual(kinds(outcomes("ttyUSB0-2.dump")), ["ok", "ok", "truncated"]);
});

test("reads three captures that continue one another as one stream", { skip }, () => {
  const parts = [1, 2, 3].map((part) => readFileSync(join(captures.path, `testSerialResponseSmlCont2-${part}.bin`)));
  const stream = Buffer.concat(parts);
  assert.deepEqual(kinds(outcomesOf("sml", stream)), ["ok", "crc", "ok", "ok"]);
  assertAnyPieces("sml", stream);
});
