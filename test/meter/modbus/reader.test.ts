import assert from "node:assert/strict";
import { test } from "node:test";
import { createReader } from "../../../src/meter/open-reader.js";
import type { MeterReader } from "../../../src/meter/reader.js";
import { modbusCrcOf } from "../../../tools/emulators/checksums.js";
import { answerTo } from "../../../tools/emulators/modbus-meter.js";
import {
  assertAnyPieces,
  assertSurvives,
  changed,
  householdAt,
  joined,
  kinds,
  outcomesOf,
  registersOf,
} from "../streams.js";

const state = householdAt(1_700_000_000);
const nothing = new Uint8Array(0);
/** Meter 1, function 4, 80 registers from 0. */
const question = closed([1, 4, 0, 0, 0, 0x50]);
const answer = answerTo(question, 1, state)!;
const exchange = joined(question, answer);

function closed(bytes: readonly number[]): Uint8Array {
  const crc = modbusCrcOf(Uint8Array.from(bytes));
  return Uint8Array.of(...bytes, crc & 0xff, crc >> 8);
}

function asking(): MeterReader {
  return createReader("modbus", { modbus: { address: 1, interval_ms: 10_000 } });
}

test("asks for the input registers and reads the answer", () => {
  const reader = asking();
  assert.deepEqual(reader.toSend(0), [{ kind: "send", bytes: question }]);
  assert.deepEqual(reader.toSend(9999), []);
  const [outcome] = reader.push(answer, 80);
  assert.ok(outcome?.ok);
  const registers = registersOf(outcome);
  assert.deepEqual(registers["1-0:32.7.0*255"], [state.phases[0].voltage_dV, -1, 35]);
  assert.deepEqual(registers["1-0:51.7.0*255"], [state.phases[1].current_cA, -2, 33]);
  assert.deepEqual(registers["1-0:16.7.0*255"], [state.power_W * 10, -1, 27]);
  assert.deepEqual(registers["1-0:14.7.0*255"], [5000, -2, 44]);
  const consumed_Ws = state.consumed.low_Ws + state.consumed.normal_Ws;
  assert.deepEqual(registers["1-0:1.8.0*255"], [Math.floor(consumed_Ws / 3600), 0, 30]);
  assert.equal(outcome.meter, "modbus-1");
  assert.deepEqual(outcome.flags, ["no-clock"]);
  assert.deepEqual(outcome.frame, answer);
  assert.equal(reader.toSend(10_000).length, 1);
});

test("reads past the echo of its own question", () => {
  const reader = asking();
  reader.toSend(0);
  assert.deepEqual(kinds(reader.push(exchange, 80)), ["ok"]);
});

test("tells that the meter is silent, once, and asks again", () => {
  const reader = asking();
  reader.toSend(0);
  assert.deepEqual(reader.push(nothing, 1000), []);
  assert.deepEqual(kinds(reader.push(nothing, 1001)), ["silent"]);
  assert.deepEqual(reader.push(nothing, 2000), []);
  reader.toSend(10_000);
  assert.deepEqual(kinds(reader.push(answer, 10_100)), ["ok"]);
});

test("drops what is left of an answer when it asks again", () => {
  const reader = asking();
  reader.toSend(0);
  reader.push(answer.subarray(0, 50), 100);
  reader.push(nothing, 1500);
  reader.toSend(10_000);
  assert.deepEqual(kinds(reader.push(answer, 10_100)), ["ok"]);
});

test("listens to another master, and reads no answer whose question it did not hear", () => {
  assert.deepEqual(kinds(outcomesOf("modbus", exchange)), ["ok"]);
  const [refused] = outcomesOf("modbus", answer);
  assert.ok(refused?.ok === false && refused.reason === "malformed");
  assert.match(refused.detail, /question that was not heard/);
  assert.deepEqual(kinds(outcomesOf("modbus", joined(question, answer, answer))), ["ok", "malformed"]);
});

test("takes the registers that were asked for, and no others, whatever their first is", () => {
  const part = closed([1, 4, 0, 0x34, 0, 4]);
  const [outcome] = outcomesOf("modbus", joined(part, answerTo(part, 1, state)!));
  assert.ok(outcome?.ok);
  assert.deepEqual(Object.keys(registersOf(outcome)), ["1-0:16.7.0*255"]);
  const unknown = closed([1, 4, 2, 0, 0, 4]);
  assert.deepEqual(kinds(outcomesOf("modbus", joined(unknown, answerTo(unknown, 1, state)!))), ["malformed"]);
});

