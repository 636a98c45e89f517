import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createPacketGuard, defaultGuardLimits } from "../../../tools/node/ingest/packet-guard.js";
import { connectPacket, packet, publishPacket, recordTopic, subscribePacket } from "./client.js";

const mqtt = [0, 4, ...Buffer.from("MQTT")];
const hello = connectPacket("m", { will: { topic: recordTopic, payload: new Uint8Array(3) } });
const long = "é".repeat(300);

/** Each with what is refused of it, and the return code of the CONNACK. */
const streams: readonly (readonly [string | undefined, number | undefined, ...Uint8Array[]])[] = [
  [undefined, undefined, hello, publishPacket(1, long, new Uint8Array(500)), subscribePacket(2, recordTopic, long)],
  [undefined, undefined, hello, packet(0x30, [0, 1, 97]), packet(0x40, [0, 9]), packet(0xc0), packet(0xe0)],
  [undefined, undefined, hello, packet(0xa2, [0, 1], [0, 1, 97], [0, 2, 0x2b, 0x2f])],
  ["malformed", undefined, hello, publishPacket(1, `${long}\u0000`, new Uint8Array(500))],
  ["malformed", undefined, hello, publishPacket(0, long, new Uint8Array(500))],
  ["malformed", undefined, hello, packet(0x32, [2, 0, 1, 2, 3])],
  ["malformed", undefined, hello, subscribePacket(2, recordTopic, `${long}\u0000`)],
  ["malformed", undefined, hello, packet(0x82, [0, 1], [0, 1, 0xff, 1])],
  ["malformed", undefined, packet(0x10, mqtt, [4, 2, 0, 60], [0, 2, 0xc3, 0x28])],
  ["malformed", 1, packet(0x10, mqtt, [5, 2, 0, 60, 0, 0, 1, 97])],
  ["malformed", 2, connectPacket(long)],
];

test("says of each packet the same, wherever it is cut", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...streams),
      fc.array(fc.nat(), { maxLength: 40 }),
      ([reason, code, ...parts], cuts) => {
        const bytes = Buffer.concat(parts);
        const guard = createPacketGuard(defaultGuardLimits);
        const places = [...cuts.map((cut) => cut % bytes.length).sort((a, b) => a - b), bytes.length];
        let from = 0;
        let refusal: string | undefined;
        for (const to of places) {
          refusal ??= guard.inspect(bytes.subarray(from, to), 0);
          from = to;
        }
        assert.equal(refusal, reason);
        assert.deepEqual(guard.answer(), code === undefined ? undefined : Uint8Array.of(0x20, 2, 0, code));
      },
    ),
    { numRuns: 500 },
  );
});

test("says it one byte at a time too", () => {
  for (const [reason, , ...parts] of streams) {
    const guard = createPacketGuard(defaultGuardLimits);
    let refusal: string | undefined;
    for (const byte of Buffer.concat(parts)) refusal ??= guard.inspect(Uint8Array.of(byte), 0);
    assert.equal(refusal, reason);
  }
});
