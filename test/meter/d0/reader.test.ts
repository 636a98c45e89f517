import assert from "node:assert/strict";
import { test } from "node:test";
import { readoutBytesMax } from "../../../src/meter/d0/frame.js";
import type { ReaderOptions } from "../../../src/meter/open-reader.js";
import { createReader } from "../../../src/meter/open-reader.js";
import { checkedBlock, identification, pushedReadout, readoutLines } from "../../../tools/emulators/d0-readout.js";
import {
  assertAnyPieces,
  assertSurvives,
  changed,
  householdAt,
  joined,
  kinds,
  outcomesOf,
  readingOf,
  registersOf,
} from "../streams.js";
import { latin1 } from "../telegram.js";

const lines = ["F.F(00)", "C.1(53965555)", "1.8.0(000285.4*kWh)", "31.7.0(+000.8*A)", "1.7.0( -0.49*kW)"];
const identified = latin1(`/${identification}\r\n`);
const good = joined(identified, checkedBlock(lines));
const registers = {
  "1-0:1.8.0*255": [2854, 2, 30],
  "1-0:31.7.0*255": [8, -1, 33],
  "1-0:1.7.0*255": [-49, 1, 27],
};

function read(dataSets: readonly string[], options?: ReaderOptions) {
  return readingOf("d0", joined(identified, checkedBlock(dataSets)), options);
}

test("reads a block with its check character, its meter, its registers and its bytes", () => {
  const reading = readingOf("d0", good);
  assert.equal(reading.meter, "53965555");
  assert.deepEqual(registersOf(reading), registers);
  assert.deepEqual(reading.flags, ["no-clock"]);
  assert.deepEqual(reading.frame, good);
});

test("gives the registers before the rest of the stream has come", () => {
  assert.deepEqual(kinds(createReader("d0").push(good, 0)), ["ok"]);
});

test("reads what an emulated household's meter says, with its time in UTC", () => {
  for (const time_s of [1_700_000_000, 1_690_000_000]) {
    const state = householdAt(time_s);
    const reading = readingOf("d0", joined(identified, checkedBlock(readoutLines(state))));
    assert.equal(reading.time_s, time_s);
    assert.equal(reading.meter, state.serial);
    const consumed_Ws = state.consumed.low_Ws + state.consumed.normal_Ws;
    assert.deepEqual(registersOf(reading)["1-0:1.8.0*255"], [Math.floor(consumed_Ws / 3600), 0, 30]);
  }
});

test("reads the push of mode D and says that nothing checks it", () => {
  const reading = readingOf("d0", pushedReadout(lines));
  assert.deepEqual(registersOf(reading), registers);
  assert.deepEqual(reading.flags, ["unchecked", "no-clock"]);
  assert.deepEqual(kinds(outcomesOf("d0", pushedReadout(lines), { requireCrc: true })), ["crc"]);
});

test("parses nothing of a block with any byte changed", () => {
  const block = checkedBlock(lines);
  for (let index = 0; index < block.length; index++) {
    for (const mask of [1, 4, 0x20]) {
      const outcomes = outcomesOf("d0", joined(identified, changed(block, index, mask)));
      // Where the start or the end of the block is lost, it has no check character any more: it is refused, or flagged.
      assert.ok(
        outcomes.every((outcome) => !outcome.ok || outcome.flags.includes("unchecked")),
        `byte ${index}, mask ${mask}: ${kinds(outcomes)}`,
      );
      assert.deepEqual(
        kinds(outcomesOf("d0", joined(identified, changed(block, index, mask)), { requireCrc: true })).includes("ok"),
        false,
      );
    }
  }
});

