import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodePuback, encodePublishHead, PACKET_ID_MAX, readPublication } from "../../../tools/node/ingest/packets.js";
import { packet, packetReader, publishPacket } from "./client.js";

const topics = fc.string({ unit: fc.constantFrom(..."gs1/-abcdef0123456789"), minLength: 1, maxLength: 80 });
const packetIds = fc.integer({ min: 1, max: PACKET_ID_MAX });

test("a PUBLISH at QoS 1 is its head and its payload", () => {
  fc.assert(
    fc.property(topics, packetIds, fc.uint8Array({ maxLength: 300 }), (topic, packetId, payload) => {
      const head = encodePublishHead(topic, 1, packetId, payload.length);
      assert.deepEqual(Buffer.concat([head, payload]), publishPacket(packetId, topic, payload));
    }),
  );
});

test("a PUBLISH at QoS 0 has no packet identifier", () => {
  const head = encodePublishHead("gs1", 0, 7, 1);
  assert.deepEqual([...head], [0x30, 6, 0, 3, ...Buffer.from("gs1")]);
});

test("a remaining length takes one to four bytes", () => {
  for (const payload_bytes of [0, 120, 121, 122, 16_376, 16_377, 16_378, 2_097_144, 2_097_145]) {
    const stream = Buffer.concat([encodePublishHead("gs1", 1, 9, payload_bytes), new Uint8Array(payload_bytes)]);
    const lengths: number[] = [];
    packetReader((_first, body) => lengths.push(body.length))(stream);
    assert.deepEqual(lengths, [2 + 3 + 2 + payload_bytes]);
  }
});

test("a PUBACK names its packet", () => {
  fc.assert(
    fc.property(packetIds, (packetId) => {
      assert.deepEqual(Buffer.from(encodePuback(packetId)), packet(0x40, [packetId >> 8, packetId & 255]));
    }),
  );
});

test("a PUBLISH is read as it was written, wherever it stands in its memory", () => {
  const drawn = [topics, packetIds, fc.uint8Array({ maxLength: 300 }), fc.constantFrom<0 | 1>(0, 1)] as const;
  fc.assert(
    fc.property(...drawn, (topic, packetId, payload, qos) => {
      const packet = Buffer.concat([
        Uint8Array.of(1, 2, 3),
        encodePublishHead(topic, qos, packetId, payload.length),
        payload,
      ]);
      const read = readPublication(packet.subarray(3));
      assert.deepEqual(
        { ...read, payload: Uint8Array.from(read.payload) },
        { topic, packetId: qos === 1 ? packetId : undefined, payload },
      );
    }),
  );
});
