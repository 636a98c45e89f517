import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { crc16X25 } from "../../../src/meter/crc16.js";
import { formatObis } from "../../../src/meter/obis.js";
import { createReader } from "../../../src/meter/open-reader.js";
import { createP1Reader, type P1Options } from "../../../src/meter/p1/reader.js";
import type { Outcome, Reading } from "../../../src/meter/reader.js";
import * as streams from "../streams.js";
import { joined, kinds } from "../streams.js";
import { crcOf, latin1, telegram, telegramWithoutCrc } from "../telegram.js";

const clock = "0-0:1.0.0(200426223325S)";
const time_s = 1587933205;
const energy = "1-0:1.8.1(002130.115*kWh)";
const version = "1-3:0.2.8(50)";
const good = telegram([version, clock, energy]);

const outcomesOf = (bytes: Uint8Array, options?: P1Options): Outcome[] => streams.outcomesOf("p1", bytes, options);
const readingOf = (bytes: Uint8Array, options?: P1Options): Reading => streams.readingOf("p1", bytes, options);

function values({ registers }: Reading): Record<string, number | bigint> {
  return Object.fromEntries(registers.map(({ obis, value }) => [formatObis(obis), value]));
}

test("reads a telegram with its time, its registers and its bytes", () => {
  const reading = readingOf(good);
  assert.equal(reading.time_s, time_s);
  assert.equal(reading.meter, "ISK5\\2M550T-1012");
  assert.deepEqual(reading.registers, [
    { obis: Uint8Array.of(1, 0, 1, 8, 1, 255), value: 2130115, scaler: 0, unit: 30 },
  ]);
  assert.deepEqual(reading.frame, good);
  assert.deepEqual(reading.flags, []);
});

test("gives the registers before the rest of the stream has come", () => {
  assert.deepEqual(kinds(createP1Reader().push(good, 0)), ["ok"]);
});

test("accepts a CRC of fewer than four digits", () => {
  // A message is varied until the CRC begins with a zero, and the zero is left out as some meters do.
  for (let message = 0; ; message++) {
    const text = `/NWA-WARMTELINK\r\n\r\n${clock}\r\n${energy}\r\n0-0:96.13.0(${message})\r\n!`;
    const crc = crcOf(latin1(text));
    if (crc > 0xfff) continue;
    assert.equal(readingOf(latin1(`${text}${crc.toString(16).toUpperCase()}\r\n`)).time_s, time_s);
    assert.equal(readingOf(latin1(`${text}${crc.toString(16)}\r\n`)).time_s, time_s);
    break;
  }
});

test("goes by the bytes where a document misprints its example's CRC", () => {
  const misprinted = latin1(
    Buffer.from(good)
      .toString("latin1")
      .replace(/![0-9A-F]{4}/, "!EF2F"),
  );
  assert.deepEqual(kinds(outcomesOf(misprinted)), ["crc"]);
});

test("refuses a copy whose lines end in LF alone, and names the reason", () => {
  const [outcome] = outcomesOf(good.filter((byte) => byte !== 0x0d));
  assert.ok(outcome?.ok === false && outcome.reason === "crc");
  assert.match(outcome.detail, /LF alone/);
});

test("parses nothing of a telegram whose CRC is wrong", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: good.length - 8 }), fc.integer({ min: 1, max: 255 }), (index, change) => {
      const broken = Uint8Array.from(good);
      broken[index] = broken[index]! ^ change;
      const outcomes = outcomesOf(broken);
      assert.ok(
        outcomes.every(({ ok }) => !ok),
        JSON.stringify(outcomes),
      );
    }),
  );
});

test("accepts a version without CRC and flags it", () => {
  const reading = readingOf(telegramWithoutCrc(["0-0:96.1.1(4B384547303034303436333935353037)", energy]));
  assert.deepEqual(reading.flags, ["unchecked", "no-clock"]);
  assert.equal(reading.meter, "K8EG004046395507");
  assert.equal(reading.time_s, undefined);
});

test("refuses a telegram that lost the CRC of its version", () => {
  assert.deepEqual(kinds(outcomesOf(telegramWithoutCrc([version, clock, energy]))), ["crc"]);
  assert.deepEqual(kinds(outcomesOf(telegramWithoutCrc(["0-0:96.1.4(50217)", clock, energy]))), ["crc"]);
});

