import assert from "node:assert/strict";
import { createCipheriv } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { createReader } from "../../../src/meter/open-reader.js";
import type { Reading } from "../../../src/meter/reader.js";
import {
  amisTelegram,
  answerToMaster,
  digits,
  fixedTelegram,
  header,
  heatTelegram,
  little,
  longFrame,
  shortFrame,
  vectorOf,
} from "../../../tools/emulators/mbus-meter.js";
import { nodeMeterCrypto } from "../../../tools/meters/meter-crypto.js";
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

const state = householdAt(1_700_000_000);
const nothing = new Uint8Array(0);
const key = new Uint8Array(16).fill(7);
const keys = { crypto: nodeMeterCrypto, keys: { encryption: key } };
const water = { id: "12345678", maker: "EMU", medium: 7 };

/** The reading of one telegram with these records; of an electricity meter where no other header is given. */
function read(records: readonly number[], options: Parameters<typeof header>[0] = { ...water, medium: 2 }): Reading {
  return readingOf("mbus", longFrame(0x08, 1, 0x72, [...header(options), ...records]));
}

test("reads a heat meter: energy, volume, power, flow, temperatures, hours, what it stored, its clock and whose it is", () => {
  const reading = readingOf("mbus", heatTelegram(state));
  const { volume_dm3 } = state.gas;
  assert.deepEqual(registersOf(reading), {
    "6-0:1.0.0*255": [Math.floor(volume_dm3 / 100), 3, 30],
    "6-0:2.0.0*255": [volume_dm3, -3, 13],
    "6-0:8.0.0*255": [45, 2, 27],
    "6-0:9.0.0*255": [512, -3, 15],
    "6-0:10.0.0*255": [654, -1, 9],
    "6-0:11.0.0*255": [432, -1, 9],
    "6-0:12.0.0*255": [22_200, -3, 52],
    "0-0:96.8.1*255": [345, 0, 4],
    "6-0:1.0.0*1": [1234, 3, 30],
  });
  assert.equal(reading.time_s, state.time_s - (state.time_s % 60));
  assert.equal(reading.meter, `EMU${state.serial.slice(-8)}`);
  assert.deepEqual(reading.flags, []);
});

test("gives each medium the group of its own", () => {
  const volume = [0x0c, 0x13, ...digits(1234567, 4)];
  for (const [medium, code] of [
    [7, "8-0:1.0.0*255"],
    [0x16, "8-0:1.0.0*255"],
    [6, "9-0:1.0.0*255"],
    [3, "7-0:3.0.0*255"],
    [0x0c, "6-0:2.0.0*255"],
    [0x0a, "5-0:2.0.0*255"],
  ] as const) {
    assert.deepEqual(registersOf(read(volume, { ...water, medium })), { [code]: [1234567, -3, 13] });
  }
  assert.deepEqual(registersOf(read([0x02, 0x6e, ...little(321, 2)], { ...water, medium: 8 })), {
    "4-0:1.0.0*255": [321, 0, 255],
  });
});

test("reads tariffs, directions, phases, sub-units and storage numbers of electricity", () => {
  const stated = registersOf(
    read([
      ...[0x8c, 0x10, 0x04, ...digits(1252, 4)],
      ...[0x8c, 0x20, 0x84, 0x3c, ...digits(33, 4)],
      ...[0xcc, 0x01, 0x04, ...digits(7, 4)],
      ...[0x84, 0x40, 0x2a, ...little(-15, 4)],
      ...[0x02, 0xfd, 0xc8, 0xfc, 0x01, ...little(2301, 2)],
      ...[0x02, 0xfd, 0xda, 0xfc, 0x03, ...little(412, 2)],
      ...[0x04, 0xab, 0xfc, 0x02, ...little(700, 4)],
      ...[0x14, 0x2b, ...little(9000, 4)],
      ...[0x02, 0xfb, 0x2e, ...little(500, 2)],
      ...[0x04, 0xfb, 0x82, 0x75, ...little(11, 4)],
      ...[0x04, 0xfb, 0x35, ...little(44, 4)],
    ]),
  );
  assert.deepEqual(stated, {
    "1-0:1.8.1*255": [1252, 1, 30],
    "1-0:2.8.2*255": [33, 1, 30],
    "1-0:1.8.0*3": [7, 1, 30],
    "1-1:1.7.0*255": [-15, -1, 27],
    "1-0:32.7.0*255": [2301, -1, 35],
    "1-0:71.7.0*255": [412, -2, 33],
    "1-0:41.7.0*255": [700, 0, 27],
    "1-0:1.6.0*255": [9000, 0, 27],
    "1-0:14.7.0*255": [500, -1, 44],
    "1-0:3.8.0*255": [11, 2, 32],
    "1-0:9.7.0*255": [44, 1, 28],
  });
});

