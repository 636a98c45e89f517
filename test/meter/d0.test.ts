import assert from "node:assert/strict";
import { test } from "node:test";
import { readoutBytesMax } from "../../src/meter/d0-frame.js";
import { createReader, type ReaderOptions } from "../../src/meter/reader.js";
import { checkedBlock, identification, pushedReadout, readoutLines } from "../../tools/emulators/d0-readout.js";
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
} from "./streams.js";
import { latin1 } from "./telegram.js";

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

test("takes a block that lost its check character for unchecked, once nothing more comes", () => {
  const cutOff = good.subarray(0, good.length - 2);
  const reader = createReader("d0");
  assert.deepEqual(reader.push(cutOff, 0), []);
  assert.deepEqual(reader.push(new Uint8Array(0), 1000), []);
  const [outcome] = reader.push(new Uint8Array(0), 2000);
  assert.ok(outcome?.ok && outcome.flags.includes("unchecked"));
  // A host that was busy delivers late: the check character still counts.
  const late = createReader("d0");
  late.push(cutOff, 0);
  const [checked] = late.push(good.subarray(good.length - 2), 60_000);
  assert.ok(checked?.ok && !checked.flags.includes("unchecked"));
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
  ]);
  const [outcome] = reader.push(joined(identified, block), 0);
  assert.ok(outcome?.ok);
  assert.deepEqual(outcome.registers, []);
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