test("refuses a block that lost its check character, once nothing more comes; a log that ends there is unchecked", () => {
  const cutOff = good.subarray(0, good.length - 2);
  const reader = createReader("d0");
  assert.deepEqual(reader.push(cutOff, 0), []);
  assert.deepEqual(reader.push(new Uint8Array(0), 1000), []);
  assert.deepEqual(kinds(reader.push(new Uint8Array(0), 2000)), ["crc"]);
  assert.ok(readingOf("d0", cutOff, { headless: true }).flags.includes("unchecked"));
  // A host that was busy delivers late: the check character still counts.
  const late = createReader("d0");
  late.push(cutOff, 0);
  const [checked] = late.push(good.subarray(good.length - 2), 60_000);
  assert.ok(checked?.ok && !checked.flags.includes("unchecked"));
});

test("reads a push at the next byte, or after a pause: it has no check character that could still come", () => {
  const push = pushedReadout(lines);
  const reader = createReader("d0");
  assert.deepEqual(reader.push(push, 0), []);
  assert.ok(reader.wakeAt_ms() <= 1501);
  assert.deepEqual(kinds(reader.push(new Uint8Array(0), 1501)), ["ok"]);
  reader.push(push, 3000);
  assert.deepEqual(kinds(reader.push(push, 4000)), ["ok"]);
});

test("steps over no check character for a byte that changed, whatever else did", () => {
  const text = Buffer.from(good).toString("latin1").replace("000285.4", "900285.4");
  const broken = (from: string | RegExp, to: string): Uint8Array => latin1(text.replace(from, to));
  for (const [name, bytes] of Object.entries({
    "STX to a line end": broken("\u0002", "\n"),
    "STX to ACK": broken("\u0002", "\u0006"),
    "STX to noise": broken("\u0002", "\u0000"),
    "STX lost": broken("\u0002", ""),
    "ETX to noise": broken("\u0003", "\u0001"),
    "ETX to a digit": broken("\u0003", "1"),
    "ETX lost": broken("\u0003", ""),
    "an exclamation mark in a group": broken("53965555", "5396!555"),
    "one for its parenthesis": broken("53965555)", "53965555!"),
    "one at the start of a line": broken("1.7.0(", "!.7.0("),
    "one between two data sets": broken("53965555)\r\n1", "53965555)!"),
    "no exclamation mark": broken("!", " "),
  })) {
    for (const headless of [false, true]) {
      const outcomes = outcomesOf("d0", joined(bytes, latin1("\r\n"), good), { headless });
      const values = outcomes.flatMap((outcome) => (outcome.ok ? [registersOf(outcome)["1-0:1.8.0*255"]?.[0]] : []));
      assert.ok(!values.includes(9002854), `${name}: ${kinds(outcomes)}`);
    }
  }
});

test("refuses a readout of a version that has a CRC where it has none, or where its beginning is missing", () => {
  const push = (...sets: readonly string[]): Uint8Array => pushedReadout(sets);
  const energy = "1-0:1.8.1(1*kWh)";
  for (const version of ["1-3:0.2.8(50)", "0-0:96.1.4(50217)"]) {
    assert.deepEqual(kinds(outcomesOf("d0", push(version, energy))), ["crc"]);
  }
  assert.deepEqual(kinds(outcomesOf("d0", push("0.2.8(50)", energy))), ["ok"]);
  const tail = latin1(`${energy}\r\n!84DD\r\n`);
  assert.deepEqual(kinds(outcomesOf("d0", tail, { headless: true })), ["crc"]);
  const log = `1-3:0.2.8(50)\r\n${energy}\r\n`;
  for (const [bytes, expected] of [
    [`${log}!84DD\r\n`, "ok"],
    [`${log}!\r\n`, "crc"],
    [`0-0:96.14.0(0002)\r\n${log}!84DD\r\n`, "crc"],
    [`0.2.8(50)\r\n${energy}\r\n!84DD\r\n`, "crc"],
  ] as const) {
    assert.deepEqual(kinds(outcomesOf("d0", latin1(bytes), { headless: true })), [expected], bytes);
    assert.deepEqual(kinds(outcomesOf("d0", latin1(bytes), { headless: true, requireCrc: true })), ["crc"], bytes);
  }
});

