// Each map against a meter's memory that is written out by hand from its maker's document: addresses as the document has them, counted
// from 0, and what they hold.

import assert from "node:assert/strict";
import { test } from "node:test";
import { answerBytes, tableOf } from "../../../src/meter/modbus/maps.js";
import { modbusMaps, quantities } from "../../../src/meter/modbus/tables.js";
import { createReader } from "../../../src/meter/open-reader.js";
import { rowOf } from "../../../src/meter/packed.js";
import { profileNames, profileOf } from "../../../src/meter/profiles.js";
import type { Outcome } from "../../../src/meter/reader.js";
import { answerOf, type ModbusMemory } from "../../../tools/emulators/modbus-meter.js";
import { changed, joined, kinds, outcomesOf, registersOf } from "../streams.js";

const u16 = (value: number): Uint8Array => Uint8Array.of((value >> 8) & 0xff, value & 0xff);
const u32 = (value: number): Uint8Array => joined(u16(value >>> 16), u16(value));
const lowFirst = (value: number): Uint8Array => joined(u16(value), u16(value >>> 16));
const u64 = (value: number): Uint8Array => joined(u32(Math.floor(value / 2 ** 32)), u32(value % 2 ** 32));
const f32 = (value: number): Uint8Array => {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatBE(value);
  return Uint8Array.from(bytes);
};
const f64 = (value: number): Uint8Array => {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return Uint8Array.from(bytes);
};

interface Meter {
  readonly operation: number;
  readonly wide?: true;
  /** Address, what is there, and what it is: code, value, scaler, unit. */
  readonly places: readonly (readonly [number, Uint8Array, string?, number?, number?, number?])[];
}