test("refuses every telegram without CRC where the profile requires one", () => {
  assert.deepEqual(kinds(outcomesOf(telegramWithoutCrc([energy]), { requireCrc: true })), ["crc"]);
});

test("finds the next telegram after one that was cut off, at a line's start or within a line", () => {
  for (let length = 1; length < good.length - 7; length++) {
    assert.deepEqual(
      kinds(outcomesOf(joined(good.subarray(0, length), good))),
      ["truncated", "ok"],
      `cut at ${length}`,
    );
  }
});

test("starts in the middle of a telegram without taking it for one", () => {
  for (let start = 1; start < good.length; start++) {
    assert.deepEqual(kinds(outcomesOf(joined(good.subarray(start), good))), ["ok"], `from ${start}`);
  }
});

test("accepts no telegram that states no register", () => {
  const reader = createReader("p1");
  const empty = telegram([version, clock, "0-0:96.13.0()", "1-0:1.8.1(12*parsec)"]);
  const [outcome] = reader.push(empty, 0);
  assert.ok(outcome?.ok === false && outcome.reason === "malformed");
  assert.equal(outcome.detail, "it states no register: not-understood 1-0:1.8.1*255");
  reader.push(good, 0);
  assert.deepEqual([reader.counters.frames, reader.counters.malformed], [1, 1]);
});

test("counts a telegram without end and goes on with the next", () => {
  const endless = latin1(`/ISK5\r\n\r\n${"0-0:96.13.0(3031)\r\n".repeat(1000)}`);
  const reader = createP1Reader();
  assert.deepEqual(kinds(reader.push(joined(endless, good), 0)), ["oversized", "ok"]);
  assert.equal(reader.counters.oversized, 1);
  assert.equal(reader.counters.frames, 1);
  assert.ok(reader.counters.noiseBytes > 0);
});

test("ends with what is pending: a last line without line end is whole, half a telegram is not", () => {
  assert.deepEqual(kinds(outcomesOf(good.subarray(0, good.length - 2))), ["ok"]);
  assert.deepEqual(kinds(outcomesOf(good.subarray(0, good.length - 8))), ["truncated"]);
  assert.deepEqual(kinds(outcomesOf(new Uint8Array(0))), []);
  const reader = createP1Reader();
  reader.push(good.subarray(0, 30), 0);
  reader.end();
  assert.deepEqual(kinds(reader.push(good, 0)), ["ok"]);
});

test("refuses a telegram without identification or without objects", () => {
  assert.deepEqual(kinds(outcomesOf(telegram([energy], ""))), ["malformed"]);
  assert.deepEqual(kinds(outcomesOf(telegram([energy], "\u00ff\u0000\u0001\u0002"))), ["malformed"]);
  assert.deepEqual(kinds(outcomesOf(telegram(["free text"]))), ["malformed"]);
});

test("gives electricity, gas, water and heat their own capture times", () => {
  const reading = readingOf(
    telegram([
      clock,
      energy,
      "0-1:24.1.0(003)",
      "0-1:24.2.3(200426223001S)(00246.138*m3)",
      "0-2:24.2.1(200426220000S)(00872.234*m3)",
      "0-3:24.2.1(200425220000S)(240.860*GJ)",
      "0-4:24.2.1(200426223325S)(000123.456*kWh)",
    ]),
  );
  assert.deepEqual(
    reading.registers.map(({ obis, value, scaler, unit, age }) => [formatObis(obis), value, scaler, unit, age]),
    [
      ["1-0:1.8.1*255", 2130115, 0, 30, undefined],
      ["0-1:24.1.0*255", 3, 0, 255, undefined],
      ["0-1:24.2.3*255", 246138, -3, 13, 204],
      ["0-2:24.2.1*255", 872234, -3, 13, 2005],
      ["0-3:24.2.1*255", 240860, 6, 25, 88405],
      ["0-4:24.2.1*255", 123456, 0, 30, undefined],
    ],
  );
});

