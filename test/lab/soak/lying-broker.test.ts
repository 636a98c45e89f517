import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { type TestContext, test } from "node:test";
import { decodeRefusal } from "../../../src/wire/refusal.js";
import { meterTopic, serviceTopic } from "../../../src/wire/topics.js";
import { createPacketReader, encodePublish, packetTypes, readPublish } from "../../../tools/lab/rig/mqtt-packets.js";
import { startLyingBroker } from "../../../tools/lab/soak/lying-broker.js";
import { testMeter, testNetwork, testRecords } from "../../wire/network.js";

const network = testNetwork("liar", 4);
const meter = testMeter(network, "meter");
const records = testRecords(meter, 8);
const recordTopic = serviceTopic("liar", 1, "record", "0123456789abcdef");
const ackTopic = meterTopic("liar", "ack", "0123456789abcdef");

/** A node that keeps what is published to it, the lying broker before it, and a meter's connection to that. */
async function bench(t: TestContext) {
  const arrived: string[] = [];
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.on(
      "data",
      createPacketReader((_type, body) => void arrived.push(readPublish(body).topic.toString())),
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const liar = await startLyingBroker({ host: "127.0.0.1", port: (server.address() as AddressInfo).port }, 1);
  const socket = connect(liar.port, "127.0.0.1");
  await once(socket, "connect");
  const refusals: string[] = [];
  const acknowledged: number[] = [];
  socket.on(
    "data",
    createPacketReader((type, body) => {
      if (type === packetTypes.puback) acknowledged.push(body.readUInt16BE(0));
      else {
        assert.equal(type, packetTypes.publish);
        const topicEnd = 2 + body.readUInt16BE(0);
        assert.equal(body.subarray(2, topicEnd).toString(), ackTopic);
        const { seq, reason } = decodeRefusal(new Uint8Array(body.subarray(topicEnd)));
        refusals.push(`${seq} ${reason}`);
      }
    }),
  );
  t.after(async () => {
    socket.destroy();
    await liar.close();
    server.close();
  });
  const until = async (holds: () => boolean) => {
    for (let tries = 0; !holds(); tries += 1) {
      assert.ok(tries < 2_000);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  return { liar, socket, arrived, refusals, acknowledged, until };
}

test("passes everything on, and nothing more, until it is told to lie and when it is told to stop", async (t) => {
  const { liar, socket, arrived, refusals, until } = await bench(t);
  const [first, second, third] = records;
  socket.write(encodePublish(recordTopic, 1, first!));
  await until(() => arrived.length === 1);
  liar.lie("busy");
  socket.write(encodePublish(recordTopic, 2, second!));
  await until(() => refusals.length === 1);
  liar.lie(undefined);
  socket.write(encodePublish(recordTopic, 3, third!));
  await until(() => arrived.length === 2);
  assert.deepEqual(refusals, ["1 busy"]);
});

test("refuses one record in the node's name and acknowledges it, and passes the others and all but records on", async (t) => {
  const { liar, socket, arrived, refusals, acknowledged, until } = await bench(t);
  liar.lie("pick");
  socket.write(encodePublish(meterTopic("liar", "birth", "0123456789abcdef"), 9, Uint8Array.of(1)));
  for (const [index, record] of records.entries()) socket.write(encodePublish(recordTopic, 10 + index, record));
  await until(() => arrived.length === records.length);
  assert.equal(arrived.filter((topic) => topic === recordTopic).length, records.length - 1);
  assert.equal(refusals.length, 1);
  assert.match(refusals[0]!, /^3 /);
  assert.deepEqual(acknowledged, [13]);
  assert.deepEqual(liar.counters, { refusalsForged: 1, recordsKeptBack: 1 });
});

test("says for how long a connection has been lied to, from its first record that was kept back", async (t) => {
  const { liar, socket, arrived, acknowledged, until } = await bench(t);
  liar.lie("pick");
  socket.write(encodePublish(recordTopic, 1, records[0]!));
  await until(() => arrived.length === 1);
  assert.equal(liar.betrayed_ms(), 0);
  for (const [index, record] of records.slice(1).entries()) socket.write(encodePublish(recordTopic, 2 + index, record));
  await until(() => acknowledged.length === 1);
  await until(() => liar.betrayed_ms() > 0);
  socket.destroy();
  await until(() => liar.betrayed_ms() === 0);
});