test("takes nothing from the line that a log begins in the middle of", () => {
  const reading = readingOf("d0", latin1("1.7.0(0000.531*kW)\r\n1-0:1.7.0(1*kW)\r\n!\r\n"), { headless: true });
  assert.deepEqual(registersOf(reading), { "1-0:1.7.0*255": [1, 3, 27] });
  assert.ok(reading.flags.includes("malformed-line"));
});

test("reads capital K, lost asterisks and spaces, and takes no id for a quantity", () => {
  const reading = read(["1.8.1(0018675.062*KWh)", "2.8.0(1.5kWh)", "1.7.0(2*kW )", "0.0.0(12345678A)", "0.2.0(1.03A)"]);
  assert.deepEqual(registersOf(reading), {
    "1-0:1.8.1*255": [18675062, 0, 30],
    "1-0:2.8.0*255": [15, 2, 30],
    "1-0:1.7.0*255": [2, 3, 27],
  });
  assert.equal(reading.meter, "12345678A");
});

test("is silent of no measured quantity whose value it does not understand", () => {
  const flagsOf = (...sets: readonly string[]): readonly string[] =>
    read(["1.8.0(1*kWh)", ...sets]).flags.filter((flag) => flag !== "no-clock");
  for (const [set, flag] of [
    ["2.8.0(1,5*kWh)", "not-understood 1-0:2.8.0*255"],
    ["2.8.0(1*furlong)", "not-understood 1-0:2.8.0*255"],
    ["0.8.9(1*furlong)", "not-understood 1-0:0.8.9*255"],
    ["31.7.0(--)", "not-understood 1-0:31.7.0*255"],
    ["1.6.0(2.612)(24-11-05,17:00)", "no-unit 1-0:1.6.0*255"],
    ["6-0:6.26.0(1*m9)", "not-understood 6-0:6.26.0*255"],
    ["X.Y(1*kWh)", "malformed-line"],
  ] as const) {
    assert.deepEqual(flagsOf(set), [flag], set);
  }
  for (const set of ["2.8.0()", "0.2.0(V01.69#EEA3546C)", "C.90(00000100)", "0.9.2(2017-03-18)", "F.F(0)", "X.Y(1)"])
    assert.deepEqual(flagsOf(set), [], set);
});

test("calls the meter by the id that tells it from others, however its code is spelled", () => {
  const meterOf = (...sets: readonly string[]): string => read(["1.8.0(1*kWh)", ...sets]).meter;
  for (const set of ["96.1.0(00000018)", "1-0:96.1.0*255(00000018)", "C.1.0(00000018)", "C.1(00000018)"])
    assert.equal(meterOf(set), "00000018", set);
  for (const set of ["0.0.0(00000018)", "1-1:0.0.0(00000018)", "0-0:42.0.0(00000018)", "0-0:96.1.255(00000018)"])
    assert.equal(meterOf(set), "00000018", set);
  assert.equal(meterOf("C.1.6(0000)", "0.2.0(1.03)"), identification);
});

test("leaves out the echoes of request and acknowledgement", () => {
  const echoed = joined(latin1("/?!\r\n"), identified, latin1("\u0006050\r\n"), checkedBlock(lines));
  const reading = readingOf("d0", echoed);
  assert.deepEqual(registersOf(reading), registers);
  assert.deepEqual(reading.frame, good);
});

test("takes a data block without its head for a readout only where the capture is said to be such a log", () => {
  const bare = latin1(`${lines.join("\r\n")}\r\n!\r\n`);
  assert.deepEqual(outcomesOf("d0", bare), []);
  const reading = readingOf("d0", bare, { headless: true });
  assert.deepEqual(registersOf(reading), registers);
  assert.deepEqual(reading.flags, ["unchecked", "headless", "no-clock"]);
  assert.deepEqual(kinds(outcomesOf("d0", joined(bare, bare), { headless: true })), ["ok", "ok"]);
  // In the middle of a stream the beginning of a line may be missing: nothing begins there.
  assert.deepEqual(outcomesOf("d0", joined(latin1(")\r\n"), bare), { headless: true }), []);
});