test("takes no value from a channel that was never read, whatever its zeros look like", () => {
  const never = [
    "(700101010000W)(00000000)",
    "(700101010000W)(00000.000*m3)",
    "(632525252525S)(00000.000)",
    "()(00000.000*m3)",
  ];
  for (const groups of never) {
    const reading = readingOf(telegram([clock, energy, `0-1:24.2.1${groups}`]));
    assert.deepEqual(values(reading), { "1-0:1.8.1*255": 2130115 });
    assert.deepEqual(reading.flags, ["never-read 0-1:24.2.1*255"]);
  }
  const legacy = ["0-1:24.3.0(632525252525)(00)(60)(1)(0-1:24.2.1)(m3)", "(00000.000)"];
  assert.deepEqual(readingOf(telegramWithoutCrc([energy, ...legacy])).flags.at(-1), "never-read 0-1:24.2.1*255");
});

test("takes no value with a capture time that is none, and none without a unit", () => {
  const reading = readingOf(
    telegram([clock, energy, "0-1:24.2.1(201326223001S)(00246.138*m3)", "0-2:24.2.1(200426223001S)(00246138)"]),
  );
  assert.deepEqual(values(reading), { "1-0:1.8.1*255": 2130115 });
  assert.deepEqual(reading.flags, ["capture-invalid 0-1:24.2.1*255", "no-unit 0-2:24.2.1*255"]);
});

test("reads the gas of DSMR 2.2 and 3.0 from the line after", () => {
  const reading = readingOf(
    telegramWithoutCrc([energy, "0-1:24.3.0(161107190000)(00)(60)(1)(0-1:24.2.1)(m3)", "(00001.001)", "0-1:24.4.0(1)"]),
  );
  assert.deepEqual(values(reading), { "1-0:1.8.1*255": 2130115, "0-1:24.2.1*255": 1001, "0-1:24.4.0*255": 1 });
});

test("reads thirteen months of peaks, and leaves out a month without one", () => {
  const months = Array.from({ length: 13 }, (_, index) => {
    const month = String(index === 12 ? 1 : index + 1).padStart(2, "0");
    const year = index === 12 ? "20" : "19";
    const captured = index === 4 ? "632525252525W" : `${year}${month}01001500W`;
    return `(${year}${month}01000000W)(${captured})(0${index % 10}.123*kW)`;
  });
  const line = `0-0:98.1.0(13)(1-0:1.6.0)(1-0:1.6.0)${months.join("")}`;
  const peaks = readingOf(telegram([clock, line])).registers.map(({ obis }) => obis[5]);
  assert.deepEqual(peaks, [101, 102, 103, 104, 105, 106, 107, 108, 110, 111, 112, 113]);
});

test("counts a log that is none of its form, and reads an empty one as empty", () => {
  for (const log of [
    "1-0:99.97.0(9)(0-0:96.7.19)(190326095015W)(0000002014*s)",
    "1-0:99.97.0(x)",
    "0-0:98.1.0(230701000000S)(1*kWh)",
  ]) {
    const reader = createP1Reader();
    const [outcome] = reader.push(telegram([clock, log]), 0);
    assert.ok(outcome?.ok && outcome.registers.length === 0);
    assert.equal(reader.counters.unknownObjects, 1, log);
  }
  for (const log of ["1-0:99.97.0()", "1-0:99.97.0(0)(0-0:96.7.19)"]) {
    const reader = createP1Reader();
    reader.push(telegram([clock, log]), 0);
    assert.equal(reader.counters.unknownObjects, 0, log);
  }
});

test("counts objects that it does not know and reads the others", () => {
  const reader = createP1Reader();
  const [outcome] = reader.push(
    telegram([clock, "0-0:96.50.68(ON)", "1-0:1.8.7(12*parsec)", energy, "0-5:9.9.9(7)"]),
    0,
  );
  assert.ok(outcome?.ok);
  assert.deepEqual(values(outcome), { "1-0:1.8.1*255": 2130115 });
  assert.equal(reader.counters.unknownObjects, 3);
  assert.deepEqual(outcome.flags, ["not-understood 1-0:1.8.7*255"]);
});