test("reads the phase behind the maker's own byte, of makers that have it there", () => {
  const records = [0x04, 0xab, 0xff, 0x01, ...little(-2, 4), 0x02, 0xfd, 0xc8, 0xff, 0x02, ...little(2257, 2)];
  for (const maker of ["EMU", "SBC", "FIN"])
    assert.deepEqual(registersOf(read(records, { ...water, maker, medium: 2 })), {
      "1-0:21.7.0*255": [-2, 0, 27],
      "1-0:52.7.0*255": [2257, -1, 35],
    });
  const energy = [0x04, 0x03, ...little(1, 4)];
  const { flags } = read([...energy, ...records], { ...water, maker: "ABC", medium: 2 });
  assert.deepEqual(flags, ["no-clock", "not-understood 04abff01", "not-understood 02fdc8ff02"]);
});

/** What a bus of meters answers: those that the last selection fits are selected, and two that answer at once are garble. */
function bus(ids: readonly string[]): (sent: Uint8Array) => Uint8Array {
  let selected: readonly string[] = [];
  return (sent) => {
    if (sent[0] === 0x68) {
      const asked = [...sent.subarray(7, 11)].reverse().concat(...sent.subarray(11, 15));
      const pattern = asked.map((byte) => byte.toString(16).padStart(2, "0")).join("");
      selected = ids.filter((id) =>
        [...id].every((digit, index) => {
          // F is any of a number's digits; of maker, version and medium a byte of FF.
          const any = index < 8 ? pattern[index] === "f" : pattern.slice(index & ~1, (index & ~1) + 2) === "ff";
          return any || pattern[index] === digit;
        }),
      );
      return selected.length === 0 ? nothing : Uint8Array.of(0xe5);
    }
    if (sent[1] === 0x40) return nothing;
    const answers = selected.map((id) => {
      const number = [6, 4, 2, 0].map((at) => Number.parseInt(id.slice(at, at + 2), 16));
      const rest = [8, 10, 12, 14].map((at) => Number.parseInt(id.slice(at, at + 2), 16));
      return longFrame(0x08, 253, 0x72, [...number, ...rest, 1, 0, 0, 0, 0x04, 0x13, ...little(7, 4)]);
    });
    const [first = nothing, second] = answers;
    return second === undefined ? first : first.map((byte, index) => byte & second[index]!);
  };
}

/** What comes of the first turn with the meters of a bus. */
function turnWith(id: string, ids: readonly string[]): string[] {
  const reader = createReader("mbus", { mbus: { id, interval_ms: 60_000 } });
  const answer = bus(ids);
  const outcomes: string[] = [];
  for (let now_ms = 0; now_ms < 30_000; now_ms += 100) {
    for (const action of reader.toSend(now_ms)) {
      const came = action.kind === "send" ? reader.push(answer(action.bytes), now_ms + 50) : [];
      outcomes.push(...came.map((outcome) => (outcome.ok ? outcome.meter : outcome.reason)));
    }
    outcomes.push(...reader.push(nothing, now_ms + 60).map((outcome) => (outcome.ok ? "late" : outcome.reason)));
  }
  return outcomes;
}

