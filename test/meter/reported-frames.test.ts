// Frames of other people's SML, DLMS and Modbus meters, as public reports have them, and made-up ones of the same kinds, read where they
// lie beside the project, against what their reporters found out about them.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { formatObis } from "../../src/meter/obis.js";
import type { ReaderOptions } from "../../src/meter/open-reader.js";
import type { Outcome, Protocol, Reading } from "../../src/meter/reader.js";
import { unitName } from "../../src/meter/unit.js";
import { nodeMeterCrypto } from "../../tools/meters/meter-crypto.js";
import { decimal } from "../../tools/terminal/output.js";
import { shared } from "../shared.js";
import { kinds, outcomesOf } from "./streams.js";

interface ExpectedRegister {
  readonly obis: string;
  readonly value: number;
  readonly scaler: number;
  readonly unit: string;
}

interface Expected {
  readonly registers?: readonly ExpectedRegister[];
  readonly flags?: readonly string[];
}

/** Of the made-up frames: code, value in the unit itself, unit. */
type Quantity = readonly [obis: string, value: number | string, unit: string];

const real = shared("reports/EXPECTED.json");
const madeUp = shared("reports/EXPECTED-2.json");
const skip = real.skip !== false ? real.skip : madeUp.skip;
const ofReal: Readonly<Record<string, Expected>> = skip === false ? JSON.parse(readFileSync(real.path, "utf8")) : {};
const ofMadeUp: Readonly<Record<string, { readonly expect: { readonly registers?: readonly Quantity[] } }>> =
  skip === false ? JSON.parse(readFileSync(madeUp.path, "utf8")) : {};

function words(path: string): readonly string[] {
  return readFileSync(path, "latin1").split(/\s+/).filter(Boolean);
}

function outcomes(protocol: Protocol, name: string, options: ReaderOptions = {}): readonly Outcome[] {
  const frame = Uint8Array.from(Buffer.from(words(shared(`reports/${name}.hex`).path).join(""), "hex"));
  const keyFile = shared(`reports/${name}.key`).path;
  const [encryption, authentication] = existsSync(keyFile)
    ? words(keyFile).map((key) => Uint8Array.from(Buffer.from(key, "hex")))
    : [];
  const keys = encryption && { encryption, ...(authentication !== undefined && { authentication }) };
  return outcomesOf(protocol, frame, { crypto: nodeMeterCrypto, ...(keys !== undefined && { keys }), ...options });
}

function readingOf(protocol: Protocol, name: string, options?: ReaderOptions): Reading {
  const all = outcomes(protocol, name, options);
  assert.deepEqual(kinds(all), ["ok"]);
  return all[0] as Reading;
}

const realFrames: readonly (readonly [Protocol, string])[] = [
  ["sml", "sml-dzg-four-fill-bytes"],
  ["sml", "sml-dzg-l1-power-sign"],
  ["sml", "sml-holley-dtz251-feed-in"],
  ["hdlc", "hdlc-swiss-e450-2026"],
  ["hdlc", "hdlc-swiss-e570-2026"],
  ["hdlc", "hdlc-swiss-e450-power-factor"],
  ["hdlc", "hdlc-e450-more-than-16-doubts"],
];

for (const [protocol, name] of realFrames) {
  test(`reads ${name} as its reporter found it: every value, scaler and unit`, { skip }, () => {
    const { registers, flags } = readingOf(protocol, name);
    const expected = ofReal[name]!;
    assert.deepEqual(
      registers.map(({ obis, value, scaler, unit }) => ({
        obis: formatObis(obis),
        value,
        scaler,
        unit: unitName(unit),
      })),
      expected.registers,
    );
    for (const flag of expected.flags ?? []) assert.ok(flags.includes(flag), flag);
    for (const { obis } of registers) {
      assert.ok(!flags.includes(`no-unit ${formatObis(obis)}`) && !flags.includes(`range ${formatObis(obis)}`));
    }
  });
}

for (const name of [
  "iskra-push-list-12",
  "iskra-list-9-energies",
  "iskra-list-4-energies",
  "kamstrup-ct-typed",
  "kamstrup-voltage-hundredths",
]) {
  test(`reads ${name}: every value in its unit`, { skip }, () => {
    const { registers } = readingOf("hdlc", name);
    const read = new Map(
      registers.map(({ obis, value, scaler, unit }) => [
        formatObis(obis),
        [Number(decimal(value, scaler)), unitName(unit)],
      ]),
    );
    for (const [obis, value, unit] of ofMadeUp[name]!.expect.registers!) {
      assert.deepEqual(read.get(obis), [Number(value), unit], obis);
    }
  });
}

test("refuses a frame of which no number can be told what it is", { skip }, () => {
  assert.deepEqual(kinds(outcomes("hdlc", "one-code-and-a-text")), ["malformed"]);
});

test("reads a port whose encryption key alone was handed out only where its owner accepts that, and says so", {
  skip,
}, () => {
  const name = "hdlc-e450-encryption-key-alone";
  assert.deepEqual(kinds(outcomes("hdlc", name)), ["locked"]);
  const { registers, flags } = readingOf("hdlc", name, { acceptUnauthenticated: true });
  const alternatives = (ofReal[name] as { readonly alternatives: readonly Expected[] }).alternatives;
  assert.deepEqual(
    registers.map(({ obis, value, scaler, unit }) => ({ obis: formatObis(obis), value, scaler, unit: unitName(unit) })),
    alternatives.find((alternative) => alternative.registers !== undefined)!.registers,
  );
  assert.ok(flags.includes("unauthenticated"));
});

test("reads nothing of another Modbus meter on a line that is listened to", { skip }, () => {
  const all = outcomes("modbus", "modbus-pzem016-listened");
  assert.ok(all.length > 0 && all.every(({ ok }) => !ok));
});