test("is silent of no measured quantity whose value it does not understand", () => {
  const flagsOf = (...lines: readonly string[]): readonly string[] =>
    readingOf(telegram([clock, energy, ...lines])).flags;
  for (const [line, flag] of [
    ["1-0:2.8.1(00001,5*kWh)", "not-understood 1-0:2.8.1*255"],
    ["1-0:2.8.1(1.5*kWh)(2.5*kWh)", "capture-invalid 1-0:2.8.1*255"],
    ["1-0:2.8.1(1)(2)(3)", "not-understood 1-0:2.8.1*255"],
    ["1-0:2.8.1(000015)", "no-unit 1-0:2.8.1*255"],
    ["1-0:32.7.0(#)", "not-understood 1-0:32.7.0*255"],
    ["0-0:96.14.0(T1)", "not-understood 0-0:96.14.0*255"],
    ["0-0:31.4.0(16*lb)", "not-understood 0-0:31.4.0*255"],
    ["0-1:24.2.1(200426223001S)(?*m3)", "not-understood 0-1:24.2.1*255"],
    ["0-0:98.1.0(1)(1-0:1.6.0)(200401000000S)(?)", "not-understood 1-0:1.6.0*101"],
    ["0-0:98.1.0(x)(1-0:1.6.0)(200401000000S)(1*kW)", "not-understood 0-0:98.1.0*255"],
  ] as const) {
    assert.deepEqual(flagsOf(line), [flag], line);
  }
  for (const line of ["1-0:2.8.1()", "0-0:96.13.0(on)", "1-0:96.5.5(8A)", "0-0:96.50.68(ON)", "1-0:99.97.0()"]) {
    assert.deepEqual(flagsOf(line), [], line);
  }
  const lines = Array.from({ length: 200 }, (_, index) => `1-0:1.7.${index}(1*W)`);
  assert.deepEqual(readingOf(telegram(lines)).flags, ["no-clock", "registers-left-out"]);
});

test("reads a peak whose time is behind its value, and gives it no age where that time is local", () => {
  const registersOf = (line: string) => readingOf(telegram([clock, line])).registers;
  const peak = { obis: Uint8Array.of(1, 0, 1, 6, 0, 255), value: 8796, scaler: 0, unit: 27 };
  assert.deepEqual(registersOf("1-0:1.6.0(08.796*kW)(200402010000)"), [peak]);
  assert.deepEqual(registersOf("1-0:1.6.0(200402010000)(08.796*kW)"), [peak]);
  assert.deepEqual(registersOf("1-0:1.6.0(08.796*kW)(200426223001S)"), [{ ...peak, age: 204 }]);
  assert.deepEqual(registersOf("1-0:1.6.0(08.796kW)(200426223001S)"), [{ ...peak, age: 204 }]);
  assert.deepEqual(readingOf(telegram([clock, energy, "1-0:1.6.0(08.796*kW)(200426223001)"])).flags, []);
});

test("takes the id that tells meters apart, wherever its kind of meter states it", () => {
  const meterOf = (...lines: readonly string[]): string => readingOf(telegram([clock, energy, ...lines])).meter;
  assert.equal(meterOf("0-0:42.0.0(53414731303330373030303030303031)"), "SAG1030700000001");
  assert.equal(meterOf("1-0:0.0.0*255(1EBZ0100000000)", "1-0:96.1.0*255(1EBZ0100000001)"), "1EBZ0100000001");
  assert.equal(meterOf("1-0:0.0.0*255(41424344)"), "41424344");
  assert.equal(meterOf("1-0:96.1.0(12345678A)"), "12345678A");
  assert.equal(meterOf("1-0:0.0.0*255(1)", "0-0:96.1.1(4530)"), "E0");
  assert.deepEqual(readingOf(telegram([clock, energy, "1-0:0.0.0*255(12345678A)"])).registers.length, 1);
});

/** The telegram with its CRC replaced by that of another kind. */
function withX25(header: string): Uint8Array {
  const bytes = telegram([version, clock, energy], header);
  const end = bytes.lastIndexOf(0x21) + 1;
  const crc = crc16X25(bytes, 0, end).toString(16).toUpperCase().padStart(4, "0");
  return joined(bytes.subarray(0, end), latin1(`${crc}\r\n`));
}

test("takes a CRC-16/X-25 from a Holley meter alone, and says so", () => {
  assert.deepEqual(readingOf(withX25("HLY5/D545-METER")).flags, ["quirk-crc"]);
  assert.deepEqual(readingOf(telegram([version, clock, energy], "HLY5/D545-METER")).flags, []);
  const [outcome] = outcomesOf(withX25("ISK5"));
  assert.ok(outcome?.ok === false && outcome.reason === "crc");
  assert.match(outcome.detail, /CRC-16\/X-25.*Holley/);
});

