import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createReader } from "../../../src/meter/open-reader.js";
import type { Reading } from "../../../src/meter/reader.js";
import { smlBytesMax } from "../../../src/meter/sml/frame.js";
import { x25Of } from "../../../tools/emulators/checksums.js";
import {
  encodeSml,
  inTransport,
  list,
  octets,
  type SmlEntry,
  smlTelegram,
  unsigned,
} from "../../../tools/emulators/sml-file.js";
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

const serverId = Uint8Array.from(Buffer.from("0a01454d550000003039", "hex"));
const energy = (value: number | bigint, scaler = -1, width = 8): SmlEntry => ({
  obis: [1, 0, 1, 8, 0, 255],
  unit: 30,
  scaler,
  value: { kind: "number", value, width, signed: false },
});
const power = (value: number, width: number, signed = true): SmlEntry => ({
  obis: [1, 0, 16, 7, 0, 255],
  unit: 27,
  scaler: -2,
  value: { kind: "number", value, width, signed },
});
const file = (entries: readonly SmlEntry[], crc?: "x25" | "kermit"): Uint8Array =>
  encodeSml({ serverId, entries, time: { kind: "index", seconds: 4711 }, ...(crc !== undefined && { crc }) });
const good = file([energy(153385557), power(35624, 4)]);

test("reads a file with its meter, its registers and its bytes", () => {
  const reading = readingOf("sml", good);
  assert.equal(reading.meter, "0a01454d550000003039");
  assert.equal(reading.time_s, undefined);
  assert.deepEqual(registersOf(reading), { "1-0:1.8.0*255": [153385557, -1, 30], "1-0:16.7.0*255": [35624, -2, 27] });
  assert.deepEqual(reading.flags, ["no-clock"]);
  assert.deepEqual(reading.frame, good);
});

test("reads what an emulated household's meter says", () => {
  const state = householdAt(1_700_000_000);
  const registers = registersOf(readingOf("sml", smlTelegram(state)));
  const consumed_Ws = state.consumed.low_Ws + state.consumed.normal_Ws;
  assert.deepEqual(registers["1-0:1.8.0*255"], [Math.floor(consumed_Ws / 360), -1, 30]);
  assert.deepEqual(registers["1-0:16.7.0*255"], [state.power_W * 10, -1, 27]);
});

test("takes UTC where the meter has a clock, and no count of seconds for one", () => {
  const at = (kind: "utc" | "index", seconds: number) =>
    readingOf("sml", encodeSml({ serverId, entries: [energy(1), power(1, 1)], time: { kind, seconds } }));
  assert.equal(at("utc", 1_700_000_000).time_s, 1_700_000_000);
  assert.deepEqual(at("utc", 1_700_000_000).flags, []);
  assert.equal(at("index", 1_700_000_000).time_s, undefined);
  assert.equal(at("utc", 4711).time_s, undefined);
});

test("reads a negative power as feed-in, in any width", () => {
  for (const width of [2, 3, 4, 8]) {
    assert.deepEqual(
      registersOf(readingOf("sml", file([energy(1), power(-29912, width)])))["1-0:16.7.0*255"],
      [-29912, -2, 27],
    );
  }
});

test("mends the sign of a short power by profile alone, and flags it", () => {
  const ofMeter = (serial: number, value: number, width: number): Uint8Array =>
    encodeSml({
      serverId: Uint8Array.from(Buffer.from(`0a01445a4700${serial.toString(16).padStart(8, "0")}`, "hex")),
      entries: [energy(1), power(value, width)],
      time: { kind: "index", seconds: 4711 },
    });
  const wrong = ofMeter(42_000_001, 35624 - 65536, 2);
  assert.deepEqual(registersOf(readingOf("sml", wrong))["1-0:16.7.0*255"], [-29912, -2, 27]);
  const mended = readingOf("sml", wrong, { profile: "dzg-dvs74" });
  assert.deepEqual(registersOf(mended)["1-0:16.7.0*255"], [35624, -2, 27]);
  assert.ok(mended.flags.includes("quirk-sign 1-0:16.7.0*255"));
  for (const [serial, value, width] of [
    [42_000_001, -126061, 4],
    [60_000_001, -10550, 2], // a meter of the type whose firmware was mended
    [40_000_001, -78851, 3],
  ] as const) {
    const feedIn = readingOf("sml", ofMeter(serial, value, width), { profile: "dzg-dvs74" });
    assert.deepEqual(registersOf(feedIn)["1-0:16.7.0*255"], [value, -2, 27]);
    assert.ok(!feedIn.flags.some((flag) => flag.startsWith("quirk")));
  }
});

