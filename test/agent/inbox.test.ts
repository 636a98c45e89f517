import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { createInbox } from "../../src/agent/inbox.js";
import type { ReceiptJudge } from "../../src/agent/receipts.js";
import { encodeCbor } from "../../src/wire/cbor.js";
import { WireError } from "../../src/wire/error.js";
import { encodeRefusal } from "../../src/wire/refusal.js";
import { meterTopic, serviceTopic } from "../../src/wire/topics.js";

const meter = "0123456789abcdef";
const judged: [number, number][] = [];
const shown: [number, number][] = [];
const receipts: Pick<ReceiptJudge, "judge"> = {
  judge(bytes, service) {
    judged.push([bytes.length, service]);
    return { kind: "stray receipt" };
  },
};
const read = createInbox("net", meter, receipts, {
  take(service, item) {
    if (item.length === 0) throw new WireError("shape", "nothing");
    shown.push([item.length, service]);
  },
});
const inbox = (topic: string, payload: Uint8Array) => read(topic, payload, 0);
const refusal = { service: 1, seq: 4, recordHash: new Uint8Array(32), reason: "busy", sentence: "later" } as const;

describe("inbox", () => {
  test("hands receipts to the judge with the service of their topic", () => {
    assert.deepEqual(inbox(serviceTopic("net", 3, "receipt", meter), new Uint8Array(7)), { kind: "stray receipt" });
    assert.deepEqual(judged.pop(), [7, 3]);
  });

  test("hands on what proves members with the service of its topic, and says why it proves nothing", () => {
    const topic = serviceTopic("net", 3, "members", meter);
    assert.deepEqual(inbox(topic, new Uint8Array(7)), { kind: "members" });
    assert.deepEqual(shown.pop(), [7, 3]);
    assert.deepEqual(inbox(topic, new Uint8Array(0)), { kind: "wrong members", reason: "nothing" });
  });

  test("reads refusals and commands", () => {
    assert.deepEqual(inbox(meterTopic("net", "ack", meter), encodeRefusal(refusal)), { kind: "refused", refusal });
    const command = inbox(meterTopic("net", "command", meter), encodeCbor([1, 3]));
    assert.deepEqual(command, { kind: "command", command: { service: 3 } });
  });

  test("finds strange what is for others, too large, or on a topic that meters publish on", () => {
    const other = "fedcba9876543210";
    const ack = encodeRefusal(refusal);
    const strange: readonly (readonly [string, Uint8Array])[] = [
      [meterTopic("net", "ack", other), ack],
      [meterTopic("other", "ack", meter), ack],
      [meterTopic("net", "birth", meter), ack],
      [serviceTopic("net", 1, "record", meter), ack],
      [serviceTopic("net", 1, "receipt", meter), new Uint8Array(16_385)],
      [meterTopic("net", "ack", meter), ack.subarray(1)],
      [meterTopic("net", "command", meter), Uint8Array.of(1)],
      ["", ack],
    ];
    for (const [topic, payload] of strange) assert.deepEqual(inbox(topic, payload), { kind: "strange" }, topic);
    assert.deepEqual(judged, []);
  });

  test("throws on no topic and no bytes", () => {
    const kinds = fc
      .constantFrom("ack", "command", "diag", "birth" as const)
      .map((kind) => `gs1/net/-/${kind}/${meter}`);
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), kinds),
        fc.uint8Array({ maxLength: 80 }),
        (topic, payload) => void inbox(topic, payload),
      ),
    );
  });
});