test("selects one of several meters by number, maker, version and medium, each digit of them", () => {
  const meters = ["12345678b5150107", "12345678b5150207", "1234567824400107", "87654321b5150107"];
  for (const id of meters) {
    const [meter, ...more] = turnWith(id, meters);
    assert.equal(meter?.slice(-8), id.slice(0, 8));
    assert.deepEqual(more, []);
  }
  assert.deepEqual(turnWith("8765432F", meters), ["EMU87654321"]);
  assert.deepEqual(turnWith("12345678FFFF01FF", meters.slice(1)), turnWith("1234567824400107", meters), "any maker");
  assert.deepEqual(turnWith("12345678b5150307", meters), ["silent"], "another version");
  assert.deepEqual(turnWith("12345678b5150104", meters), ["silent"], "another medium");
  const both = turnWith("12345678", meters);
  assert.ok(both.length > 0 && both.every((reason) => !reason.includes("12345678")), "two at once are none");
});

test("keeps every digit: of integers of any width, of decimals, of floats", () => {
  const energy = (dif: number, ...bytes: readonly number[]): unknown =>
    registersOf(read([dif, 0x03, ...bytes]))["1-0:1.8.0*255"];
  assert.deepEqual(energy(0x01, 0x80), [-128, 0, 30]);
  assert.deepEqual(energy(0x03, ...little(-8_000_000, 3)), [-8_000_000, 0, 30]);
  assert.deepEqual(energy(0x06, ...little(2 ** 47 - 1, 6)), [2 ** 47 - 1, 0, 30]);
  assert.deepEqual(energy(0x07, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f), [2n ** 63n - 1n, 0, 30]);
  assert.deepEqual(energy(0x0e, ...digits("123456789012", 6)), [123456789012, 0, 30]);
  assert.deepEqual(energy(0x0b, 0x34, 0x12, 0xf0), [-1234, 0, 30]);
  assert.deepEqual(energy(0x0d, 0xc3, 0x56, 0x34, 0x12), [0, 0, 30].fill(123456, 0, 1));
  assert.deepEqual(energy(0x0d, 0xd2, 0x34, 0x12), [-1234, 0, 30]);
  assert.deepEqual(energy(0x0d, 0xe4, ...little(-77, 4)), [-77, 0, 30]);
  const float = Buffer.alloc(4);
  for (const [value, mantissa, scaler] of [
    [230.5, 2305, -1],
    [0.1, 1, -1],
    [1234567, 1234567, 0],
    [-3e9, -3, 9],
    [0, 0, 0],
  ] as const) {
    float.writeFloatLE(value);
    assert.deepEqual(energy(0x05, ...float), [mantissa, scaler, 30]);
  }
});

test("keeps a float as the shortest decimal number that is it", () => {
  fc.assert(
    fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
      const bytes = Buffer.alloc(4);
      bytes.writeFloatLE(value);
      const [mantissa, scaler] = registersOf(read([0x05, 0x03, ...bytes]))["1-0:1.8.0*255"]!;
      assert.equal(Math.fround(Number(`${mantissa}e${scaler}`)), value === 0 ? 0 : value);
    }),
  );
});

test("names by its code each record that it does not know, whose digits are none, or that is of a time of error", () => {
  for (const [record, code] of [
    [[0x02, 0xff, 0x68, 0, 0], "02ff68"],
    [[0x02, 0x7f, 0, 0], "027f"],
    [[0x0a, 0x03, 0xbc, 0x0a], "0a03"],
    [[0x32, 0x03, 1, 0], "3203"],
    [[0x05, 0x03, 0, 0, 0xc0, 0x7f], "0503"],
    [[0x02, 0x83, 0x15, 1, 0], "028315"],
    [[0x02, 0x7c, 2, 0x43, 0x42, 1, 0], "027c024342"],
    [[0x02, 0xfd, 0x3a, 1, 0], "02fd3a"],
    [[0x02, 0x78 & 0x64, 1, 0], "0260"],
    [[0x00, 0x03], "0003"],
    [[0x0f, 1, 2, 3], "0f"],
  ] as const) {
    const { registers, flags } = read([0x04, 0x03, 1, 0, 0, 0, ...record]);
    assert.equal(registers.length, 1, code);
    assert.deepEqual(flags, ["no-clock", `not-understood ${code}`]);
  }
});