/** A file with the status word `status`, of a meter of three letters; the power stands before the energies too. */
function withStatus(letters: string, status: number, c: number, value: number, width: number, first = false): Reading {
  const stated: SmlEntry = { ...power(value, width), obis: [1, 0, c, 7, 0, 255] };
  const counter: SmlEntry = { ...energy(1), status };
  const id = Uint8Array.of(0x0a, 1, ...Buffer.from(letters), 0, 3, 0, 0, 1);
  const entries = first ? [stated, counter] : [counter, stated];
  return readingOf("sml", encodeSml({ serverId: id, entries, time: { kind: "index", seconds: 1 } }));
}

test("takes the direction of a power from the status word where the meter states the magnitude alone", () => {
  for (const [c, bit] of [
    [16, 11],
    [36, 12],
    [56, 13],
    [76, 14],
  ] as const) {
    const obis = `1-0:${c}.7.0*255`;
    for (const width of [2, 4, 8]) {
      const fedIn = withStatus("HLY", 0x1c0104 | (1 << bit), c, 425, width);
      assert.deepEqual(registersOf(fedIn)[obis], [-425, -2, 27]);
      assert.deepEqual(fedIn.flags, ["no-clock", `quirk-sign ${obis}`]);
      const drawn = withStatus("HLY", 0x1c0104, c, 425, width);
      assert.deepEqual(registersOf(drawn)[obis], [425, -2, 27]);
      assert.deepEqual(drawn.flags, ["no-clock"]);
    }
  }
  assert.deepEqual(registersOf(withStatus("HLY", 0x1c0904, 16, 425, 2, true))["1-0:16.7.0*255"], [-425, -2, 27]);
  const otherPhase = withStatus("HLY", 0x1c1104, 16, 425, 2);
  assert.deepEqual(registersOf(otherPhase)["1-0:16.7.0*255"], [425, -2, 27], "a phase's bit is not the sum's");
});

test("leaves a signed power as it is where the status word agrees, and doubts it where nothing explains why not", () => {
  const agreeing = withStatus("ISK", 0x1c8904, 16, -417, 2);
  assert.deepEqual(registersOf(agreeing)["1-0:16.7.0*255"], [-417, -2, 27]);
  assert.deepEqual(agreeing.flags, ["no-clock"]);
  const contrary = withStatus("ISK", 0x1c8104, 16, -417, 2);
  assert.deepEqual(registersOf(contrary)["1-0:16.7.0*255"], [-417, -2, 27]);
  assert.deepEqual(contrary.flags, ["no-clock", "contradiction 1-0:16.7.0*255"]);
  assert.deepEqual(withStatus("EMH", 0x0182, 16, 1367, 4).flags, ["no-clock"]);
  assert.deepEqual(withStatus("EMH", 0x01a2, 16, -1367, 4).flags, ["no-clock"]);
  assert.deepEqual(withStatus("EMH", 0x01a2, 16, 1367, 4).flags, ["no-clock", "contradiction 1-0:16.7.0*255"]);
  for (const status of [0x80, 0x10100, 0x1c010904, 0]) {
    assert.deepEqual(registersOf(withStatus("ESY", status, 16, 425, 2))["1-0:16.7.0*255"], [425, -2, 27]);
  }
});

test("reads a short power of DZG as it is meant, by its status word", () => {
  for (const [c, status, value, width, meant] of [
    [16, 0x1c0104, 35624 - 65536, 2, 35624],
    [36, 0x040104, 50700 - 65536, 2, 50700],
    [16, 0x1c0104, -100, 1, 156],
    [16, 0x1c7904, -31064, 2, -31064], // fed in
    [16, 0x1c7904, -78851, 3, -78851],
    [16, 0x1c0004, -50, 2, -50], // below the starting current: not 654.86 W
    [16, 0x1c0104, -70000, 4, -70000],
  ] as const) {
    const reading = withStatus("DZG", status, c, value, width);
    assert.equal(registersOf(reading)[`1-0:${c}.7.0*255`]?.[0], meant);
    assert.equal(reading.flags.includes(`quirk-sign 1-0:${c}.7.0*255`), meant !== value);
  }
});