test("ends a telegram at no exclamation mark that a changed bit has made, and so steps over no CRC", () => {
  const unversioned = telegram([clock, energy, "1-0:32.7.0(230.1*V)"]);
  const text = Buffer.from(unversioned).toString("latin1");
  for (const [from, to] of [
    ["230.1*V", "230.!*V"],
    ["1*V)", "1*V!"],
    ["1-0:32", "!-0:32"],
    ["1-0:1.8.1", "!:1.8.1"],
    ["1-0:32", "!A:32"],
  ] as const) {
    const outcomes = outcomesOf(joined(latin1(text.replace(from, to)), good));
    assert.deepEqual(kinds(outcomes).at(-1), "ok");
    assert.ok(kinds(outcomes).slice(0, -1).includes("crc"), `${to}: ${kinds(outcomes)}`);
    assert.equal(kinds(outcomes).filter((kind) => kind === "ok").length, 1, to);
  }
});

test("refuses a telegram without CRC of a meter that has sent one with it", () => {
  const header = "ISk5\\2MT382-1000";
  const stream = joined(telegram([clock, energy], header), telegramWithoutCrc([clock, energy], header));
  assert.deepEqual(kinds(outcomesOf(stream)), ["ok", "crc"]);
  assert.deepEqual(kinds(outcomesOf(telegramWithoutCrc([clock, energy], header))), ["ok"]);
});

test("reads the telegram behind one that was cut off, be there a slash in its header or a text", () => {
  for (const good of [
    telegram(["1-3:0.2.8(50)", "1-0:1.8.0(000012.345*kWh)"], "HLY5/D545-METER"),
    telegramWithoutCrc(["0-0:96.13.0(1/ABC)", "1-0:1.8.0(000012.345*kWh)"]),
  ]) {
    // From where its lines begin a text of the second is one of the first as well, or its only line is whole.
    const lines = good.indexOf(0x28);
    for (let length = 1; length < lines; length++) {
      const outcomes = outcomesOf(joined(good.subarray(0, length), good));
      assert.deepEqual(kinds(outcomes), ["truncated", "ok"], `cut off after ${length} bytes`);
    }
  }
});

test("takes a slash within a text for no new telegram", () => {
  for (const text of ["on/off", "/ABC5", "see /ABC5x"]) {
    const bytes = telegramWithoutCrc([energy, `0-0:96.13.0(${text})`, "1-0:1.8.2(1*kWh)"]);
    assert.deepEqual(Object.keys(values(readingOf(bytes))), ["1-0:1.8.1*255", "1-0:1.8.2*255"], text);
  }
});

test("flags lines that are no objects, codes that come twice, and a clock that does not go", () => {
  const reading = readingOf(telegram([clock, energy, "1-0:1.8.2(1*kWh", "1-0:1.8.1(9*kWh)"]));
  assert.deepEqual(reading.flags, ["malformed-line", "duplicate 1-0:1.8.1*255"]);
  assert.deepEqual(values(reading), { "1-0:1.8.1*255": 2130115 });
  const clockless = readingOf(telegram(["0-0:1.0.0(632525252525W)", "0-1:24.2.1(200426223001S)(1*m3)"]));
  assert.equal(clockless.time_s, undefined);
  assert.deepEqual(clockless.flags, ["no-clock"]);
  assert.equal(clockless.registers[0]?.age, undefined);
});

test("goes by the zone of the profile", () => {
  assert.equal(readingOf(good, { zoneOffset_s: 0 }).time_s, time_s + 3600);
});

test("bounds the registers and the flags of one telegram", () => {
  const lines = Array.from({ length: 250 }, (_, index) => `1-0:1.${index}.0(1*W)`);
  assert.equal(readingOf(telegram(lines)).registers.length, 160);
  const doubtful = Array.from({ length: 100 }, (_, index) => `0-${index}:24.2.1()(0)`);
  assert.equal(readingOf(telegram([clock, energy, ...doubtful])).flags.length, 16);
});