test("is silent of dates, versions, numbers of the meter and fillers", () => {
  const { registers, flags } = read([
    ...[0x2f, 0x2f, 0x0c, 0x78, 1, 2, 3, 4],
    ...[0x42, 0x6c, 0xe1, 0x01],
    ...[0x02, 0xfd, 0x0b, 1, 0],
    ...[0x0d, 0xfd, 0x0c, 3, 0x41, 0x42, 0x43],
    ...[0x04, 0x03, 1, 0, 0, 0, 0x2f],
  ]);
  assert.equal(registers.length, 1);
  assert.deepEqual(flags, ["no-clock"]);
});

test("passes on that the meter reports an error, and its error flags", () => {
  const reading = read([0x04, 0x03, 1, 0, 0, 0, 0x02, 0xfd, 0x17, 8, 0], { ...water, medium: 2, status: 0x08 });
  assert.deepEqual(reading.flags, ["meter-error", "no-clock"].sort().reverse().sort());
  assert.deepEqual(registersOf(reading)["0-0:97.97.0*255"], [8, 0, 255]);
});

test("reads headers of four bytes and none, and numbers with the most significant byte first", () => {
  const records = [0x04, 0x13, ...little(1234, 4)];
  const bare = readingOf("mbus", longFrame(0x08, 5, 0x78, records));
  assert.equal(bare.meter, "mbus-5");
  assert.deepEqual(registersOf(bare), { "15-0:2.0.0*255": [1234, -3, 13] });
  assert.deepEqual(
    registersOf(readingOf("mbus", longFrame(0x08, 5, 0x7a, [1, 0, 0, 0, ...records]))),
    registersOf(bare),
  );
  const head = header(water);
  const turned = [
    ...head.slice(0, 4).reverse(),
    ...head.slice(4, 6).reverse(),
    ...head.slice(6, 10),
    ...head.slice(10).reverse(),
  ];
  const reversed = readingOf("mbus", longFrame(0x08, 1, 0x76, [...turned, 0x04, 0x13, ...little(1234, 4).reverse()]));
  assert.equal(reversed.meter, "EMU12345678");
  assert.deepEqual(registersOf(reversed), { "8-0:1.0.0*255": [1234, -3, 13] });
});

test("puts an answer in several telegrams together, and says where the rest is missing", () => {
  const telegram = (records: readonly number[], id = "12345678"): Uint8Array =>
    longFrame(0x08, 1, 0x72, [...header({ ...water, id }), ...records]);
  const first = telegram([0x04, 0x13, ...little(1, 4), 0x1f]);
  const last = telegram([0x44, 0x13, ...little(2, 4)]);
  const whole = readingOf("mbus", joined(first, last));
  assert.deepEqual(Object.keys(registersOf(whole)), ["8-0:1.0.0*255", "8-0:1.0.0*1"]);
  assert.deepEqual(whole.flags, ["no-clock"]);
  assert.deepEqual(whole.frame, joined(first, last));
  for (const stream of [first, joined(first, telegram([0x04, 0x13, ...little(9, 4)], "87654321"))]) {
    const [cut] = outcomesOf("mbus", stream);
    assert.ok(cut?.ok);
    assert.deepEqual(cut.flags, ["no-clock", "registers-left-out"]);
  }
  const reader = createReader("mbus");
  assert.deepEqual(reader.push(first, 0), []);
  assert.deepEqual(kinds(reader.push(nothing, reader.wakeAt_ms())), ["ok"], "after a while");
  const endless = outcomesOf("mbus", joined(...new Array<Uint8Array>(40).fill(first)));
  assert.ok(endless.length >= 2, "the number of telegrams is bounded");
});