test("reads a file with four fill bytes, or with zeros that no count has, and no other filling", () => {
  const inner = [...good.subarray(8, good.length - 8 - good[good.length - 3]!)];
  const filled = (zeros: number, fill: number): Uint8Array => {
    const bytes = [...good.subarray(0, 8), ...inner, ...new Array<number>(zeros).fill(0), ...good.slice(-8, -4)];
    bytes.push(0x1a, fill);
    const crc = x25Of(Uint8Array.from(bytes));
    return Uint8Array.of(...bytes, crc & 0xff, crc >> 8);
  };
  for (const [zeros, fill] of [
    [0, 0],
    [3, 3],
    [4, 4],
    [3, 0],
    [4, 1],
  ] as const) {
    assert.deepEqual(registersOf(readingOf("sml", filled(zeros, fill))), registersOf(readingOf("sml", good)));
  }
  assert.deepEqual(kinds(outcomesOf("sml", filled(5, 5))), ["malformed"]);
  assert.deepEqual(kinds(outcomesOf("sml", filled(9, 4))), ["malformed"]);
  assert.deepEqual(kinds(outcomesOf("sml", filled(0, 1))), ["malformed"]);
});

test("accepts CRC-16/KERMIT by profile alone, and flags it", () => {
  const kermit = file([energy(7), power(1, 1)], "kermit");
  const [refused] = outcomesOf("sml", kermit);
  assert.ok(refused?.ok === false && refused.reason === "crc");
  assert.match(refused.detail, /KERMIT, which a meter's profile must name/);
  assert.deepEqual(readingOf("sml", kermit, { profile: "holley-dtz541" }).flags, ["quirk-crc", "no-clock"]);
  assert.deepEqual(kinds(outcomesOf("sml", good, { profile: "holley-dtz541" })), ["crc"]);
});

test("flags the reduced resolution of a meter without its PIN", () => {
  const flags = (...entries: readonly SmlEntry[]): readonly string[] => readingOf("sml", file(entries)).flags;
  assert.ok(flags(energy(153380000)).includes("reduced-resolution"));
  assert.ok(flags(energy(15338, 3)).includes("reduced-resolution"));
  assert.ok(flags(energy(15338000, 0)).includes("reduced-resolution"));
  assert.ok(!flags(energy(153385557)).includes("reduced-resolution"));
  assert.ok(!flags(energy(153380000), power(1, 1)).includes("reduced-resolution"));
});

test("is exact beyond the safe integers", () => {
  const value = 2n ** 63n + 12345n;
  const [stated] = registersOf(readingOf("sml", file([energy(value)])))["1-0:1.8.0*255"]!;
  assert.equal(stated, value);
});

test("takes the second of two equal codes for a doubt, and texts for no registers", () => {
  const text: SmlEntry = { obis: [1, 0, 96, 1, 0, 255], value: { kind: "octets", bytes: Buffer.alloc(48, 7) } };
  const reading = readingOf("sml", file([text, energy(1), energy(2), power(1, 1)]));
  assert.deepEqual(Object.keys(registersOf(reading)), ["1-0:1.8.0*255", "1-0:16.7.0*255"]);
  assert.ok(reading.flags.includes("duplicate 1-0:1.8.0*255"));
});

test("leaves no measured quantity out in silence", () => {
  const text: SmlEntry = { obis: [1, 0, 2, 8, 0, 255], value: { kind: "octets", bytes: Buffer.from("12") } };
  const absent: SmlEntry = { obis: [1, 0, 3, 8, 0, 255], value: { kind: "octets", bytes: new Uint8Array(0) } };
  const { unit: _, ...bare } = power(5, 2);
  const reading = readingOf(
    "sml",
    file([energy(1), text, absent, { ...bare, obis: [1, 0, 36, 7, 0, 255] }, power(1, 1)]),
  );
  assert.deepEqual(reading.flags, ["no-clock", "not-understood 1-0:2.8.0*255", "no-unit 1-0:36.7.0*255"]);
  assert.deepEqual(registersOf(reading)["1-0:36.7.0*255"], [5, -2, 255]);
});

test("reads doubled escapes back, whatever the octets are", () => {
  const bytes = fc.array(fc.constantFrom(0x1b, 0x1b, 0x1b, 0x1a, 0x01), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(bytes, (content) => {
      const text: SmlEntry = {
        obis: [129, 129, 199, 130, 5, 255],
        value: { kind: "octets", bytes: Uint8Array.from(content) },
      };
      const stream = file([text, energy(42), power(1, 1)]);
      assert.deepEqual(registersOf(readingOf("sml", stream))["1-0:1.8.0*255"], [42, -1, 30]);
    }),
  );
});

test("parses nothing of a file with any byte changed", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: good.length - 1 }), fc.integer({ min: 1, max: 255 }), (index, mask) => {
      assert.ok(outcomesOf("sml", changed(good, index, mask)).every(({ ok }) => !ok));
    }),
  );
});

