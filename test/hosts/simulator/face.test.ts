import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createFace, faceLines, seeMessage, seeReading, seeState } from "../../../hosts/simulator/face.js";
import { parseObis } from "../../../src/meter/obis.js";
import type { Reading } from "../../../src/meter/reader.js";
import { createSealer } from "../../../tools/firmware/sealer.js";

function readingOf(...registers: [string, number | bigint, number, number][]): Reading {
  return {
    ok: true,
    protocol: "p1",
    meter: "",
    time_s: undefined,
    registers: registers.map(([obis, value, scaler, unit]) => ({ obis: parseObis(obis), value, scaler, unit })),
    flags: [],
    frame: new Uint8Array(0),
  };
}

test("shows power and energy as the meter states them, tariffs together, and keeps what a frame leaves out", () => {
  const face = createFace("0123456789abcdef");
  assert.deepEqual(faceLines(face).slice(0, 2), [
    ["power", "-"],
    ["from the grid", "-"],
  ]);
  seeReading(
    face,
    readingOf(
      ["1-0:1.8.1", 1_234_567, 0, 30],
      ["1-0:1.8.2", 1n, 3, 30],
      ["1-0:1.7.0", 12, 1, 27],
      ["1-0:2.7.0", 500, 0, 27],
    ),
  );
  assert.deepEqual(faceLines(face).slice(0, 2), [
    ["power", "-380 W"],
    ["from the grid", "1235.567 kWh"],
  ]);
  seeReading(
    face,
    readingOf(["1-0:2.8.0", 5, 3, 30], ["1-0:2.8.1", 7, 3, 30], ["1-0:1.7.0*1", 9, 0, 27], ["1-0:1.8.0", 3, 0, 29]),
  );
  assert.deepEqual([face.power_W, face.import_Wh, face.export_Wh], [-380, 1_235_567, 5_000]);
});

test("shows the state, what waits and what is sealed, and which block the newest receipt is of", () => {
  const face = createFace("0123456789abcdef");
  seeState(face, "healthy", { waiting: 2, sealed: 40 });
  const sealer = createSealer("street", [3]);
  sealer.seal(3, [new Uint8Array(200)]);
  const [receipt] = sealer.seal(3, [new Uint8Array(201)]);
  seeMessage(face, "gs1/street/3/receipt/0123456789abcdef", receipt!);
  assert.deepEqual(faceLines(face).slice(3), [
    ["records", "2 wait, 40 sealed"],
    ["receipt", "block 2 of chain 3"],
  ]);
});

test("no message makes the face throw or show what is no receipt", () => {
  const topic = fc.oneof(
    fc.string(),
    fc.constantFrom("gs1/street/3/receipt/0123456789abcdef", "gs1/street/-/ack/0123456789abcdef"),
  );
  fc.assert(
    fc.property(topic, fc.uint8Array({ maxLength: 300 }), (name, payload) => {
      const face = createFace("0123456789abcdef");
      seeMessage(face, name, payload);
      assert.equal(face.receipt, undefined);
    }),
  );
});