test("verifies the CRC of a P1 telegram on a D0 port", () => {
  const telegram = latin1("/ISk5\\2MT382-1000\r\n\r\n1-0:1.8.1(000001.000*kWh)\r\n!0000\r\n");
  assert.deepEqual(kinds(outcomesOf("d0", telegram)), ["crc"]);
});

test("takes reduced codes for electricity, letters for abstract objects, and a star for a past period", () => {
  const reading = read(["1.8.0*01(1*kWh)", "1.8.0&02(2*kWh)", "1-1:1.8.0(3*kWh)", "C.8.1(4*h)", "0-0:C.7.9(5*h)"]);
  assert.deepEqual(Object.keys(registersOf(reading)), [
    "1-0:1.8.0*1",
    "1-0:1.8.0*2",
    "1-1:1.8.0*255",
    "0-0:96.8.1*255",
    "0-0:96.7.9*255",
  ]);
});

test("takes reduced codes for heat where 6.8 is an active energy", () => {
  const reading = read(["6.8(0029.055*MWh)6.26(01589.28*m3)9.21(00010213)6.26*01(01563.92*m3)6.33(1.476*m3ph)"]);
  assert.equal(reading.meter, "00010213");
  assert.deepEqual(registersOf(reading), {
    "6-0:6.8.0*255": [29055, 3, 30],
    "6-0:6.26.0*255": [158928, -2, 13],
    "6-0:6.26.0*1": [156392, -2, 13],
    "6-0:6.33.0*255": [1476, -3, 15],
  });
  assert.deepEqual(Object.keys(registersOf(read(["6.8.0(1.0*kvarh)"]))), ["1-0:6.8.0*255"]);
});

test("keeps an energy without unit as a plain number and flags it; the profile makes it kWh", () => {
  const energy = ["1-0:1.8.1*255(032942.0231)"];
  assert.deepEqual(registersOf(read(energy)), { "1-0:1.8.1*255": [329420231, -4, 255] });
  assert.ok(read(energy).flags.includes("no-unit 1-0:1.8.1*255"));
  const mended = read(energy, { profile: "emh-ehz-d0" });
  assert.deepEqual(registersOf(mended), { "1-0:1.8.1*255": [329420231, -1, 30] });
  assert.ok(mended.flags.includes("quirk-unit 1-0:1.8.1*255"));
});

test("takes no register from ids, versions, dates and empty groups, and counts what it does not know", () => {
  const reader = createReader("d0");
  const block = checkedBlock([
    "0.2.0(V01.69#EEA3546C)",
    "C.90(00000100)",
    "1.6.2*01()",
    "0.9.2(2017-03-18)",
    "9.4(088*C&082*C)",
    "X.Y(1*kWh)",
    "1.300.0(1*kWh)",
    "1.8.0(1.2.3*kWh)",
    "2.8.0(1*kWh)",
  ]);
  const [outcome] = reader.push(joined(identified, block), 0);
  assert.ok(outcome?.ok);
  assert.deepEqual(Object.keys(registersOf(outcome)), ["1-0:2.8.0*255"]);
  assert.equal(reader.counters.unknownObjects, 4);
});

test("passes over the rows of a load profile, and keeps the time of a peak out of its value", () => {
  const reading = read([
    "1.6.0(02.468*kW)(1703100930)",
    "P.01(1703181930)(08)(15)(2)(1.5)(kW)(2.5)(kW)",
    "(0.044)(0.000)",
    "(0.052)(0.000)",
    "2.8.0(1*kWh)",
  ]);
  assert.deepEqual(registersOf(reading), { "1-0:1.6.0*255": [2468, 0, 27], "1-0:2.8.0*255": [1, 3, 30] });
});

