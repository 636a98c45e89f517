import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect as connectSocket, createServer } from "node:net";
import { test } from "node:test";
import { Aedes } from "aedes";
import fc from "fast-check";
import {
  createPacketReader,
  encodeConnect,
  encodePubacks,
  encodePublish,
  encodeSubscribe,
  packetTypes,
  readPublish,
} from "../../../tools/lab/rig/mqtt-packets.js";

const topics = fc.string({ unit: "binary", minLength: 1, maxLength: 80 });
const payloads = fc.uint8Array({ maxLength: 700 });

test("reads what it publishes, however the stream is cut", () => {
  const publications = fc.array(fc.tuple(topics, fc.integer({ min: 1, max: 65_535 }), payloads), { maxLength: 8 });
  fc.assert(
    fc.property(publications, fc.array(fc.integer({ min: 1, max: 64 }), { minLength: 1 }), (sent, cuts) => {
      const received: unknown[] = [];
      const read = createPacketReader((type, body) => {
        assert.equal(type, packetTypes.publish);
        const { topic, packetId, payload } = readPublish(body);
        received.push([topic.toString(), packetId, Uint8Array.from(payload)]);
      });
      const stream = Buffer.concat(sent.map(([topic, packetId, payload]) => encodePublish(topic, packetId, payload)));
      for (let offset = 0, index = 0; offset < stream.length; index += 1) {
        const end = offset + cuts[index % cuts.length]!;
        read(stream.subarray(offset, end));
        offset = end;
      }
      assert.deepEqual(
        received,
        sent.map(([topic, packetId, payload]) => [topic, packetId, Uint8Array.from(payload)]),
      );
    }),
  );
});

test("refuses a length of more than four bytes", () => {
  const read = createPacketReader(() => assert.fail("there is no packet"));
  assert.throws(() => read(Buffer.of(0x30, 0xff, 0xff, 0xff, 0xff)), RangeError);
});

test("acknowledges several publications at once", () => {
  const acknowledged: number[] = [];
  const read = createPacketReader((type, body) => {
    assert.equal(type, packetTypes.puback);
    acknowledged.push(body.readUInt16BE(0));
  });
  read(encodePubacks([1, 300, 65_535]));
  assert.deepEqual(acknowledged, [1, 300, 65_535]);
});

test("speaks to another's broker: connects, subscribes, publishes and receives at QoS 1", async () => {
  const broker = await Aedes.createBroker();
  const server = createServer((socket) => broker.handle(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const socket = connectSocket((server.address() as AddressInfo).port, "127.0.0.1");
  const seen: { readonly type: number; readonly body: Buffer }[] = [];
  const read = createPacketReader((type, body) => seen.push({ type, body: Buffer.from(body) }));
  const next = async (type: number): Promise<Buffer> => {
    for (;;) {
      const index = seen.findIndex((packet) => packet.type === type);
      if (index >= 0) return seen.splice(index, 1)[0]!.body;
      const [chunk] = (await once(socket, "data")) as [Buffer];
      read(chunk);
    }
  };
  try {
    socket.write(encodeConnect("meter"));
    assert.equal((await next(packetTypes.connack))[1], 0);
    socket.write(encodeSubscribe(7, ["a/b", "c"]));
    assert.deepEqual([...(await next(packetTypes.suback))], [0, 7, 1, 1]);
    socket.write(encodePublish("a/b", 8, Buffer.from("payload")));
    assert.deepEqual([...(await next(packetTypes.puback))], [0, 8]);
    const { topic, packetId, payload } = readPublish(await next(packetTypes.publish));
    assert.deepEqual([topic.toString(), payload.toString()], ["a/b", "payload"]);
    const acknowledged = once(broker, "ack");
    socket.write(encodePubacks([packetId]));
    await acknowledged;
  } finally {
    socket.destroy();
    await new Promise<void>((resolve) => broker.close(resolve));
    await new Promise((resolve) => server.close(resolve));
  }
});