test("finds room for a doubt that the comparison with the reading before adds to a full list", () => {
  const unitless = Array.from({ length: 40 }, (_, index) => `1-0:2.8.${index}(1)`);
  const reader = createReader("p1");
  reader.push(telegram([clock, energy, ...unitless]), 0);
  const [outcome] = reader.push(telegram([clock, "1-0:1.8.1(002130.114*kWh)", ...unitless]), 1000);
  assert.ok(outcome?.ok);
  assert.equal(outcome.flags.length, 16);
  assert.equal(outcome.flags[0], "doubts-left-out");
  assert.ok(outcome.flags.includes("fell 1-0:1.8.1*255"));
});

test("gives the same outcomes however the stream is split", () => {
  const cut = good.subarray(0, 40);
  const broken = good.map((byte, index) => (index === 60 ? byte ^ 1 : byte));
  const stream = joined(
    latin1("noise"),
    good,
    cut,
    good,
    broken,
    telegramWithoutCrc([energy]),
    latin1("/x\r\n!12"),
    good,
  );
  const whole = outcomesOf(stream);
  assert.deepEqual(kinds(whole), ["ok", "truncated", "ok", "crc", "ok", "crc", "ok"]);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 60 }), (lengths) => {
      const reader = createP1Reader();
      const outcomes: Outcome[] = [];
      for (let start = 0, turn = 0; start < stream.length; turn++) {
        const length = lengths[turn % lengths.length]!;
        outcomes.push(...reader.push(stream.subarray(start, start + length), turn));
        start += length;
      }
      assert.deepEqual([...outcomes, ...reader.end()], whole);
    }),
  );
});

test("leaves a good telegram unread where nobody wants it, once one was read, and judges every CRC all the same", () => {
  let wanted = false;
  const passed: number[] = [];
  const demand = { isWanted: () => wanted, passed: (uptime_ms: number) => void passed.push(uptime_ms) };
  const reader = createP1Reader({ demand });
  const broken = good.map((byte, index) => (index === 60 ? byte ^ 1 : byte));
  assert.deepEqual(kinds(reader.push(good, 1)), ["ok"], "the first");
  assert.deepEqual(kinds(reader.push(good, 2)), []);
  assert.deepEqual(kinds(reader.push(broken, 3)), ["crc"]);
  assert.deepEqual(kinds(reader.push(telegramWithoutCrc([energy]), 4)), ["ok"], "nothing but its values is checked");
  wanted = true;
  assert.deepEqual(kinds(reader.push(good, 5)), ["ok"]);
  assert.deepEqual(passed, [2]);
  assert.equal(reader.counters.frames, 4);
});

test("survives any bytes, and reads the telegram that follows them", () => {
  const hostile = fc.oneof(
    fc.uint8Array({ maxLength: 3000 }),
    fc
      .array(fc.constantFrom(..."/!()*.-:0123456789ABCDEFk\r\nWhS"), { maxLength: 3000 })
      .map((characters) => latin1(characters.join(""))),
  );
  fc.assert(
    fc.property(fc.array(hostile, { maxLength: 5 }), (chunks) => {
      const reader = createP1Reader();
      for (const chunk of chunks) reader.push(chunk, 0);
      reader.push(latin1("\r\n"), 0);
      assert.ok(reader.push(good, 0).at(-1)?.ok);
    }),
  );
});

test("survives any lines in a telegram with a good CRC", () => {
  const line = fc.string({ unit: fc.constantFrom(..."()*.-:0123456789kWhSm3"), maxLength: 60 });
  const shaped = fc.tuple(
    fc.constantFrom("0-0:1.0.0", "0-1:24.2.1", "0-1:24.3.0", "0-0:98.1.0", "1-0:99.97.0", "1-0:1.8.1", "0-0:96.1.1"),
    fc.array(fc.string({ unit: fc.constantFrom(..."*.-:0123456789kWhSm3"), maxLength: 14 }), { maxLength: 16 }),
  );
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          line,
          shaped.map(([obis, groups]) => `${obis}(${groups.join(")(")})`),
        ),
        { maxLength: 30 },
      ),
      (lines) => {
        for (const outcome of outcomesOf(telegram([energy, ...lines]))) {
          if (!outcome.ok) continue;
          for (const { value, scaler, age } of outcome.registers) {
            assert.ok(typeof value === "bigint" || Number.isSafeInteger(value));
            assert.ok(Number.isInteger(scaler));
            assert.ok(age === undefined || (Number.isInteger(age) && age > 0));
          }
        }
      },
    ),
  );
});
