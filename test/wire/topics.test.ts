// Topics and refusals: what goes round comes back, and anything else is none of ours.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { WireError } from "../../src/wire/error.js";
import { decodeRefusal, encodeRefusal, type RefusalReason, refusalReasons } from "../../src/wire/refusal.js";
import { isNetworkName, meterTopic, parseTopic, serviceTopic, TOPIC_BYTES_MAX } from "../../src/wire/topics.js";
import { fixedBytes } from "./arbitraries.js";
import { independentCbor } from "./independent-cbor.js";

const networks = fc.stringMatching(/^[a-z][a-z0-9-]{0,31}$/);
const meters = fc.stringMatching(/^[0-9a-f]{16}$/);

test("reads every topic that it writes", () => {
  const service = fc.integer({ min: 1, max: 65_535 });
  const serviceKind = fc.constantFrom("record" as const, "receipt" as const);
  const meterKind = fc.constantFrom(
    "birth" as const,
    "death" as const,
    "command" as const,
    "ack" as const,
    "diag" as const,
  );
  fc.assert(
    fc.property(networks, service, serviceKind, meterKind, meters, (network, number, upOrDown, kind, meter) => {
      const one = serviceTopic(network, number, upOrDown, meter);
      assert.deepEqual(parseTopic(one), { kind: upOrDown, network, service: number, meter });
      const other = meterTopic(network, kind, meter);
      assert.deepEqual(parseTopic(other), { kind, network, meter });
      assert.ok(one.length <= TOPIC_BYTES_MAX && other.length <= TOPIC_BYTES_MAX);
      assert.ok(isNetworkName(network));
    }),
  );
});

test("knows no topic that it would not write", () => {
  const meter = "0123456789abcdef";
  for (const topic of [
    "",
    "/",
    `gs2/net/1/record/${meter}`,
    `gs1/Net/1/record/${meter}`,
    `gs1/1net/1/record/${meter}`,
    `gs1//1/record/${meter}`,
    `gs1/${"n".repeat(33)}/1/record/${meter}`,
    `gs1/net/0/record/${meter}`,
    `gs1/net/01/record/${meter}`,
    `gs1/net/65536/record/${meter}`,
    `gs1/net/1e3/record/${meter}`,
    `gs1/net/1/ack/${meter}`,
    `gs1/net/-/record/${meter}`,
    `gs1/net/1/record/${meter}/`,
    `gs1/net/1/record/${meter.toUpperCase()}`,
    `gs1/net/1/record/${meter.slice(1)}`,
    `gs1/net/1/record/${meter}\n`,
    `gs1/net/+/record/${meter}`,
    `gs1/net/1/record/#`,
    "x".repeat(100_000),
  ]) {
    assert.equal(parseTopic(topic), undefined, topic.slice(0, 80));
  }
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 90 }), (topic) => {
      const parsed = parseTopic(topic);
      if (parsed === undefined) return;
      const again =
        "service" in parsed
          ? serviceTopic(parsed.network, parsed.service, parsed.kind, parsed.meter)
          : meterTopic(parsed.network, parsed.kind, parsed.meter);
      assert.equal(again, topic);
    }),
  );
});

test("reads every refusal that it writes, and cuts long sentences between characters", () => {
  const names = Object.keys(refusalReasons) as RefusalReason[];
  const refusals = fc.record(
    {
      service: fc.option(fc.integer({ min: 1, max: 65_535 }), { nil: undefined }),
      seq: fc.option(fc.nat(), { nil: undefined }),
      recordHash: fc.option(fixedBytes(32), { nil: undefined }),
      reason: fc.constantFrom(...names),
      sentence: fc.string({ minLength: 1, maxLength: 100 }),
    },
    { noNullPrototype: true },
  );
  fc.assert(fc.property(refusals, (refusal) => assert.deepEqual(decodeRefusal(encodeRefusal(refusal)), refusal)));
  const base = { service: undefined, seq: undefined, recordHash: undefined, reason: "malformed" } as const;
  for (const [sentence, kept] of [
    ["x".repeat(300), "x".repeat(256)],
    [`${"x".repeat(255)}😀`, "x".repeat(255)],
    ["half \ud83d", "half ?"],
    ["", "refused"],
  ] as const) {
    assert.equal(decodeRefusal(encodeRefusal({ ...base, sentence })).sentence, kept);
  }
});

test("takes a reason that a later version adds for a refusal, and refuses other shapes", () => {
  const later = decodeRefusal(independentCbor([1, 7, null, 255, "later"]));
  assert.equal(later.reason, "malformed");
  for (const item of [
    [1, 7, null, 1],
    [1, 7, null, 1, ""],
    [-1, 7, null, 1, "x"],
    [1, 7, new Uint8Array(31), 1, "x"],
    "x",
  ]) {
    assert.throws(() => decodeRefusal(independentCbor(item)), WireError);
  }
});
