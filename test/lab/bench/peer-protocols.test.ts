import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodePutRequest } from "../../../tools/lab/bench/etcd-client.js";
import { createNatsReader } from "../../../tools/lab/bench/jetstream-client.js";

test("writes etcd's PutRequest with its gRPC prefix", () => {
  const value = Buffer.alloc(200, 0x61);
  const message = encodePutRequest(Buffer.from("key"), value);
  const head = Buffer.of(0, 0, 0, 0, 208, 0x0a, 3, 0x6b, 0x65, 0x79, 0x12, 0xc8, 0x01);
  assert.deepEqual(message, Buffer.concat([head, value]));
});

test("reads NATS' messages and lines, however the stream is cut", () => {
  const payloads = fc.array(fc.string({ maxLength: 60 }), { maxLength: 6 });
  fc.assert(
    fc.property(payloads, fc.integer({ min: 1, max: 40 }), (sent, cut) => {
      const received: string[] = [];
      const lines: string[] = [];
      const read = createNatsReader({
        onMessage: ({ subject, payload }) => received.push(`${subject} ${payload}`),
        onLine: (line) => lines.push(line),
      });
      const messages = sent.map((text, index) => `MSG _INBOX.${index} 1 ${Buffer.byteLength(text)}\r\n${text}\r\n`);
      const stream = Buffer.from(`INFO {}\r\n${messages.join("PING\r\n")}PONG\r\n`);
      for (let offset = 0; offset < stream.length; offset += cut) read(stream.subarray(offset, offset + cut));
      assert.deepEqual(
        received,
        sent.map((text, index) => `_INBOX.${index} ${text}`),
      );
      assert.deepEqual(lines, ["INFO {}", ...sent.slice(1).map(() => "PING"), "PONG"]);
    }),
  );
});