test("never makes a reading of a channel that was never read", () => {
  const reading = read([
    "0-0:1.0.0(200426223325S)",
    "0-1:24.2.1(632525252525W)(00000.000*m3)",
    "0-2:24.2.1(200426223001S)(00246.138*m3)",
  ]);
  assert.deepEqual(registersOf(reading), { "0-2:24.2.1*255": [246138, -3, 13] });
  assert.deepEqual(reading.flags, ["never-read 0-1:24.2.1*255"]);
  assert.equal(reading.registers[0]!.age, 204);
});

test("goes by the season's digit of the date, and does not guess where there is none", () => {
  const clock = (date: string, time = "0.9.1(201455)"): number | undefined => read(["1.8.0(1*kWh)", date, time]).time_s;
  const winter = Date.UTC(2017, 2, 18, 19, 14, 55) / 1000;
  assert.equal(clock("0.9.2(0170318)"), winter);
  assert.equal(clock("0.9.2(1170318)"), winter - 3600);
  assert.equal(clock("0.9.2(2170318)"), winter + 3600);
  assert.equal(clock("0.9.2(170318)", "0.9.1(1201455)"), winter - 3600);
  for (const date of ["0.9.2(170318)", "0.9.2(3170318)", "0.9.2(0171318)", "0.9.2(17-03-18)"]) {
    assert.equal(clock(date), undefined, date);
  }
});

test("flags lines that are no data sets, and reads the others", () => {
  const reading = read(["1.8.0(1*kWh)", "rubbish", "2.8.0(2*kWh", "1.8.0(9*kWh)", "1.7.0(1*kW)"]);
  assert.ok(reading.flags.includes("malformed-line"));
  assert.ok(reading.flags.includes("duplicate 1-0:1.8.0*255"));
  assert.deepEqual(registersOf(reading)["1-0:1.7.0*255"], [1, 3, 27]);
});

test("refuses a block without a data set, one cut off by the next, and one without end", () => {
  assert.deepEqual(kinds(outcomesOf("d0", joined(identified, checkedBlock([])))), ["malformed"]);
  const cutOff = good.subarray(0, good.length - 20);
  assert.deepEqual(kinds(outcomesOf("d0", joined(cutOff, latin1("\r\n"), good))), ["truncated", "ok"]);
  assert.deepEqual(kinds(outcomesOf("d0", cutOff)), ["truncated"]);
  const endless = joined(identified, Uint8Array.of(2), latin1("1.8.0(1*kWh)\r\n".repeat(2000)));
  assert.ok(endless.length > readoutBytesMax);
  assert.deepEqual(kinds(outcomesOf("d0", joined(endless, good))), ["oversized", "ok"]);
});

test("bounds registers and doubts of one readout", () => {
  const many = Array.from({ length: 400 }, (_, index) => `1-${index >> 8}:${index % 80}.${index & 255}.0(1*W)`);
  const reading = read(many);
  assert.equal(reading.registers.length, 256);
  assert.ok(reading.flags.includes("registers-left-out"));
  assert.ok(reading.flags.length <= 16);
});

test("gives the same outcomes however the stream is split", () => {
  const stream = joined(
    latin1("noise\r\n"),
    good,
    pushedReadout(lines),
    changed(good, good.length - 1),
    good.subarray(0, 60),
    latin1("\r\n"),
    good,
    latin1("/?0123!\r\n"),
    good,
  );
  assert.deepEqual(kinds(outcomesOf("d0", stream)), ["ok", "ok", "crc", "truncated", "ok", "ok"]);
  assertAnyPieces("d0", stream);
  assertAnyPieces("d0", stream, { headless: true });
});

test("survives any bytes, and reads the readout that follows them", () => {
  const pieces = [
    pushedReadout(lines),
    latin1("/?!\r\n"),
    latin1("\u0006050\r\n"),
    latin1("!\r\n"),
    Uint8Array.of(2, 3),
  ];
  assertSurvives("d0", good, pieces);
  assertSurvives("d0", good, pieces, { headless: true });
});