const meters: Readonly<Record<string, Meter>> = {
  sdm630: {
    operation: 4,
    places: [
      [0, f32(230.5), "1-0:32.7.0", 2305, -1, 35],
      [0x34, f32(-1234.5), "1-0:16.7.0", -12345, -1, 27],
      [0x46, f32(49.98), "1-0:14.7.0", 4998, -2, 44],
      [0x48, f32(1234.567), "1-0:1.8.0", 1234567, 0, 30],
    ],
  },
  sdm120: {
    operation: 4,
    places: [
      [0, f32(231.2), "1-0:32.7.0", 2312, -1, 35],
      [0xc, f32(99.5), "1-0:16.7.0", 995, -1, 27],
    ],
  },
  "abb-b23": {
    operation: 3,
    places: [
      [0x5000, u64(12_345_678), "1-0:1.8.0", 12_345_678, 1, 30],
      [0x5004, u64(2 ** 33), "1-0:2.8.0", 2 ** 33, 1, 30],
      [0x5b00, u32(2305), "1-0:32.7.0", 2305, -1, 35],
      [0x5b10, u32(512), "1-0:71.7.0", 512, -2, 33],
      [0x5b14, u32(-123_456), "1-0:16.7.0", -123_456, -2, 27],
      [0x5b2c, u16(5001), "1-0:14.7.0", 5001, -2, 44],
      [0x5b3a, u16(-987), "1-0:13.7.0", -987, -3, 255],
    ],
  },
  "schneider-iem3000": {
    operation: 3,
    places: [
      [2999, f32(5.25), "1-0:31.7.0", 525, -2, 33],
      [3027, f32(229.9), "1-0:32.7.0", 2299, -1, 35],
      [3059, f32(1.2345), "1-0:16.7.0", 12345, -1, 27],
      [3109, f32(50.02), "1-0:14.7.0", 5002, -2, 44],
      [3203, u64(9_876_543), "1-0:1.8.0", 9_876_543, 0, 30],
      [3207, u64(12), "1-0:2.8.0", 12, 0, 30],
    ],
  },
  "gavazzi-em24": {
    operation: 4,
    places: [
      [0, lowFirst(2311), "1-0:32.7.0", 2311, -1, 35],
      [0xc, lowFirst(70_000), "1-0:31.7.0", 70_000, -3, 33],
      [0x28, lowFirst(-12_345), "1-0:16.7.0", -12_345, -1, 27],
      [0x37, u16(500), "1-0:14.7.0", 500, -1, 44],
      [0x42, lowFirst(123_456), "1-0:1.8.0", 123_456, 2, 30],
      [0x5c, lowFirst(77), "1-0:2.8.0", 77, 2, 30],
    ],
  },
  "gavazzi-em340": {
    operation: 4,
    places: [
      [4, lowFirst(2309), "1-0:72.7.0", 2309, -1, 35],
      [0x33, u16(499), "1-0:14.7.0", 499, -1, 44],
      [0x34, lowFirst(654_321), "1-0:1.8.0", 654_321, 2, 30],
      [0x4e, lowFirst(5), "1-0:2.8.0", 5, 2, 30],
    ],
  },
  "janitza-b23": {
    operation: 3,
    places: [
      [19_000, f32(230), "1-0:32.7.0", 2300, -1, 35],
      [19_026, f32(-50.5), "1-0:16.7.0", -505, -1, 27],
      [19_068, f32(1_000_001), "1-0:1.8.0", 1_000_001, 0, 30],
    ],
  },
  "finder-7m38": {
    operation: 4,
    places: [
      [2500, f32(228.4), "1-0:32.7.0", 2284, -1, 35],
      [2536, f32(420.1), "1-0:16.7.0", 4201, -1, 27],
      [2752, f32(12_345), "1-0:1.8.0", 12_345, 0, 30],
    ],
  },
  "finder-7m24": {
    operation: 4,
    places: [
      [2500, f32(228.4), "1-0:32.7.0", 2284, -1, 35],
      [2756, f32(8), "1-0:2.8.0", 8, 0, 30],
    ],
  },
  "siemens-pac2200": {
    operation: 3,
    places: [
      [1, f32(231), "1-0:32.7.0", 2310, -1, 35],
      [65, f32(1500.3), "1-0:16.7.0", 15_003, -1, 27],
      [801, f64(123_456_789.4), "1-0:1.8.1", 123_456_789, 0, 30],
      [809, f64(3), "1-0:2.8.1", 3, 0, 30],
    ],
  },
  "pzem-016": {
    operation: 4,
    places: [
      [0, u16(1217), "1-0:32.7.0", 1217, -1, 35],
      [1, lowFirst(86_257), "1-0:31.7.0", 86_257, -3, 33],
      [3, lowFirst(19_862), "1-0:1.7.0", 19_862, -1, 27],
      [5, lowFirst(11_563), "1-0:1.8.0", 11_563, 0, 30],
      [7, u16(600), "1-0:14.7.0", 600, -1, 44],
      [8, u16(79), "1-0:13.7.0", 79, -2, 255],
    ],
  },
  "inepro-pro380": {
    operation: 3,
    places: [
      [0x5002, f32(230.1), "1-0:32.7.0", 2301, -1, 35],
      [0x5012, f32(0.5), "1-0:16.7.0", 5000, -1, 27],
      [0x600c, f32(12.34), "1-0:1.8.0", 12_340, 0, 30],
    ],
  },
  "orno-we514": {
    operation: 3,
    places: [
      [0x130, u16(5002), "1-0:14.7.0", 5002, -2, 44],
      [0x131, u16(23_045), "1-0:32.7.0", 23_045, -2, 35],
      [0x139, u32(1234), "1-0:31.7.0", 1234, -3, 33],
      [0x140, u32(250), "1-0:1.7.0", 250, 0, 27],
      [0xa000, u32(4711), "1-0:1.8.0", 4711, 1, 30],
    ],
  },
  "chint-dtsu666": {
    operation: 3,
    places: [
      [0x101e, f32(1.5), "1-0:1.8.0", 1500, 0, 30],
      [0x2006, f32(2305), "1-0:32.7.0", 2305, -1, 35],
      [0x200c, f32(1230), "1-0:31.7.0", 123, -2, 33],
      [0x2012, f32(-4567), "1-0:16.7.0", -4567, -1, 27],
      [0x2044, f32(5000), "1-0:14.7.0", 5000, -2, 44],
    ],
  },
  mpm3pm: {
    operation: 3,
    places: [
      [2, u32(9999), "1-0:1.8.0", 9999, 1, 30],
      [8, u32(2301), "1-0:32.7.0", 2301, -1, 35],
      [0x26, u32(-100), "1-0:16.7.0", -100, -2, 27],
    ],
  },
  "dzg-dvh4013": {
    operation: 3,
    places: [
      [0, u32(12_345), "1-0:1.7.0", 12_345, -1, 27],
      [4, u32(23_012), "1-0:32.7.0", 23_012, -2, 35],
      [0x4000, u32(7_000_000), "1-0:1.8.0", 7_000_000, 0, 30],
    ],
  },
  emi: {
    operation: 4,
    wide: true,
    places: [
      // 20 July 2023, 14:00:05, an hour ahead of UTC.
      [1, Uint8Array.of(0x07, 0xe7, 7, 20, 4, 14, 0, 5, 0, 0xff, 0xc4, 0x80)],
      [0x0b, Uint8Array.of(3, 0), "0-0:96.14.0", 3, 0, 255],
      [0x16, u32(5_000_000), "1-0:1.8.0", 5_000_000, 0, 30],
      [0x17, u32(1), "1-0:2.8.0", 1, 0, 30],
      [0x18, u32(2), "1-0:5.8.0", 2, 0, 32],
      [0x19, u32(3), "1-0:6.8.0", 3, 0, 32],
      [0x1a, u32(4), "1-0:7.8.0", 4, 0, 32],
      [0x1b, u32(5), "1-0:8.8.0", 5, 0, 32],
      [0x26, u32(10), "1-0:1.8.1", 10, 0, 30],
      [0x27, u32(20), "1-0:1.8.2", 20, 0, 30],
      [0x28, u32(416_207), "1-0:1.8.3", 416_207, 0, 30],
      [0x6c, u16(2334), "1-0:32.7.0", 2334, -1, 35],
      [0x6d, u16(12), "1-0:31.7.0", 12, -1, 33],
      [0x79, u32(280), "1-0:1.7.0", 280, 0, 27],
      [0x7a, u32(0), "1-0:2.7.0", 0, 0, 27],
      [0x7b, u16(987), "1-0:13.7.0", 987, -3, 255],
      [0x7f, u16(500), "1-0:14.7.0", 500, -1, 44],
    ],
  },
};