test("reads an answer of one register at once, though it is shorter than a question", () => {
  const reader = createReader("modbus", { profile: "pzem-016" });
  const asked = closed([9, 4, 0, 7, 0, 1]);
  reader.push(asked, 0);
  const [outcome] = reader.push(closed([9, 4, 2, 1, 0xf4]), 10);
  assert.ok(outcome?.ok);
  assert.deepEqual(registersOf(outcome), { "1-0:14.7.0*255": [500, -1, 44] });
});

test("leaves out a float that is no number, and flags it", () => {
  const content = Buffer.alloc(8);
  content.writeFloatBE(Number.NaN, 0);
  content.writeFloatBE(230.25, 4);
  const [outcome] = outcomesOf("modbus", joined(closed([1, 4, 0, 0, 0, 4]), closed([1, 4, 8, ...content])));
  assert.ok(outcome?.ok);
  assert.deepEqual(registersOf(outcome), { "1-0:52.7.0*255": [2303, -1, 35] });
  assert.ok(outcome.flags.includes("not-a-number 1-0:32.7.0*255"));
});

test("refuses an exception, with its number, and an answer whose CRC is wrong", () => {
  const wrong = closed([1, 4, 0, 0, 0, 126]);
  const [exception] = outcomesOf("modbus", joined(question, answerTo(wrong, 1, state)!));
  assert.ok(exception?.ok === false && exception.reason === "malformed");
  assert.match(exception.detail, /meter 1 answers with exception 3/);
  for (let index = 3; index < answer.length; index++) {
    assert.ok(
      outcomesOf("modbus", joined(question, changed(answer, index))).every(({ ok }) => !ok),
      `byte ${index}`,
    );
  }
  assert.equal(kinds(outcomesOf("modbus", joined(question, changed(answer, 9))))[0], "crc");
});

test("refuses an address that no meter has", () => {
  for (const address of [0, 248, 1.5]) {
    assert.throws(() => createReader("modbus", { modbus: { address, interval_ms: 1000 } }), /expected 1 to 247/);
  }
});

test("gives the same outcomes however the stream is split", () => {
  assertAnyPieces(
    "modbus",
    joined(Uint8Array.of(9, 9), exchange, question, changed(answer, 50), exchange, exchange.subarray(0, 40)),
  );
});

test("survives any bytes, and reads the exchange that follows them", () => {
  assertSurvives("modbus", exchange, [
    question,
    answer,
    Uint8Array.of(1, 4),
    Uint8Array.of(1, 4, 250),
    Uint8Array.of(1, 0x84),
  ]);
});

/** An exchange: the question for `words` registers from `start`, and an answer of these. */
function exchanged(unit: number, operation: number, start: number, words: readonly number[]): Uint8Array {
  const asked = closed([unit, operation, start >> 8, start & 0xff, 0, words.length]);
  const content = words.flatMap((word) => [word >> 8, word & 0xff]);
  return joined(asked, closed([unit, operation, content.length, ...content]));
}

function words(...floats: readonly number[]): number[] {
  const bytes = Buffer.alloc(4 * floats.length);
  floats.forEach((float, index) => {
    bytes.writeFloatBE(float, 4 * index);
  });
  return Array.from({ length: 2 * floats.length }, (_, index) => bytes.readUInt16BE(2 * index));
}

const voltage = exchanged(3, 4, 0, words(230.5));
const totalPower = exchanged(3, 4, 0x34, words(1234.5));

test("reads no integers of another meter as floats of the map, whatever register they are in", () => {
  // PZEM-016: volts in tenths, milliamperes, low word first.
  const integers = [0x04c1, 0x50f1, 0x0002, 0x4d96, 0x0000, 0x2d2b, 0x0000, 0x0258, 0x004f, 0x0000];
  for (const [start, values] of [
    [0, integers.slice(0, 2)],
    [0, integers],
    [3, integers.slice(0, 2)],
    [5, integers.slice(0, 2)],
    [0x34, [0x7530, 0x0001]],
    [0x46, [0x01f4, 0x0000]],
    [0, [2300, 0]],
    [0, [0x2710, 0x0000]],
  ] as const) {
    assert.deepEqual(kinds(outcomesOf("modbus", exchanged(21, 4, start, values))), ["malformed"], `${start}`);
  }
});