test("reads the fixed structure of old meters: medium, units, decimal and binary counters, the day before", () => {
  const water = fixedTelegram({
    id: "12345678",
    medium: 7,
    units: [0x29, 0x3e],
    counters: [digits(1, 4), digits(135, 4)],
  });
  const reading = readingOf("mbus", water);
  assert.equal(reading.meter, "12345678");
  assert.deepEqual(reading.flags, ["no-clock"]);
  assert.deepEqual(registersOf(reading), { "8-0:1.0.0*255": [1, -3, 13], "8-0:1.0.0*1": [135, -3, 13] });
  const heat = { id: "90919293", medium: 4, units: [0x05, 0x29] as const };
  assert.deepEqual(
    registersOf(readingOf("mbus", fixedTelegram({ ...heat, counters: [digits(6531, 4), digits(69, 4)] }))),
    {
      "6-0:1.0.0*255": [6531, 3, 30],
      "6-0:2.0.0*255": [69, -3, 13],
    },
  );
  const stored = { ...heat, status: 0x03, counters: [little(-70_000, 4), little(5, 4)] as const };
  assert.deepEqual(registersOf(readingOf("mbus", fixedTelegram(stored))), {
    "6-0:1.0.0*1": [-70_000, 3, 30],
    "6-0:2.0.0*1": [5, -3, 13],
  });
});

test("reads every unit of the fixed structure, or names it", () => {
  const counters = [digits(42, 4), digits(7, 4)] as const;
  const of = (medium: number, first: number, second = 0x00): Reading =>
    readingOf("mbus", fixedTelegram({ id: "1", medium, units: [first, second], counters }));
  for (const [medium, unit, code, scaler, dlms] of [
    [2, 0x02, "1-0:1.8.0*255", 0, 30],
    [2, 0x0a, "1-0:1.8.0*255", 8, 30],
    [4, 0x0b, "6-0:1.0.0*255", 3, 25],
    [4, 0x13, "6-0:1.0.0*255", 11, 25],
    [2, 0x14, "1-0:1.7.0*255", 0, 27],
    [4, 0x1c, "6-0:8.0.0*255", 8, 27],
    [4, 0x25, "6-0:8.0.0*255", 11, 26],
    [3, 0x26, "7-0:3.0.0*255", -6, 13],
    [10, 0x2e, "7-0:3.0.0*255", 2, 13],
    [6, 0x2f, "9-0:2.0.0*255", -6, 15],
    [12, 0x37, "9-0:2.0.0*255", 2, 15],
    [14, 0x39, "4-0:1.0.0*255", 0, 255],
    [13, 0x2c, "8-0:1.0.0*255", 0, 13],
    [11, 0x05, "6-0:1.0.0*255", 3, 30],
  ] as const) {
    assert.deepEqual(registersOf(of(medium, unit)), { [code]: [42, scaler, dlms] }, `unit ${unit.toString(16)}`);
  }
  assert.deepEqual(registersOf(of(7, 0x29, 0x29)), { "8-0:1.0.0*255": [42, -3, 13], "8-1:1.0.0*255": [7, -3, 13] });
  for (const unit of [0x38, 0x3a, 0x3d, 0x3e, 0x3f]) {
    const { registers, flags } = of(7, unit, 0x29);
    assert.equal(registers.length, 1);
    assert.deepEqual(flags, ["no-clock", `not-understood ${unit.toString(16)}`]);
  }
  const dead = { id: "1", medium: 7, units: [0x29, 0x3f], counters: [digits(42, 4), digits(0, 4)] } as const;
  assert.deepEqual(readingOf("mbus", fixedTelegram(dead)).flags, ["no-clock"], "a counter that counts nothing");
  assert.deepEqual(readingOf("mbus", fixedTelegram({ ...dead, status: 0x10 })).flags, ["meter-error", "no-clock"]);
});

