import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createReader } from "../../../src/meter/open-reader.js";
import { hdlcFrames, mbusFrames } from "../../../tools/emulators/dlms-frames.js";
import {
  array,
  dateTime,
  described,
  notification,
  octetString,
  selfDescribing,
  structure,
  unsigned16,
  unsigned32,
} from "../../../tools/emulators/dlms-values.js";
import { changed, householdAt, joined, kinds, outcomesOf, readingOf, registersOf } from "../streams.js";

const state = householdAt(1_700_000_000);
const message = notification(described(state));
const nothing = new Uint8Array(0);

test("reads a push without a frame: codes without tags before their values", () => {
  const reading = readingOf("push", message);
  const stated = registersOf(reading);
  const { consumed, normalTariff, phases, serial } = state;
  assert.equal(reading.meter, serial);
  assert.deepEqual(reading.flags, ["unchecked", "no-clock"]);
  assert.deepEqual(stated["0-0:96.3.10*255"], [1, 0, 255]);
  assert.deepEqual(stated["0-0:17.0.0*255"], [0, 0, 27]);
  assert.deepEqual(stated["0-0:96.14.0*255"], [normalTariff ? 1 : 2, 0, 255]);
  assert.deepEqual(stated["1-0:41.7.0*255"], [Math.max(0, phases[1].power_W), 0, 27]);
  assert.deepEqual(stated["1-0:1.8.0*255"], [Math.floor((consumed.low_Ws + consumed.normal_Ws) / 3600), 0, 30]);
});

test("reads one with tags, and its time", () => {
  const reading = readingOf("push", notification(selfDescribing(state), dateTime(state.time_s)));
  assert.equal(reading.time_s, state.time_s);
  assert.deepEqual(reading.flags, ["unchecked"]);
});

test("reads a list of capture objects with restriction and columns", () => {
  const capture = (obis: readonly number[]) =>
    structure([unsigned16(3), octetString(obis), [15, 2], unsigned16(0), structure([[22, 0], [0]]), array([])]);
  const list = structure([array([capture([0, 0, 25, 9, 0, 255]), capture([1, 0, 1, 8, 0, 255])]), unsigned32(4711)]);
  const [refused] = outcomesOf("push", notification(list));
  assert.ok(refused !== undefined);
  assert.deepEqual(registersOf(readingOf("push", notification(list))), { "1-0:1.8.0*255": [4711, 0, 255] });
});

test("waits for the pause behind a message, and reads several in a row", () => {
  const reader = createReader("push");
  assert.deepEqual(reader.push(message.subarray(0, 100), 0), []);
  assert.deepEqual(reader.push(nothing, 500), []);
  assert.deepEqual(reader.push(message.subarray(100), 900), []);
  assert.equal(reader.wakeAt_ms(), 1901);
  assert.deepEqual(kinds(reader.push(nothing, 1901)), ["ok"]);
  assert.equal(reader.wakeAt_ms(), Number.POSITIVE_INFINITY);
  assert.deepEqual(
    kinds(outcomesOf("push", joined(...new Array<Uint8Array>(60).fill(message)))),
    new Array(60).fill("ok"),
  );
});

test("reads nothing of a burst that is not whole messages alone: it could be what another frame holds", () => {
  for (const [bytes, reason] of [
    [message.subarray(0, -1), "truncated"],
    [message.subarray(1), "malformed"],
    [joined(message, Uint8Array.of(0)), "truncated"],
    [joined(message, message.subarray(0, 50)), "truncated"],
    [joined(Uint8Array.of(0x7e), message), "malformed"],
    [new Uint8Array(5000), "oversized"],
  ] as const) {
    assert.deepEqual(kinds(outcomesOf("push", bytes)), [reason]);
  }
  for (const frame of [...hdlcFrames(message), ...mbusFrames(message)]) {
    for (let start = 0; start < 30; start++)
      assert.ok(
        outcomesOf("push", frame.subarray(start)).every(({ ok }) => !ok),
        `from byte ${start}`,
      );
  }
});

test("refuses all of it where a check is required", () => {
  assert.deepEqual(kinds(outcomesOf("push", message, { requireCrc: true })), ["crc"]);
});

test("says of every reading that nothing has checked it, whatever came", () => {
  fc.assert(
    fc.property(fc.nat(message.length - 1), fc.integer({ min: 1, max: 255 }), (index, mask) => {
      for (const outcome of outcomesOf("push", changed(message, index, mask)))
        assert.ok(!outcome.ok || outcome.flags.includes("unchecked"));
    }),
  );
});

test("survives any bytes, and reads the message that follows a pause", () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.uint8Array({ maxLength: 600 }), fc.constant(message)), { maxLength: 8 }),
      (chunks) => {
        const reader = createReader("push");
        for (const chunk of chunks) reader.push(chunk, 0);
        reader.push(nothing, 5000);
        reader.push(message, 6000);
        assert.ok(reader.push(nothing, 8000).at(-1)?.ok);
      },
    ),
    { numRuns: 60 },
  );
});