test("believes one number alone only of a meter that has shown whose it is", () => {
  const of = (...exchanges: readonly Uint8Array[]): string[] => kinds(outcomesOf("modbus", joined(...exchanges)));
  assert.deepEqual(of(totalPower), ["malformed"]);
  assert.deepEqual(of(voltage, totalPower), ["ok", "ok"]);
  assert.deepEqual(of(voltage, exchanged(4, 4, 0x34, words(1234.5))), ["ok", "malformed"], "another unit");
  const another = exchanged(3, 4, 0x0c, [0x04c1, 0x50f1]);
  assert.deepEqual(of(voltage, another, totalPower), ["ok", "malformed", "malformed"]);
  const two = exchanged(3, 4, 0x34, words(1234.5, 0));
  assert.deepEqual(of(another, two), ["malformed", "malformed"]);
  const odd = exchanged(3, 4, 0x33, words(1234.5));
  assert.deepEqual(of(odd, two), ["malformed", "malformed"], "a meter of the map answers no such question");
});

test("believes it where the map is named", () => {
  const [power] = outcomesOf("modbus", totalPower, { profile: "eastron-sdm630" });
  assert.ok(power?.ok);
  assert.deepEqual(registersOf(power), { "1-0:16.7.0*255": [12345, -1, 27] });
  const phase = exchanged(3, 4, 0x0c, words(1234.5));
  const [only] = outcomesOf("modbus", phase, { profile: "eastron-sdm120" });
  assert.ok(only?.ok);
  assert.deepEqual(registersOf(only), { "1-0:16.7.0*255": [12345, -1, 27] });
  const pzem = exchanged(21, 4, 0, [0x04c1, 0x50f1]);
  assert.deepEqual(kinds(outcomesOf("modbus", pzem, { profile: "eastron-sdm630" })), ["malformed"]);
});

test("takes settings, and answers of another length than was asked for, for no measurements", () => {
  assert.deepEqual(kinds(outcomesOf("modbus", exchanged(3, 3, 0, words(230.5)))), ["malformed"]);
  const asked = closed([1, 4, 0, 0x28, 0, 2]);
  const [refused] = outcomesOf("modbus", joined(asked, closed([1, 4, 6, 0, 6, 0x59, 0xcf, 0, 0])));
  assert.ok(refused?.ok === false);
  assert.match(refused.detail, /meter 1 answers 6 bytes where 4 were asked for/);
});

test("takes a one-phase meter for none of three phases", () => {
  const floats = new Array<number>(40).fill(0);
  floats[0] = 230.5;
  floats[3] = 5.4;
  floats[6] = 1234.5;
  const single = exchanged(1, 4, 0, words(...floats));
  const [refused] = outcomesOf("modbus", single);
  assert.ok(refused?.ok === false);
  assert.match(refused.detail, /has one phase/);
  const [read] = outcomesOf("modbus", single, { profile: "eastron-sdm120" });
  assert.ok(read?.ok);
  assert.deepEqual(registersOf(read)["1-0:16.7.0*255"], [12345, -1, 27]);
});

test("reads of the line that it asks on no other meter than its own", () => {
  const reader = asking();
  reader.toSend(0);
  const [other] = reader.push(voltage, 100);
  assert.ok(other?.ok === false);
  assert.match(other.detail, /meter 3 was asked by another master/);
  assert.deepEqual(kinds(reader.push(nothing, 1001)), ["silent"], "its own is waited for still");
});

test("takes no answer for that of an earlier question where another was heard and not understood", () => {
  const lone = (start: number) => exchanged(3, 4, start, words(230.5));
  const [asked, answered] = [lone(0).subarray(0, 8), lone(2).subarray(8)];
  const garbled = changed(lone(2).subarray(0, 8), 3);
  assert.deepEqual(kinds(outcomesOf("modbus", joined(asked, garbled, answered))), ["malformed"]);
  assert.deepEqual(kinds(outcomesOf("modbus", joined(asked, Uint8Array.of(0, 0xff), answered))), ["ok"], "a glitch");
});