/** Asks a meter with this memory until its turn is over. */
function askAll(map: string, operation: number, memory: ModbusMemory, wide?: boolean): readonly Outcome[] {
  const reader = createReader("modbus", { modbus: { address: 5, interval_ms: 60_000, map } });
  const outcomes: Outcome[] = [];
  for (let turn = 0; turn < 20; turn++) {
    const [action] = reader.toSend(turn * 10);
    if (action?.kind !== "send") break;
    outcomes.push(...reader.push(answerOf(action.bytes, operation, memory, wide), turn * 10 + 5));
  }
  return outcomes;
}

for (const [map, { operation, wide, places }] of Object.entries(meters)) {
  test(`asks for and reads the registers of ${map}`, () => {
    const memory = new Map(places.map(([address, bytes]) => [address, bytes]));
    const outcomes = askAll(map, operation, memory, wide);
    assert.deepEqual(kinds(outcomes), ["ok"], JSON.stringify(outcomes));
    const [reading] = outcomes;
    assert.ok(reading?.ok);
    const stated = registersOf(reading);
    for (const [, , code, ...rest] of places)
      if (code !== undefined) assert.deepEqual(stated[`${code}*255`], rest, code);
    if (map === "emi") {
      assert.equal(reading.time_s, Date.UTC(2023, 6, 20, 13, 0, 5) / 1000);
      assert.deepEqual(reading.flags, []);
      assert.equal(Object.keys(stated).length, places.length - 1);
    } else assert.deepEqual(reading.flags, ["no-clock"]);
  });
}

test("has a meter's memory for every map, a profile for it, and a quantity for every row but those that are passed over", () => {
  assert.deepEqual(Object.keys(meters).sort(), [...modbusMaps].sort());
  for (const map of modbusMaps) {
    assert.ok(
      profileNames.some((name) => profileOf(name).modbusMap === map),
      map,
    );
    const table = tableOf(map);
    const places = table.rows.split(" ").map((row) => row.split(","));
    const starts = places.map(([start]) => Number.parseInt(start!, 16));
    assert.equal(new Set(starts).size, starts.length, `${map}: a register twice`);
    for (const [, quantity] of places)
      assert.ok(
        rowOf(quantities, quantity!) !== undefined || ["clock", "limit", "all"].includes(quantity!),
        `${map}: ${quantity}`,
      );
    for (const [start, count] of table.asked) {
      assert.ok(count <= 125, map);
      const question = { address: 1, operation: table.operation, start, count };
      assert.ok(answerBytes(table, question) > 0 && answerBytes(table, question) <= 250, `${map}: ${start}`);
    }
  }
  assert.throws(() => tableOf("abacus"), /expected sdm630/);
});

