import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  answers,
  type Call,
  calls,
  decodeAnswer,
  decodeMessage,
  type Event,
  encodeAnswer,
  encodeFailure,
  encodeMessage,
  events,
} from "../../../hosts/xsnap/bridge.js";
import { MESSAGE_BYTES_MAX } from "../../../hosts/xsnap/octets.js";

const kinds = {
  count: fc.nat({ max: 0xffffffff }),
  real: fc.double(),
  flag: fc.boolean(),
  text: fc.string({ unit: "grapheme" }),
  texts: fc.array(fc.string(), { maxLength: 8 }),
  bytes: fc.uint8Array({ maxLength: 600 }),
  maybeText: fc.option(fc.string(), { nil: undefined }),
  maybeBytes: fc.option(fc.uint8Array(), { nil: undefined }),
};

type Shapes = Readonly<Record<string, Readonly<Record<string, keyof typeof kinds>>>>;

/** Every message of a table. */
function messageOf(table: Shapes): fc.Arbitrary<{ name: string; fields: Record<string, unknown> }> {
  const messages = Object.entries(table).map(([name, shape]) => {
    const fields = Object.fromEntries(Object.entries(shape).map(([field, kind]) => [field, kinds[kind]]));
    const plain = { noNullPrototype: true };
    return fc.record({ name: fc.constant(name), fields: fc.record<Record<string, unknown>>(fields, plain) }, plain);
  });
  return fc.oneof(...messages);
}

test("calls and events come back as they were", () => {
  fc.assert(
    fc.property(messageOf(calls), (call) => {
      assert.deepEqual(decodeMessage(calls, encodeMessage(calls, call as Call)), call);
    }),
  );
  fc.assert(
    fc.property(messageOf(events), (event) => {
      assert.deepEqual(decodeMessage(events, encodeMessage(events, event as Event)), event);
    }),
  );
});

test("answers come back as they were", () => {
  fc.assert(
    fc.property(messageOf(answers), ({ name, fields }) => {
      const call = name as "random";
      assert.deepEqual(decodeAnswer(call, encodeAnswer(call, fields as { bytes: Uint8Array })), fields);
    }),
  );
});

test("a failed call throws its name and the reason", () => {
  assert.throws(() => decodeAnswer("flashErase", encodeFailure("not the start of a sector")), {
    message: "flashErase: not the start of a sector",
  });
});

test("refuses a message that was cut anywhere, and one with a byte too many", () => {
  fc.assert(
    fc.property(messageOf(calls), fc.nat(), (call, cut) => {
      const bytes = encodeMessage(calls, call as Call);
      assert.throws(() => decodeMessage(calls, bytes.subarray(0, cut % bytes.length)));
      assert.throws(() => decodeMessage(calls, Uint8Array.of(...bytes, 0)), /bytes too many|truncated/);
    }),
  );
});

test("refuses or reads any bytes, and never fails otherwise", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      try {
        encodeMessage(events, decodeMessage(events, bytes));
      } catch (thrown) {
        assert(thrown instanceof Error);
      }
    }),
  );
});

test("refuses an unknown tag, a flag that is neither, and a list that claims more than there is", () => {
  assert.throws(() => decodeMessage(calls, Uint8Array.of(200)), /unknown tag 200/);
  const publish = { connection: 1, packetId: 1, topic: "t", payload: new Uint8Array(0), duplicate: true };
  const flagged = encodeMessage(calls, { name: "mqttPublish", fields: publish });
  flagged[flagged.length - 1] = 2;
  assert.throws(() => decodeMessage(calls, flagged), /flag must be 0 or 1/);
  const listed = encodeMessage(calls, { name: "mqttSubscribe", fields: { connection: 1, topics: [] } });
  listed.fill(0xff, listed.length - 4);
  assert.throws(() => decodeMessage(calls, listed), /truncated/);
});

test("refuses a message that is too long, before it is built", () => {
  const bytes = new Uint8Array(MESSAGE_BYTES_MAX);
  assert.throws(() => encodeMessage(calls, { name: "flashWrite", fields: { offset: 0, bytes } }), /longer than/);
  assert.throws(() => decodeMessage(calls, new Uint8Array(MESSAGE_BYTES_MAX + 1)), /longer than/);
});

test("refuses a count that is not an unsigned 32-bit integer", () => {
  for (const offset of [-1, 0.5, 2 ** 32, Number.NaN])
    assert.throws(() => encodeMessage(calls, { name: "flashErase", fields: { offset } }), /unsigned 32-bit/);
});
