// Real telegrams (dsmr_parser, MIT, Copyright (c) 2016 Nigel Dokter), read where they lie beside the project, and compared with what
// regular expressions take from their text.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { formatObis } from "../../../src/meter/obis.js";
import { createReader } from "../../../src/meter/open-reader.js";
import type { Outcome, Reading } from "../../../src/meter/reader.js";
import { unitName } from "../../../src/meter/unit.js";
import { shared } from "../../shared.js";
import { crcOf } from "../telegram.js";

const captures = shared("data/dsmr_parser");
const names =
  captures.skip === false ? readdirSync(captures.path).filter((name) => /^TELEGRAM.*\.txt$/.test(name)) : [];

interface Expected {
  readonly obis: string;
  readonly value: number;
  readonly scaler: number;
  readonly unit: string;
  readonly age?: number;
}

const prefixes: Readonly<Record<string, number>> = { "": 0, k: 3, G: 9 };
const plainNumbers =
  /^(0-0:96\.14\.0|0-0:96\.7\.(21|9)|0-0:96\.3\.10|0-\d:24\.[14]\.0|1-0:[357]2\.3[26]\.0|1-0:(13|33|53|73)\.7\.0)$/;
const nullTime = /^(700101010000W|632525252525W)$/;

/** What a person reads off the telegram; rows of logs are checked one by one below. */
function readOff(text: string): { readonly time_s: number | undefined; readonly registers: readonly Expected[] } {
  const joined = text.replace(/\r\n\(/g, "(");
  const clock = /0-0:1\.0\.0\((\d{12}[SW])\)/.exec(joined)?.[1];
  const time_s = clock === undefined ? undefined : utc(clock);
  const registers: Expected[] = [];
  for (const [, obis, f, groups] of joined.matchAll(/^(\d+-\d+:\d+\.\d+\.\d+)(?:\*(\d+))?((?:\([^()]*\))+)\r?$/gm)) {
    const inner = [...groups!.matchAll(/\(([^()]*)\)/g)].map((match) => match[1]!);
    const code = `${obis}*${f ?? "255"}`;
    if (inner.length === 1 && plainNumbers.test(obis!)) registers.push(quantity(code, inner[0]!));
    if (inner.length === 1 && /^[\d.]+\*\w+$/.test(inner[0]!)) registers.push(quantity(code, inner[0]!));
    if (inner.length === 2 && /^[\d.]+\*\w+$/.test(inner[1]!) && !nullTime.test(inner[0]!)) {
      const age = time_s! - utc(inner[0]!);
      registers.push({ ...quantity(code, inner[1]!), ...(age > 0 ? { age } : {}) });
    }
    if (/24\.3\.0$/.test(obis!)) registers.push(quantity(`${inner[4]}*255`, `${inner[6]}*${inner[5]}`));
  }
  return { time_s, registers };
}

function quantity(obis: string, text: string): Expected {
  const [, whole, decimals = "", prefix = "", unit = ""] = /^(\d+)(?:\.(\d+))?(?:\*([kG]?)(\w+))?$/.exec(text)!;
  return { obis, value: Number(whole! + decimals), scaler: prefixes[prefix]! - decimals.length, unit };
}

function utc(text: string): number {
  const [year, month, day, hour, minute, second] = text.match(/\d\d/g)!;
  const zone = text.endsWith("S") ? "+02:00" : "+01:00";
  return Date.parse(`20${year}-${month}-${day}T${hour}:${minute}:${second}${zone}`) / 1000;
}

function outcomesOf(bytes: Uint8Array): Outcome[] {
  const reader = createReader("p1");
  return [...reader.push(bytes, 0), ...reader.end()];
}

function readingOf(name: string): Reading {
  const [outcome, ...others] = outcomesOf(readFileSync(join(captures.path, name)));
  assert.deepEqual(others, []);
  assert.ok(outcome?.ok);
  return outcome;
}

function plain({ registers }: Reading): Expected[] {
  return registers.map(({ obis, value, scaler, unit, age }) => {
    assert.equal(typeof value, "number");
    const whole = { obis: formatObis(obis), value: Number(value), scaler, unit: unitName(unit) };
    return age === undefined ? whole : { ...whole, age };
  });
}

const isLogged = ({ obis }: Expected): boolean => /\*1[0-2]\d$/.test(obis);

test("thirteen captures are there, nine of them with a CRC", { skip: captures.skip }, () => {
  const checked = names.filter((name) => /!\w+\r?\n$/.test(readFileSync(join(captures.path, name), "latin1")));
  assert.equal(names.length, 13);
  assert.equal(checked.length, 9);
});

for (const name of names) {
  test(`reads every register of ${name} to the last digit`, () => {
    const text = readFileSync(join(captures.path, name), "latin1");
    const expected = readOff(text);
    const reading = readingOf(name);
    assert.ok(expected.registers.length > 0);
    assert.deepEqual(
      plain(reading).filter((register) => !isLogged(register)),
      expected.registers,
    );
    assert.equal(reading.time_s, expected.time_s);
  });

  test(`checks the CRC of ${name} where it has one, and says so where not`, () => {
    const text = readFileSync(join(captures.path, name), "latin1");
    const stated = /!(\w{1,4})\r\n$/.exec(text)?.[1];
    const reading = readingOf(name);
    assert.equal(reading.flags.includes("unchecked"), stated === undefined);
    if (stated === undefined) return;
    assert.equal(crcOf(Buffer.from(text.slice(0, text.lastIndexOf("!") + 1), "latin1")), Number.parseInt(stated, 16));
    assert.deepEqual(reading.frame, Uint8Array.from(Buffer.from(text, "latin1")));
  });

  test(`refuses ${name} with any digit of its energy changed, unless it has no CRC`, () => {
    const text = readFileSync(join(captures.path, name), "latin1");
    if (!/!\w{1,4}\r\n$/.test(text)) return;
    const changed = text.replace(
      /(\(\d*)(\d)(\.?\d*\*(?:kWh|Wh|GJ)\))/,
      (_, start, digit, rest) => `${start}${(Number(digit) + 1) % 10}${rest}`,
    );
    assert.notEqual(changed, text);
    const [outcome, ...others] = outcomesOf(Buffer.from(changed, "latin1"));
    assert.deepEqual(others, []);
    assert.ok(outcome?.ok === false && outcome.reason === "crc");
  });
}

test("reads all captures from one stream, one after the other", { skip: captures.skip }, () => {
  const stream = Buffer.concat(names.map((name) => readFileSync(join(captures.path, name))));
  const outcomes = outcomesOf(stream);
  assert.equal(outcomes.length, names.length);
  assert.ok(outcomes.every(({ ok }) => ok));
});

test("numbers the monthly peaks from the most recent, whichever way the meter lists them", {
  skip: captures.skip,
}, () => {
  const logged = (name: string): Expected[] => plain(readingOf(name)).filter(isLogged);
  const falling = readingOf("TELEGRAM_FLUVIUS_V171.txt").time_s!;
  assert.deepEqual(logged("TELEGRAM_FLUVIUS_V171.txt"), [
    { obis: "1-0:1.6.0*101", value: 3695, scaler: 0, unit: "W", age: falling - utc("200423192538S") },
    { obis: "1-0:1.6.0*102", value: 5980, scaler: 0, unit: "W", age: falling - utc("200305122139S") },
    { obis: "1-0:1.6.0*103", value: 4318, scaler: 0, unit: "W", age: falling - utc("200210035421W") },
  ]);
  const rising = readingOf("TELEGRAM_FLUVIUS_V171_ALT.txt").time_s!;
  assert.deepEqual(logged("TELEGRAM_FLUVIUS_V171_ALT.txt"), [
    { obis: "1-0:1.6.0*101", value: 4927, scaler: 0, unit: "W", age: rising - utc("231016130000S") },
    { obis: "1-0:1.6.0*102", value: 4229, scaler: 0, unit: "W", age: rising - utc("230910183000S") },
    { obis: "1-0:1.6.0*103", value: 1862, scaler: 0, unit: "W", age: rising - utc("230831181500S") },
  ]);
});

test("reads the log of outages as durations", { skip: captures.skip }, () => {
  const reading = readingOf("TELEGRAM_V5_TWO_MBUS.txt");
  assert.deepEqual(plain(reading).filter(isLogged), [
    { obis: "0-0:96.7.19*101", value: 2014, scaler: 0, unit: "s", age: reading.time_s! - utc("190326095015W") },
  ]);
});

test("identifies the meters", { skip: captures.skip }, () => {
  const expected: Readonly<Record<string, string>> = {
    "TELEGRAM_V5_TWO_MBUS.txt": "E0044007382246019",
    "TELEGRAM_V5.txt": "K8EG004046395507",
    "TELEGRAM_FLUVIUS_V171.txt": "1SAG3101021605",
    "TELEGRAM_V5_EON_HU.txt": "890082200002160",
    "TELEGRAM_UNPADDED_CRC.txt": "ADC3100000158491",
    "TELEGRAM_V4_2.txt": "3960221976967177082151037881335713",
    "TELEGRAM_SAGEMCOM_T210_D_R.txt": "EST5\\253710000_A",
    "TELEGRAM_ESY5Q3DA1004_V304.txt": "1ESY1336001560",
  };
  for (const [name, meter] of Object.entries(expected)) assert.equal(readingOf(name).meter, meter, name);
});

test("never makes a gas reading of a channel that was never read", { skip: captures.skip }, () => {
  const reading = readingOf("TELEGRAM_V5_TWO_MBUS.txt");
  assert.ok(!plain(reading).some(({ obis }) => obis === "0-1:24.2.1*255"));
  assert.deepEqual(reading.flags, ["never-read 0-1:24.2.1*255"]);
});

test("flags power factors that cannot be, and keeps them", { skip: captures.skip }, () => {
  const reading = readingOf("TELEGRAM_V5_EON_HU.txt");
  assert.ok(reading.flags.includes("range 1-0:13.7.0*255"));
  assert.ok(
    plain(reading).some(({ obis, value, scaler }) => obis === "1-0:13.7.0*255" && value === 4556 && scaler === -3),
  );
});

test("flags gas captured after the reading, and gives it no age", { skip: captures.skip }, () => {
  const reading = readingOf("TELEGRAM_V4_2.txt");
  assert.deepEqual(reading.flags, ["capture-ahead 0-1:24.2.1*255"]);
});
