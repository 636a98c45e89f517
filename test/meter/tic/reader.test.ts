import assert from "node:assert/strict";
import { test } from "node:test";
import { historicFrame, historicTic, standardFrame, standardTic } from "../../../tools/emulators/tic-frame.js";
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

const state = householdAt(1_700_000_000);
const standard = standardTic(state);
const historic = historicTic(state);

test("reads Linky's standard mode: its clock, what it counts, what it measures by phase, and its peaks with their age", () => {
  const { meter, time_s, registers, flags } = readingOf("tic", standard);
  const stated = registersOf({ registers } as Parameters<typeof registersOf>[0]);
  assert.equal(time_s, state.time_s);
  assert.match(meter, /^\d{12}$/);
  assert.deepEqual(flags, []);
  const { consumed, phases } = state;
  assert.deepEqual(stated["1-0:1.8.0*255"], [Math.floor((consumed.low_Ws + consumed.normal_Ws) / 3600), 0, 30]);
  assert.deepEqual(stated["1-0:1.8.1*255"], [Math.floor(consumed.low_Ws / 3600), 0, 30]);
  assert.deepEqual(stated["1-1:1.8.1*255"], stated["1-0:1.8.1*255"], "the distributor's tariff");
  assert.deepEqual(stated["1-0:52.7.0*255"], [Math.round(phases[1].voltage_dV / 10), 0, 35]);
  assert.deepEqual(stated["1-0:71.7.0*255"], [Math.round(phases[2].current_cA / 100), 0, 33]);
  assert.deepEqual(stated["0-0:17.0.0*255"], [12, 3, 28]);
  assert.deepEqual(stated["0-0:96.5.0*255"], [0x003a0001, 0, 255]);
  const peak = registers.find(({ obis }) => obis[2] === 9 && obis[3] === 6)!;
  assert.equal(peak.age, state.time_s - state.monthPeak.time_s);
});

test("reads historic mode, of Linky and the meters before it", () => {
  const { meter, time_s, flags, ...reading } = readingOf("tic", historic);
  assert.equal(time_s, undefined);
  assert.deepEqual(flags, ["no-clock"]);
  assert.match(meter, /^\d{12}$/);
  const stated = registersOf({ meter, time_s, flags, ...reading });
  assert.deepEqual(stated["1-0:1.8.2*255"], [Math.floor(state.consumed.normal_Ws / 3600), 0, 30]);
  assert.deepEqual(stated["1-0:51.7.0*255"], [Math.round(state.phases[1].current_cA / 100), 0, 33]);
  assert.deepEqual(stated["1-0:31.4.0*255"], [30, 0, 33], "the subscribed current");
  assert.deepEqual(stated["0-0:96.14.0*255"], [state.normalTariff ? 2 : 1, 0, 255]);
});

test("reads groups as published ones are, checks and all", () => {
  const frame = latin1("\x02\nISOUSC 15 <\r\nIINST 001 X\r\nPAPP 00180 *\r\nHHPHC A ,\r\nMOTDETAT 000000 B\r\x03");
  assert.deepEqual(registersOf(readingOf("tic", frame)), {
    "1-0:31.4.0*255": [15, 0, 33],
    "1-0:31.7.0*255": [1, 0, 33],
    "1-0:9.7.0*255": [180, 0, 28],
  });
});

test("counts ages from the meter's clock, in summer time and winter time", () => {
  const reading = readingOf(
    "tic",
    standardFrame([
      ["DATE", "E230720140000", ""],
      ["SMAXSN", "H230120120000", "04536"],
      ["SMAXSN-1", "E230719135900", "02265"],
    ]),
  );
  assert.equal(reading.time_s, Date.UTC(2023, 6, 20, 12) / 1000);
  const [peak, before] = reading.registers;
  assert.equal(peak!.age, (Date.UTC(2023, 6, 20, 12) - Date.UTC(2023, 0, 20, 11)) / 1000);
  assert.equal(before!.obis[5], 101);
  const overseas = readingOf(
    "tic",
    standardFrame([
      ["DATE", "H230720140000", ""],
      ["EAST", undefined, "1"],
    ]),
    { zoneOffset_s: -14_400 },
  );
  assert.equal(overseas.time_s, Date.UTC(2023, 6, 20, 18) / 1000);
});