test("reads the fixed structure with the most significant byte first, and refuses one that is cut off", () => {
  const turned = longFrame(0x08, 1, 0x77, [
    ...[0x12, 0x34, 0x56, 0x78, 1, 0, 0xe9, 0x7e],
    ...digits(1, 4).reverse(),
    ...digits(135, 4).reverse(),
  ]);
  const reading = readingOf("mbus", turned);
  assert.equal(reading.meter, "12345678");
  assert.deepEqual(registersOf(reading), { "8-0:1.0.0*255": [1, -3, 13], "8-0:1.0.0*1": [135, -3, 13] });
  assert.deepEqual(kinds(outcomesOf("mbus", longFrame(0x08, 1, 0x73, digits(1, 8)))), ["malformed"]);
  const noDigits = fixedTelegram({
    id: "1",
    medium: 7,
    units: [0x29, 0x39],
    counters: [digits(4, 4), little(0xaa, 4)],
  });
  assert.deepEqual(readingOf("mbus", noDigits).flags, ["no-clock", "not-understood 39"]);
});

test("asks a meter of the fixed structure once", () => {
  const reader = createReader("mbus", { mbus: { address: 1, interval_ms: 60_000 } });
  reader.toSend(0);
  reader.push(Uint8Array.of(0xe5), 1);
  assert.equal(reader.toSend(1).length, 1);
  const answer = fixedTelegram({ id: "1", medium: 7, units: [0x29, 0x3e], counters: [digits(1, 4), digits(2, 4)] });
  assert.deepEqual(kinds(reader.push(answer, 2)), ["ok"]);
  assert.deepEqual(reader.toSend(3), []);
  assert.equal(reader.wakeAt_ms(), 60_000);
});

test("refuses records that are cut off, that nothing begins, and a header that is", () => {
  for (const data of [
    [...header(water), 0x04, 0x13, 1, 0, 0],
    [...header(water), 0x84],
    [...header(water), 0x04, 0x93],
    [...header(water), 0x8f, 0x13, 1],
    [...header(water), 0x0d, 0x13, 0x40, 1],
    [...header(water), 0x0d, 0x13, 0xff, 1],
    [...header(water), ...new Array<number>(12).fill(0x84), 0x04, 0x13, 1],
    header(water).slice(0, 8),
  ]) {
    assert.deepEqual(kinds(outcomesOf("mbus", longFrame(0x08, 1, 0x72, data))), ["malformed"]);
  }
});

test("opens records that are encrypted with AES-128-CBC, and says that nothing vouches for them", () => {
  const records = [0x2f, 0x2f, 0x04, 0x13, ...little(1234, 4), ...new Array<number>(8).fill(0x2f)];
  const head = header(water, 0x0510);
  const cipher = createCipheriv("aes-128-cbc", key, vectorOf(head)).setAutoPadding(false);
  const frame = longFrame(0x08, 1, 0x72, [
    ...head,
    ...cipher.update(Uint8Array.from(records)),
    ...cipher.final(),
    0x44,
    0x13,
    ...little(5, 4),
  ]);
  const { flags, ...reading } = readingOf("mbus", frame, keys);
  assert.deepEqual(Object.keys(registersOf({ ...reading, flags })), ["8-0:1.0.0*255", "8-0:1.0.0*1"]);
  assert.deepEqual(flags, ["no-clock", "unauthenticated"]);
  assert.deepEqual(kinds(outcomesOf("mbus", frame)), ["locked"]);
  const wrong = { crypto: nodeMeterCrypto, keys: { encryption: new Uint8Array(16) } };
  assert.deepEqual(kinds(outcomesOf("mbus", frame, wrong)), ["decryption"]);
  assert.deepEqual(kinds(outcomesOf("mbus", longFrame(0x08, 1, 0x72, header(water, 0x0710)))), ["unsupported"]);
});