test("reads what was answered where a question of several was not, and says that the rest is missing", () => {
  const reader = createReader("modbus", { modbus: { address: 5, interval_ms: 60_000, map: "abb-b23" } });
  const memory = new Map([[0x5000, u64(7)]]);
  const ask = (now_ms: number): Uint8Array => (reader.toSend(now_ms)[0] as { readonly bytes: Uint8Array }).bytes;
  assert.deepEqual(reader.push(answerOf(ask(0), 3, memory), 5), []);
  assert.deepEqual(kinds(reader.push(answerOf(ask(10), 4, memory), 15)), ["malformed", "ok"], "an exception");
  reader.push(answerOf(ask(60_000), 3, memory), 60_005);
  ask(60_010);
  const outcomes = reader.push(new Uint8Array(0), 61_011);
  assert.deepEqual(kinds(outcomes), ["silent", "ok"]);
  assert.ok(outcomes[1]?.ok);
  assert.deepEqual(outcomes[1].flags, ["registers-left-out", "no-clock"]);
  ask(120_000);
  assert.deepEqual(kinds(reader.push(new Uint8Array(0), 121_001)), ["silent"]);
  assert.deepEqual(reader.toSend(121_002), [], "the others of the turn are not asked of a dead meter");
});

test("leaves out an integer that stands for none, and names it", () => {
  const memory = new Map([
    [0x5000, u64(7)],
    [0x5004, new Uint8Array(8).fill(0xff)],
    [0x5b14, u32(0x7fff_ffff)],
  ]);
  const [reading] = askAll("abb-b23", 3, memory);
  assert.ok(reading?.ok);
  assert.ok(
    reading.flags.includes("not-a-number 1-0:2.8.0*255") && reading.flags.includes("not-a-number 1-0:16.7.0*255"),
  );
  assert.equal(registersOf(reading)["1-0:2.8.0*255"], undefined);
});

test("reads nothing of a meter whose registers are of another map", () => {
  const memory = new Map([
    [0x5b00, u32(0x7000_0000)],
    [0x5b2c, u16(5)],
  ]);
  assert.ok(kinds(askAll("abb-b23", 3, memory)).includes("malformed"));
});

test("listens to another master's EMI: what is wider than registers shows whose it is, and what comes then is read so too", () => {
  const memory = new Map([
    [0x28, u32(416_207)],
    [0x29, u32(0)],
    [0x6c, u16(2334)],
    [0x6d, u16(12)],
  ]);
  const exchange = (start: number, count: number): Uint8Array => {
    const asked = asking(start, count);
    return joined(asked, answerOf(asked, 4, memory, true));
  };
  const [tariffs, supply] = [exchange(0x28, 2), exchange(0x6c, 2)];
  assert.deepEqual(kinds(outcomesOf("modbus", supply)), ["malformed"], "as wide as registers: it could be anybody's");
  const [first, second] = outcomesOf("modbus", joined(tariffs, supply));
  assert.ok(first?.ok && second?.ok);
  assert.deepEqual(registersOf(first), { "1-0:1.8.3*255": [416_207, 0, 30], "1-0:1.8.4*255": [0, 0, 30] });
  assert.deepEqual(registersOf(second), { "1-0:32.7.0*255": [2334, -1, 35], "1-0:31.7.0*255": [12, -1, 33] });
  for (let index = 8; index < tariffs.length; index++)
    assert.ok(
      outcomesOf("modbus", changed(tariffs, index)).every(({ ok }) => !ok),
      `byte ${index}`,
    );
});

/** A question to meter 1 for input registers. */
function asking(start: number, count: number): Uint8Array {
  const bytes = [1, 4, start >> 8, start & 0xff, count >> 8, count & 0xff];
  let crc = 0xffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xa001 : crc >>> 1;
  }
  return Uint8Array.of(...bytes, crc & 0xff, crc >> 8);
}