test("believes no clock that the meter doubts: its season in lower case, or its status word", () => {
  const east = ["EAST", undefined, "000000001"] as const;
  for (const groups of [
    [["DATE", "e230720140000", ""], east],
    [["DATE", " 000000000000", ""], east],
    [["DATE", "E230720140000", ""], east, ["STGE", undefined, "003B0001"]],
  ] as const) {
    const { time_s, flags } = readingOf("tic", standardFrame(groups));
    assert.equal(time_s, undefined);
    assert.deepEqual(flags, ["no-clock"]);
  }
});

test("leaves out a peak without a time, and names it", () => {
  const frame = standardFrame([
    ["DATE", "E230720140000", ""],
    ["EAST", undefined, "1"],
    ["SMAXIN-1", " 000000000000", "00000"],
  ]);
  const { registers, flags } = readingOf("tic", frame);
  assert.equal(registers.length, 1);
  assert.deepEqual(flags, ["capture-invalid 1-0:10.6.0*101"]);
});

test("names a label that it does not know, and says nothing of those that state no number", () => {
  const { flags } = readingOf(
    "tic",
    historicFrame([
      ["BASE", undefined, "1"],
      ["NEUF", undefined, "2"],
      ["DEMAIN", undefined, "----"],
    ]),
  );
  assert.deepEqual(flags, ["not-understood NEUF", "no-clock"].reverse());
});

test("reads every tariff of historic mode", () => {
  const labels = ["BBRHCJB", "BBRHPJB", "BBRHCJW", "BBRHPJW", "BBRHCJR", "BBRHPJR"];
  const frame = historicFrame([
    ...labels.map((label, index) => [label, undefined, `${index + 1}`] as const),
    ["PTEC", undefined, "HPJW"],
  ]);
  const stated = registersOf(readingOf("tic", frame));
  assert.deepEqual(
    labels.map((_, index) => stated[`1-0:1.8.${index + 1}*255`]?.[0]),
    [1, 2, 3, 4, 5, 6],
  );
  assert.deepEqual(stated["0-0:96.14.0*255"], [4, 0, 255]);
});

test("refuses a frame of which one check is wrong, which broke off, or which is no frame", () => {
  const good = ["EAST", undefined, "000000001"] as const;
  const one = standardFrame([good]);
  for (const [bytes, reason] of [
    [changed(one, 8), "crc"],
    [joined(one.subarray(0, 12), Uint8Array.of(4)), "truncated"],
    [one.subarray(0, 12), "truncated"],
    [joined(one.subarray(0, 12), one), "truncated"],
    [Uint8Array.of(2, 3), "malformed"],
    [standardFrame([["EAST", undefined, "00000000p"]]), "malformed"],
    [standardFrame([["ADSC", undefined, "1"]]), "malformed"],
    [joined(one.subarray(0, -1), historicFrame([["BASE", undefined, "1"]]).subarray(1)), "crc"],
    [new Uint8Array(4000).fill(0x41).fill(2, 0, 1), "oversized"],
  ] as const) {
    assert.equal(kinds(outcomesOf("tic", bytes))[0], reason);
  }
});

test("remembers whose short frames are", () => {
  const short = historicFrame([
    ["ADIR1", undefined, "032"],
    ["IINST1", undefined, "032"],
    ["IINST2", undefined, "001"],
  ]);
  const [whole, brief] = outcomesOf("tic", joined(historic, short));
  assert.ok(whole?.ok && brief?.ok);
  assert.equal(brief.meter, whole.meter);
});

test("gives the same outcomes however the stream is split, and survives any bytes", () => {
  assertAnyPieces("tic", joined(latin1("noise"), standard, changed(historic, 50), historic, standard.subarray(0, 100)));
  assertSurvives("tic", standard, [
    historic,
    Uint8Array.of(2),
    Uint8Array.of(3),
    Uint8Array.of(4),
    latin1("\x02\n\t\t\t\r\x03"),
  ]);
});