test("reads meters whose configuration's bytes mean nothing", () => {
  for (const configuration of [0x1f10, 0x16aa, 0x0001]) {
    const frame = longFrame(0x08, 1, 0x72, [...header(water, configuration), 0x04, 0x13, ...little(1234, 4)]);
    assert.deepEqual(registersOf(readingOf("mbus", frame)), { "8-0:1.0.0*255": [1234, -3, 13] });
  }
});

test("reads AMIS of Upper Austria, and acknowledges what it sends", () => {
  const reader = createReader("mbus", keys);
  assert.deepEqual(reader.toSend(0), []);
  reader.push(shortFrame(0x40, 0xf0), 0);
  assert.deepEqual(reader.toSend(0), [{ kind: "send", bytes: Uint8Array.of(0xe5) }]);
  assert.deepEqual(reader.toSend(0), []);
  const [reading] = reader.push(amisTelegram(state, key), 10);
  assert.equal(reader.toSend(10).length, 1);
  assert.ok(reading?.ok);
  const consumed_Ws = state.consumed.low_Ws + state.consumed.normal_Ws;
  const stated = registersOf(reading);
  assert.deepEqual(stated["1-0:1.8.0*255"], [Math.floor(consumed_Ws / 3600), 0, 30]);
  assert.deepEqual(stated["1-0:4.8.1*255"], [5678, 0, 32]);
  assert.deepEqual(stated["1-0:1.128.0*255"], [-5, 0, 30]);
  assert.equal(reading.time_s, state.time_s);
  assert.deepEqual(reading.flags, ["unauthenticated"]);
  assert.deepEqual(kinds(outcomesOf("mbus", amisTelegram(state, key))), ["locked"]);
});

test("acknowledges nothing on a bus where another master asks", () => {
  const reader = createReader("mbus", { mbus: { address: 1, interval_ms: 60_000 } });
  reader.toSend(0);
  reader.push(joined(shortFrame(0x40, 0xf0), shortFrame(0x5b, 1)), 0);
  assert.deepEqual(reader.toSend(0), []);
});

test("asks a meter by its primary address: a reset, then for its data, once an interval", () => {
  const reader = createReader("mbus", { mbus: { address: 9, interval_ms: 60_000 } });
  let now_ms = 0;
  const turn = (): string[] => {
    const [action] = reader.toSend(now_ms);
    if (action?.kind !== "send") return [];
    const answer = answerToMaster(action.bytes, 9, state);
    now_ms += 100;
    return kinds(reader.push(joined(action.bytes, answer ?? nothing), now_ms));
  };
  assert.deepEqual([turn(), turn(), turn()], [[], ["ok"], []]);
  assert.equal(reader.wakeAt_ms(), 60_000);
  now_ms = 60_000;
  assert.deepEqual([turn(), turn()], [[], ["ok"]]);
});

test("asks for the rest with the bit that changes", () => {
  const reader = createReader("mbus", { mbus: { address: 2, interval_ms: 60_000 } });
  const telegram = (records: readonly number[]): Uint8Array => longFrame(0x08, 2, 0x72, [...header(water), ...records]);
  const sent: (Uint8Array | undefined)[] = [];
  const send = (): void =>
    void sent.push(...reader.toSend(0).map((action) => (action.kind === "send" ? action.bytes : undefined)));
  send();
  reader.push(Uint8Array.of(0xe5), 1);
  send();
  assert.deepEqual(reader.push(telegram([0x04, 0x13, ...little(1, 4), 0x1f]), 2), []);
  send();
  assert.deepEqual(kinds(reader.push(telegram([0x44, 0x13, ...little(1, 4)]), 3)), ["ok"]);
  send();
  assert.deepEqual(sent, [shortFrame(0x40, 2), shortFrame(0x7b, 2), shortFrame(0x5b, 2)]);
});

