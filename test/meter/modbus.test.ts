import assert from "node:assert/strict";
import { test } from "node:test";
import { createReader, type MeterReader } from "../../src/meter/reader.js";
import { modbusCrcOf } from "../../tools/emulators/checksums.js";
import { answerTo } from "../../tools/emulators/modbus-meter.js";
import {
  assertAnyPieces,
  assertSurvives,
  changed,
  householdAt,
  joined,
  kinds,
  outcomesOf,
  registersOf,
} from "./streams.js";

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