test("finds the next file after one that was cut off anywhere", () => {
  for (let length = 8; length < good.length; length++) {
    const outcomes = kinds(outcomesOf("sml", joined(good.subarray(0, length), good)));
    assert.equal(outcomes.at(-1), "ok", `cut at ${length}`);
    assert.equal(outcomes.filter((kind) => kind === "ok").length, 1, `cut at ${length}`);
    assert.equal(outcomes.length, 2, `cut at ${length}: ${outcomes}`);
  }
});

test("starts in the middle of a file without taking it for one", () => {
  for (let start = 1; start < good.length; start++) {
    assert.deepEqual(kinds(outcomesOf("sml", joined(good.subarray(start), good))), ["ok"], `from ${start}`);
  }
});

test("finds a file whose start follows a lone escape byte", () => {
  assert.deepEqual(kinds(outcomesOf("sml", joined(Uint8Array.of(0x1b, 0x1b), good))), ["ok"]);
});

test("counts a file without end and goes on with the next", () => {
  const endless = joined(Uint8Array.of(0x1b, 0x1b, 0x1b, 0x1b, 1, 1, 1, 1), new Uint8Array(smlBytesMax));
  const reader = createReader("sml");
  assert.deepEqual(kinds(reader.push(joined(endless, good), 0)), ["oversized", "ok"]);
  assert.equal(reader.counters.oversized, 1);
});

test("refuses what has a good CRC and is no SML", () => {
  const body = (...bytes: readonly number[]): string[] => kinds(outcomesOf("sml", inTransport(bytes)));
  assert.deepEqual(body(), ["malformed"]);
  assert.deepEqual(body(0x76, 0x05), ["malformed"]);
  assert.deepEqual(body(...list([octets([1])])), ["malformed"]);
  assert.deepEqual(body(...unsigned(7, 4)), ["malformed"]);
  // A list that claims more elements than there are bytes, nested as deep as the file is long.
  assert.deepEqual(body(...new Array<number>(1000).fill(0x7f)), ["malformed"]);
  assert.deepEqual(body(0xff, 0x8f, 0x8f, 0x8f, 0x0f), ["malformed"]);
});

test("refuses a file whose list has a wrong CRC of its own", () => {
  const start = Buffer.from(good).indexOf(Buffer.from("6302017101", "hex"));
  assert.ok(start > 0);
  const inner = [...good.subarray(8, good.length - 8 - good[good.length - 3]!)];
  inner[20] = inner[20]! ^ 1;
  const [outcome] = outcomesOf("sml", inTransport(inner));
  assert.ok(outcome?.ok === false && outcome.reason === "crc");
  assert.match(outcome.detail, /message/);
});

test("gives the same outcomes however the stream is split", () => {
  const stream = joined(
    Buffer.from("noise"),
    good,
    good.subarray(0, 60),
    good,
    changed(good, 50),
    good,
    good.subarray(0, 99),
  );
  assert.deepEqual(kinds(outcomesOf("sml", stream)), ["ok", "truncated", "ok", "crc", "ok", "truncated"]);
  assertAnyPieces("sml", stream);
});

test("survives any bytes, and reads the file that follows them", () => {
  assertSurvives("sml", good, [
    Uint8Array.of(0x1b, 0x1b, 0x1b, 0x1b),
    Uint8Array.of(1, 1, 1, 1),
    Uint8Array.of(0x1b, 0x1b, 0x1b, 0x1b, 0x1a, 0, 0, 0),
  ]);
});

test("survives any file with a good CRC", () => {
  const shaped = fc.array(
    fc.constantFrom(0x76, 0x77, 0x72, 0x71, 0x01, 0x62, 0x63, 0x52, 0x07, 0x00, 0x8f, 0xf1, 0x1b),
    {
      maxLength: 200,
    },
  );
  fc.assert(
    fc.property(fc.oneof(shaped, fc.array(fc.nat(255), { maxLength: 200 })), (bytes) => {
      for (const outcome of outcomesOf("sml", inTransport(bytes))) assert.equal(outcome.ok, false);
    }),
  );
});

test("refuses a profile that does not exist, with those that do", () => {
  assert.throws(
    () => createReader("sml", { profile: "morse" }),
    /unknown meter profile "morse": expected holley-dtz541/,
  );
});