test("selects a meter by its number before it asks", () => {
  const reader = createReader("mbus", { mbus: { id: "12345678", interval_ms: 60_000 } });
  const send = (): Uint8Array | undefined => {
    const [action] = reader.toSend(0);
    return action?.kind === "send" ? action.bytes : undefined;
  };
  assert.deepEqual(send(), shortFrame(0x40, 253));
  reader.push(nothing, 1501);
  const selection = longFrame(0x53, 253, 0x52, [0x78, 0x56, 0x34, 0x12, 0xff, 0xff, 0xff, 0xff]);
  assert.deepEqual(send(), selection);
  reader.push(Uint8Array.of(0xe5), 1600);
  assert.deepEqual(send(), shortFrame(0x7b, 253));
  const whole = createReader("mbus", { mbus: { id: "12345678b5150107", interval_ms: 60_000 } });
  whole.toSend(0);
  whole.push(Uint8Array.of(0xe5), 1);
  assert.deepEqual(whole.toSend(1), [
    { kind: "send", bytes: longFrame(0x53, 253, 0x52, [0x78, 0x56, 0x34, 0x12, 0xb5, 0x15, 0x01, 0x07]) },
  ]);
});

test("asks three times, then tells that the meter is silent, and waits for the next turn", () => {
  const reader = createReader("mbus", { mbus: { address: 2, interval_ms: 60_000 } });
  const outcomes: string[] = [];
  let sent = 0;
  for (let now_ms = 0; now_ms < 59_000; now_ms += 100) {
    sent += reader.toSend(now_ms).length;
    outcomes.push(...kinds(reader.push(nothing, now_ms)));
  }
  assert.deepEqual(outcomes, ["silent"]);
  assert.equal(sent, 4);
});

test("refuses an address and a number that no meter has", () => {
  for (const mbus of [{ address: 251 }, { address: -1 }, { address: 1.5 }, { id: "123" }, { id: "1234567x" }])
    assert.throws(() => createReader("mbus", { mbus: { ...mbus, interval_ms: 1000 } }), RangeError);
});

test("gives the same outcomes however the stream is split, and survives any bytes", () => {
  const stream = joined(
    Uint8Array.of(1, 0x10, 0xe5),
    shortFrame(0x7b, 1),
    heatTelegram(state),
    changed(heatTelegram(state), 30),
    amisTelegram(state, key),
  );
  assertAnyPieces("mbus", stream, keys);
  assertSurvives(
    "mbus",
    heatTelegram(state),
    [amisTelegram(state, key), Uint8Array.of(0xe5), shortFrame(0x40, 0xf0), Uint8Array.of(0x68, 3, 3, 0x68)],
    keys,
  );
});

test("leaves no record of a telegram out in silence, whatever it is", () => {
  const vif = fc.oneof(
    fc.integer({ min: 0, max: 0x7b }).map((byte) => [byte]),
    fc.tuple(fc.constantFrom(0xfb, 0xfd), fc.nat(127)),
  );
  fc.assert(
    fc.property(vif, fc.constantFrom(2, 4, 10, 12), fc.nat(255), (code, dif, byte) => {
      const data = new Array<number>(dif & 8 ? dif - 8 : dif).fill(byte);
      const [outcome] = outcomesOf(
        "mbus",
        longFrame(8, 1, 0x72, [...header(water), 0x04, 0x13, 1, 0, 0, 0, dif, ...code, ...data]),
      );
      assert.ok(outcome?.ok);
      const speaks =
        outcome.registers.length > 1 || outcome.flags.some((flag) => /^(not-understood|duplicate)/.test(flag));
      // A date, or a number of the meter.
      const name = code.map((part) => part.toString(16).padStart(2, "0")).join("");
      const isNone = /^(6[cd]|7[0-9a]|fd(0[89a-f]|1[0-689acdef]|2[0-9a-f]|3[0-9]|6[0-26-9a-f]|7[0-5]))$/.test(name);
      assert.equal(speaks, !isNone, name);
    }),
    { numRuns: 1000 },
  );
});
