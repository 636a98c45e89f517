import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { connect } from "mqtt";
import { createNetworkAuthority, createNodeCertificate } from "../../../tools/authority/tls.js";
import { GridsealError } from "../../../tools/errors.js";
import {
  createEmbeddedBroker,
  defaultBrokerLimits,
  type EmbeddedBrokerOptions,
} from "../../../tools/node/ingest/broker.js";
import type { Ingest } from "../../../tools/node/ingest/ingest.js";
import { PACKET_BYTES_MAX } from "../../../tools/node/ingest/packet-guard.js";
import { until } from "../network/cluster.js";
import {
  acknowledged,
  connectPacket,
  disconnectPacket,
  granted,
  meter,
  type Noted,
  noteEverything,
  openClient,
  packet,
  pingPacket,
  publishPacket,
  type RawClient,
  receiptTopic,
  recordTopic,
  subscribePacket,
  subscribePacketAt,
} from "./client.js";

const MIB = 1024 * 1024;
const listen = { host: "127.0.0.1", port: 0 };

async function withBroker(
  body: (url: string, broker: Ingest, noted: Noted) => Promise<void>,
  overrides: Partial<EmbeddedBrokerOptions> = {},
  noted: Noted = noteEverything(),
): Promise<void> {
  const broker = createEmbeddedBroker({
    network: "test",
    listen,
    limits: defaultBrokerLimits,
    handlers: noted.handlers,
    ...overrides,
  });
  try {
    await body((await broker.start()).url, broker, noted);
  } finally {
    await broker.close();
  }
}

/** Shows that the broker serves a meter: a record is taken and acknowledged. */
async function serves(url: string, noted: Noted): Promise<void> {
  const good = (): number => noted.records.filter(({ client }) => client.startsWith("good~")).length;
  const before = good();
  const client = openClient(url, connectPacket("good"), publishPacket(1, recordTopic, Buffer.from("good")));
  await until(() => acknowledged(client).includes(1));
  assert.equal(good(), before + 1);
  client.socket.destroy();
}

test("an MQTT client publishes a record, and the receipt comes back to it alone", async () => {
  await withBroker(async (url, broker, noted) => {
    const client = connect(url, { clientId: meter });
    const stranger = connect(url, { clientId: "other" });
    const received: string[] = [];
    const overheard: string[] = [];
    try {
      client.on("message", (topic, payload) => received.push(`${topic} ${payload}`));
      stranger.on("message", (topic) => overheard.push(topic));
      assert.equal(broker.hasSubscriber(receiptTopic), false);
      const filters = [`gs1/test/+/receipt/${meter}`, `gs1/test/+/members/${meter}`, `gs1/test/-/ack/${meter}`];
      await client.subscribeAsync(filters, { qos: 1 });
      await stranger.subscribeAsync("gs1/test/+/receipt/ffffffffffffffff", { qos: 1 });
      await client.publishAsync(recordTopic, "the record", { qos: 1 });
      assert.deepEqual(
        noted.records.map(({ topic, payload, client }) => [topic, Buffer.from(payload).toString(), client]),
        [[recordTopic, "the record", `${meter}~1`]],
      );
      // Who subscribes is sent nothing before it has proved to be the meter.
      assert.equal(broker.hasSubscriber(receiptTopic), false);
      assert.equal(broker.publish(receiptTopic, Buffer.from("too early")), false);
      broker.prove(`${meter}~1`, meter);
      broker.prove("other~2", meter);
      assert.ok(broker.hasSubscriber(receiptTopic));
      assert.ok(broker.publish(receiptTopic, Buffer.from("the receipt")));
      assert.ok(broker.publish(`gs1/test/-/ack/${meter}`, Buffer.from("refused")));
      assert.equal(broker.publish(`gs1/test/-/command/${meter}`, Buffer.from("unheard")), false);
      await until(() => received.length === 2);
      assert.deepEqual(received, [`${receiptTopic} the receipt`, `gs1/test/-/ack/${meter} refused`]);
      await client.unsubscribeAsync(filters);
      assert.equal(broker.hasSubscriber(receiptTopic), false);
      assert.deepEqual(overheard, []);
    } finally {
      await Promise.all([client.endAsync(true), stranger.endAsync(true)]);
    }
  });
});

test("a record is acknowledged when its handler has resolved, not before, and others need not wait for it", async () => {
  const releases: (() => void)[] = [];
  const noted = noteEverything({ onPublish: () => new Promise((resolve) => releases.push(resolve)) });
  await withBroker(
    async (url) => {
      const first = openClient(url, connectPacket("first"), publishPacket(7, recordTopic, Buffer.from("1")));
      const second = openClient(url, connectPacket("second"), publishPacket(9, recordTopic, Buffer.from("2")));
      await until(() => releases.length === 2);
      assert.deepEqual([acknowledged(first), acknowledged(second)], [[], []]);
      releases[1]!();
      await until(() => acknowledged(first).length + acknowledged(second).length === 1);
      releases[0]!();
      await until(() => acknowledged(first).length === 1 && acknowledged(second).length === 1);
    },
    {},
    noted,
  );
});

test("a record whose handler rejects is not acknowledged: the session ends, and the failure is the node's", async () => {
  const noted = noteEverything({ onPublish: () => Promise.reject(new Error("disk full")) });
  await withBroker(
    async (url, broker) => {
      const client = openClient(url, connectPacket("unlucky"), publishPacket(1, recordTopic, Buffer.from("x")));
      await until(() => client.closed);
      assert.deepEqual(acknowledged(client), []);
      assert.deepEqual(noted.refused, ["Error: disk full"]);
      assert.equal(broker.counters().handler_failures, 1);
    },
    {},
    noted,
  );
});

test("of a client that publishes fast no more is read than the node has under way", async () => {
  const releases: (() => void)[] = [];
  const noted = noteEverything({ onPublish: () => new Promise((resolve) => releases.push(resolve)) });
  await withBroker(
    async (url) => {
      const client = openClient(url, connectPacket("fast"));
      await until(() => client.packets.length === 1);
      const payload = new Uint8Array(4_000);
      for (let id = 1; id <= 150; id += 1) client.socket.write(publishPacket(id, recordTopic, payload));
      await until(() => releases.length >= 64);
      await pause(50);
      assert.ok(releases.length < 100, `${releases.length} under way`);
      let answered = 0;
      await until(() => {
        for (; answered < releases.length; answered += 1) releases[answered]!();
        return acknowledged(client).length === 150;
      });
    },
    {},
    noted,
  );
});

test("a birth that comes in pieces is handled before the record behind it, and acknowledged before it", async () => {
  const seen: string[] = [];
  const noted = noteEverything({
    async onPublish(topic, payload) {
      seen.push(`${topic.kind} ${Buffer.from(payload)}`);
    },
  });
  await withBroker(
    async (url) => {
      const birth = publishPacket(1, `gs1/test/-/birth/${meter}`, Buffer.from("first"));
      const record = publishPacket(2, recordTopic, Buffer.from("second"));
      for (const cut of [1, 2, 10, birth.length - 1]) {
        seen.length = 0;
        const client = openClient(url, connectPacket(meter));
        await until(() => client.packets.length > 0);
        client.socket.write(birth.subarray(0, cut));
        await pause(20);
        client.socket.write(Buffer.concat([birth.subarray(cut), record]));
        await until(() => acknowledged(client).length === 2);
        assert.deepEqual(acknowledged(client), [1, 2], `cut at ${cut}`);
        assert.deepEqual(seen, ["birth first", "record second"], `cut at ${cut}`);
        client.socket.destroy();
      }
    },
    {},
    noted,
  );
});

test("births, deaths and diagnoses reach the node, and a will speaks for a meter that is cut off", async () => {
  await withBroker(async (url, _broker, noted) => {
    const will = { topic: `gs1/test/-/death/${meter}`, payload: new Uint8Array(0) };
    const client = openClient(
      url,
      connectPacket(meter, { will }),
      publishPacket(1, `gs1/test/-/birth/${meter}`, Buffer.from("b")),
    );
    await until(() => acknowledged(client).length === 1);
    client.socket.write(publishPacket(2, `gs1/test/-/diag/${meter}`, Buffer.from("d")));
    await until(() => acknowledged(client).length === 2);
    client.socket.destroy();
    await until(() => noted.notices.length === 3);
    assert.deepEqual(noted.notices, ["birth", "diag", "death"]);
    // Who takes its leave leaves no will.
    const polite = openClient(url, connectPacket(meter, { will }), disconnectPacket);
    await until(() => polite.closed);
    await serves(url, noted);
    assert.equal(noted.notices.length, 3);
  });
});

test("a publication on a topic that no meter publishes on is acknowledged, counted and goes nowhere", async () => {
  await withBroker(async (url, broker, noted) => {
    const topics = [
      "anything",
      receiptTopic,
      `gs1/other/1/record/${meter}`,
      `gs1/test/0/record/${meter}`,
      "gs1/test/1/record/SHOUTING",
      `gs1/test/-/command/${meter}`,
      "$SYS/broker",
      "/".repeat(200),
    ];
    const subscriber = openClient(url, connectPacket(meter), subscribePacket(1, `gs1/test/+/receipt/${meter}`));
    await until(() => granted(subscriber).length === 1);
    const client = openClient(
      url,
      connectPacket("lost"),
      ...topics.map((topic, index) => publishPacket(index + 1, topic, Buffer.from("x"))),
    );
    await until(() => acknowledged(client).length === topics.length);
    assert.equal(broker.counters().refused["wrong-topic"], topics.length);
    client.socket.write(publishPacket(100, recordTopic, Buffer.from("right")));
    await until(() => acknowledged(client).includes(100));
    assert.equal(noted.records.length, 1);
    assert.equal(subscriber.packets.filter(({ first }) => first >> 4 === 3).length, 0);
  });
});

test("a subscription beyond one meter's topics is refused with 0x80, and the session goes on", async () => {
  await withBroker(async (url, broker, noted) => {
    const filters = [
      `gs1/test/+/receipt/${meter}`,
      `gs1/test/3/receipt/${meter}`,
      `gs1/test/-/command/${meter}`,
      "gs1/test/#",
      "#",
      "gs1/test/+/receipt/+",
      `gs1/+/+/receipt/${meter}`,
      `gs1/test/+/record/${meter}`,
      `gs1/test/-/birth/${meter}`,
      "gs1/test/+/receipt/ffffffffffffffff",
      "$SYS/#",
    ];
    const client = openClient(url, connectPacket(meter), subscribePacket(1, ...filters));
    await until(() => granted(client).length > 0);
    assert.deepEqual(granted(client), [1, 1, 1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80]);
    assert.equal(broker.counters().refused["wrong-subscription"], 8);
    client.socket.write(publishPacket(2, recordTopic, Buffer.from("x")));
    await until(() => acknowledged(client).includes(2));
    assert.equal(noted.records.length, 1);
  });
});

test("a session has a limited number of subscriptions", async () => {
  await withBroker(
    async (url) => {
      const filters = Array.from({ length: 4 }, (_, index) => `gs1/test/${index + 1}/receipt/${meter}`);
      const client = openClient(url, connectPacket(meter), subscribePacket(1, ...filters));
      await until(() => granted(client).length === 4);
      assert.deepEqual(granted(client), [1, 1, 1, 0x80]);
    },
    { limits: { ...defaultBrokerLimits, subscriptions_max: 3 } },
  );
});

test("no session outlives its connection, and nothing is retained, whatever the client asks for", async () => {
  await withBroker(async (url, broker) => {
    const lasting = openClient(
      url,
      connectPacket(meter, { clean: false }),
      subscribePacket(1, `gs1/test/+/receipt/${meter}`),
    );
    await until(() => granted(lasting).length === 1);
    lasting.socket.destroy();
    await until(() => broker.counters().connections === 0);
    assert.equal(broker.publish(receiptTopic, Buffer.from("x")), false);
    const again = openClient(url, connectPacket(meter, { clean: false }), pingPacket);
    await until(() => again.packets.length === 2);
    // CONNACK without a session present (section 3.2.2.2), PINGRESP, and nothing that was kept.
    assert.deepEqual(
      again.packets.map(({ first, body }) => [first, ...body]),
      [[0x20, 0, 0], [0xd0]],
    );
  });
});

describe("a bad client is refused with a counted reason, and a good one is served on:", () => {
  const hello = connectPacket("bad");
  const mqtt = [0, 4, ...Buffer.from("MQTT")];
  const filter = [0, 1, 97];
  const cases: Record<string, readonly [string, ...Uint8Array[]]> = {
    "a publication with identifier 0": ["malformed", hello, publishPacket(0, recordTopic, new Uint8Array(1))],
    "a subscription with identifier 0": ["malformed", hello, subscribePacket(0, `gs1/test/+/receipt/${meter}`)],
    "UNSUBSCRIBE with identifier 0": ["malformed", hello, packet(0xa2, [0, 0], filter)],
    "PUBACK with identifier 0": ["malformed", hello, packet(0x40, [0, 0])],
    "PUBACK of three bytes": ["malformed", hello, packet(0x40, [0, 1, 0])],
    "PINGREQ with a body": ["malformed", hello, packet(0xc0, [0])],
    "a repetition of QoS 0": ["malformed", hello, packet(0x38, filter, [1])],
    "SUBSCRIBE for QoS 3": ["malformed", hello, packet(0x82, [0, 1], filter, [3])],
    "UNSUBSCRIBE without topics": ["malformed", hello, packet(0xa2, [0, 1])],
    "an empty filter": ["malformed", hello, packet(0x82, [0, 1], [0, 0, 1])],
    "an empty topic": ["malformed", hello, packet(0x32, [0, 0, 0, 1])],
    "a will of QoS 2": ["quality-of-service", packet(0x10, mqtt, [4, 0x16, 0, 60], filter, filter, [0, 0])],
    "a will of QoS 3": ["malformed", packet(0x10, mqtt, [4, 0x1e, 0, 60], filter, filter, [0, 0])],
    "the quality of a will that is not there": ["malformed", packet(0x10, mqtt, [4, 0x0a, 0, 60], filter)],
    "a will without a topic": ["malformed", packet(0x10, mqtt, [4, 6, 0, 60], filter, [0, 0], [0, 0])],
    "a will on a wildcard": ["malformed", packet(0x10, mqtt, [4, 6, 0, 60], filter, [0, 1, 0x23], [0, 0])],
    "a password without a user name": ["malformed", packet(0x10, mqtt, [4, 0x42, 0, 60], filter, filter)],
    "a reserved flag of CONNECT": ["malformed", packet(0x10, mqtt, [4, 3, 0, 60], filter)],
    "CONNECT with bytes behind its end": ["malformed", packet(0x10, mqtt, [4, 2, 0, 60], filter, [0])],
    "a claim of 256 MB": ["oversized", hello, Uint8Array.of(0x32, 0xff, 0xff, 0xff, 0x7f)],
    "a packet just above the limit": [
      "oversized",
      hello,
      publishPacket(1, recordTopic, new Uint8Array(PACKET_BYTES_MAX)),
    ],
    "a length of five bytes": ["malformed", hello, Uint8Array.of(0x32, 0x80, 0x80, 0x80, 0x80, 1)],
    "no CONNECT first": ["not-connect", publishPacket(1, recordTopic, new Uint8Array(1))],
    HTTP: ["not-connect", Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n")],
    "a second CONNECT": ["malformed", hello, hello],
    "MQTT 5": ["malformed", packet(0x10, [0, 4], Buffer.from("MQTT"), [5, 2, 0, 60, 0, 0, 1, 97])],
    "a protocol that is not MQTT": ["malformed", packet(0x10, [0, 4], Buffer.from("XXXX"), [4, 2, 0, 60, 0, 1, 97])],
    "a truncated CONNECT": ["malformed", packet(0x10, [0, 4], Buffer.from("MQTT"), [4])],
    "a topic longer than its packet": ["malformed", hello, packet(0x32, [0xff, 0xff, 1, 2, 3])],
    "a SUBSCRIBE without topics": ["malformed", hello, packet(0x82, [0, 1])],
    "a wildcard in a publication's topic": ["malformed", hello, publishPacket(1, "gs1/#", new Uint8Array(1))],
    "QoS 2": ["quality-of-service", hello, packet(0x34, [0, 1], Buffer.from("a"), [0, 1])],
    "a flood of pings": ["flood", hello, Buffer.concat(Array(20_000).fill(pingPacket))],
    "a client id of a thousand characters": ["malformed", connectPacket("x".repeat(1_000))],
    "a CONNECT that never ends": ["slow", hello.subarray(0, 8)],
    "a half-open connection that says nothing": ["slow"],
    "a publication that never ends": [
      "slow",
      hello,
      publishPacket(1, recordTopic, new Uint8Array(100)).subarray(0, 60),
    ],
  };
  const strings: Readonly<Record<string, readonly number[]>> = {
    NUL: [0x61, 0, 0x62],
    "bytes that are no UTF-8": [0x61, 0xff],
    "an overlong NUL": [0xc0, 0x80],
    "half a surrogate pair": [0xed, 0xa0, 0x80],
  };
  for (const [what, bytes] of Object.entries(strings)) {
    const string = Buffer.from([0, bytes.length, ...bytes]);
    cases[`a topic with ${what}`] = ["malformed", hello, packet(0x32, string, [0, 1, 120])];
    cases[`a topic with ${what} at QoS 0`] = ["malformed", hello, packet(0x30, string, [120])];
    cases[`a filter with ${what}`] = ["malformed", hello, packet(0x82, [0, 1], string, [1])];
    cases[`a client id with ${what}`] = ["malformed", packet(0x10, mqtt, [4, 2, 0, 60], string)];
    cases[`a will's topic with ${what}`] = ["malformed", packet(0x10, mqtt, [4, 6, 0, 60, 0, 1, 97], string, [0, 0])];
    cases[`a user name with ${what}`] = ["malformed", packet(0x10, mqtt, [4, 0x82, 0, 60, 0, 1, 97], string)];
  }
  const limits = { ...defaultBrokerLimits, connect_timeout_ms: 300, packet_timeout_ms: 300 };
  for (const [name, [reason, ...bytes]] of Object.entries(cases)) {
    test(name, async () => {
      await withBroker(
        async (url, broker, noted) => {
          const client = openClient(url, ...bytes);
          await serves(url, noted);
          await until(() => client.closed);
          await until(() => noted.refused.length > 0);
          assert.deepEqual(noted.refused, [reason]);
          assert.deepEqual(broker.counters().refused, { [reason]: 1 });
          assert.equal(noted.records.length, 1);
          await until(() => broker.counters().connections === 0);
        },
        { limits },
      );
    });
  }
});

test("who asks for another version or another name is told so before the connection ends, and nobody else is", async () => {
  const mqtt = [0, 4, ...Buffer.from("MQTT")];
  const tail = [2, 0, 60, 0, 1, 97];
  const cases: readonly (readonly [string, Uint8Array, readonly number[]])[] = [
    ["MQTT 5", packet(0x10, mqtt, [5, 2, 0, 60, 0, 0, 1, 97]), [1]],
    ["MQTT 3", packet(0x10, mqtt, [3], tail), [1]],
    ["a bridge", packet(0x10, mqtt, [0x84], tail), [1]],
    ["MQTT 3.1", packet(0x10, [0, 6, ...Buffer.from("MQIsdp")], [3], tail), [1]],
    ["another protocol", packet(0x10, [0, 4, ...Buffer.from("XXXX")], [4], tail), []],
    ["an empty client id of a session that is to last", packet(0x10, mqtt, [4, 0, 0, 60, 0, 0]), [2]],
    ["an id of 129 bytes", connectPacket("x".repeat(129)), [2]],
    ["an id that is no text", packet(0x10, mqtt, [4, 2, 0, 60, 0, 1, 0xff]), []],
  ];
  await withBroker(async (url) => {
    for (const [name, bytes, codes] of cases) {
      const client = openClient(url, bytes);
      await until(() => client.closed);
      const connacks = client.packets.map(({ first, body }) => [first, ...body]);
      assert.deepEqual(
        connacks,
        codes.map((code) => [0x20, 0, code]),
        name,
      );
    }
    const nameless = openClient(url, packet(0x10, mqtt, [4, 2, 0, 0, 0, 0]));
    await until(() => nameless.packets.length === 1);
    assert.deepEqual([...nameless.packets[0]!.body], [0, 0]);
  });
});

test("a session that neither subscribes nor publishes ends, and so does one that is silent for longer than it said, or for long", async () => {
  const idling = { ...defaultBrokerLimits, idle_timeout_ms: 50, silence_timeout_ms: 60_000 };
  await withBroker(
    async (url, _broker, noted) => {
      const silent = packet(0x10, [0, 4, ...Buffer.from("MQTT")], [4, 2, 0, 0, 0, 1, 97]);
      const busy = openClient(url, silent, subscribePacket(1, `gs1/test/+/receipt/${meter}`));
      const idle = openClient(url, silent, subscribePacket(1, "#"), pingPacket);
      const alive = subscribePacket(1, receiptTopic);
      const late = openClient(url, packet(0x10, [0, 4, ...Buffer.from("MQTT")], [4, 2, 0, 1, 0, 1, 98]), alive);
      await until(() => idle.closed && late.closed);
      assert.deepEqual(noted.refused, ["wrong-subscription", "idle", "slow"], "a second is the keep-alive of the last");
      assert.equal(busy.closed, false);
    },
    { limits: idling },
  );
  await withBroker(
    async (url, _broker, noted) => {
      const filter = subscribePacket(1, `gs1/test/+/receipt/${meter}`);
      const silent = openClient(url, packet(0x10, [0, 4, ...Buffer.from("MQTT")], [4, 2, 0, 0, 0, 1, 97]), filter);
      await until(() => silent.closed);
      assert.deepEqual(noted.refused, ["idle"]);
    },
    { limits: { ...idling, idle_timeout_ms: 60_000, silence_timeout_ms: 50 } },
  );
});

test("a stranger is slower than a meter, and is one no more as soon as it has proved to be one", async () => {
  await withBroker(
    async (url, broker, noted) => {
      const client = openClient(url, connectPacket("m"));
      await until(() => client.packets.length === 1);
      for (let id = 1; id <= 100; id += 1) client.socket.write(publishPacket(id, recordTopic, Buffer.from("x")));
      await until(() => broker.counters().throttled > 0);
      client.socket.write(publishPacket(101, recordTopic, Buffer.from("x")));
      broker.prove("m~1", meter);
      await until(() => acknowledged(client).length === 101);
      assert.equal(noted.records.length, 101);
    },
    { limits: { ...defaultBrokerLimits, stranger_packets_max: 10, stranger_packets_per_s: 0.001 } },
  );
});

test("random bytes after CONNECT end in a refusal or are ignored, and never stop the broker", async () => {
  await withBroker(async (url, _broker, noted) => {
    let state = 1;
    const noise = (length: number): Uint8Array =>
      Uint8Array.from({ length }, () => {
        state = (state * 48_271) % 0x7fffffff;
        return state & 255;
      });
    const clients = Array.from({ length: 60 }, (_, index) =>
      openClient(
        url,
        connectPacket(`noise-${index}`),
        packet([0x30, 0x32, 0x82, 0xa2, 0x40][index % 5]!, noise(index * 7)),
      ),
    );
    await serves(url, noted);
    for (const client of clients) client.socket.destroy();
  });
});

test("a client faster than its rate is slowed down, loses nothing, and holds nobody up", async () => {
  await withBroker(
    async (url, broker, noted) => {
      const count = 400;
      const fast = openClient(url, connectPacket("fast"));
      for (let id = 1; id <= count; id += 1) fast.socket.write(publishPacket(id, recordTopic, new Uint8Array(2_000)));
      await until(() => broker.counters().throttled > 0);
      await serves(url, noted);
      await until(() => acknowledged(fast).length === count);
      assert.equal(noted.records.length, count + 1);
    },
    { limits: { ...defaultBrokerLimits, bytes_per_s: 400_000 } },
  );
});

test("memory stays bounded while a hundred clients claim, drip and never read", async () => {
  await withBroker(async (url, broker, noted) => {
    const start_bytes = process.memoryUsage().rss;
    const clients: RawClient[] = [];
    const will = { topic: `gs1/test/-/death/${meter}`, payload: new Uint8Array(100) };
    for (let index = 0; index < 100; index += 1) {
      const id = index.toString(16).padStart(16, "0");
      const partial = publishPacket(1, recordTopic, new Uint8Array(60_000)).subarray(0, 50_000);
      const client = openClient(
        url,
        connectPacket(id, { will }),
        subscribePacket(1, `gs1/test/+/receipt/${id}`),
        partial,
      );
      clients.push(client);
      await until(() => granted(client).length === 1);
      broker.prove(`${id}~${index + 1}`, id);
      client.socket.pause();
    }
    // Far more is published to each than it may have waiting.
    const receipt = new Uint8Array(10_000);
    let taken = 0;
    for (let round = 0; round < 500; round += 1) {
      for (let index = 0; index < 100; index += 1) {
        if (broker.publish(`gs1/test/1/receipt/${index.toString(16).padStart(16, "0")}`, receipt)) taken += 1;
      }
      if (round % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(broker.counters().dropped > 0);
    assert.equal(taken, broker.counters().published);
    await serves(url, noted);
    const grown_bytes = process.memoryUsage().rss - start_bytes;
    assert.ok(grown_bytes < 250 * MIB, `${Math.round(grown_bytes / MIB)} MiB more`);
    for (const client of clients) client.socket.destroy();
  });
});

test("what is published comes at the quality that was asked for, each packet with an identifier of its own", async () => {
  await withBroker(async (url, broker) => {
    const filter = `gs1/test/+/receipt/${meter}`;
    const sure = openClient(url, connectPacket("sure"), subscribePacket(1, filter));
    const unsure = openClient(url, connectPacket("unsure"), subscribePacketAt(0, 1, filter));
    await until(() => granted(sure).length === 1 && granted(unsure).length === 1);
    for (const number of [1, 2]) for (const id of ["sure", "unsure"]) broker.prove(`${id}~${number}`, meter);
    for (const text of ["a", "b"]) assert.ok(broker.publish(receiptTopic, Buffer.from(text)));
    const publications = (client: RawClient) => client.packets.filter(({ first }) => first >> 4 === 3);
    await until(() => publications(sure).length === 2 && publications(unsure).length === 2);
    const heads = (client: RawClient) => publications(client).map(({ first }) => first);
    assert.deepEqual([heads(sure), heads(unsure)], [Array(2).fill(0x32), Array(2).fill(0x30)]);
    const tails = publications(sure).map(({ body }) => [...body.subarray(2 + receiptTopic.length)]);
    assert.deepEqual(tails, [
      [0, 1, 97],
      [0, 2, 98],
    ]);
  });
});

test("a client that neither reads nor sends anything is dropped after a while", async () => {
  await withBroker(
    async (url, broker, noted) => {
      const client = openClient(url, connectPacket(meter), subscribePacket(1, `gs1/test/+/receipt/${meter}`));
      await until(() => granted(client).length === 1);
      broker.prove(`${meter}~1`, meter);
      client.socket.pause();
      // More than loopback's buffers hold.
      for (let turn = 0; turn < 64; turn += 1) {
        broker.publish(receiptTopic, new Uint8Array(4 * MIB));
        await new Promise((resolve) => setImmediate(resolve));
      }
      await until(() => noted.refused.length > 0);
      assert.deepEqual(noted.refused, ["unread"]);
      assert.ok(broker.counters().dropped > 0);
      assert.equal(broker.hasSubscriber(receiptTopic), false);
    },
    { limits: { ...defaultBrokerLimits, outbound_bytes_max: 16 * MIB, packet_timeout_ms: 300 } },
  );
});

test("connections beyond the limit are dropped at the door where all are meters', and one that ends makes room", async () => {
  await withBroker(
    async (url, broker, noted) => {
      const clients = [openClient(url, connectPacket("a")), openClient(url, connectPacket("b"))];
      await until(() => clients.every(({ packets }) => packets.length === 1));
      for (const number of [1, 2]) for (const id of ["a", "b"]) broker.prove(`${id}~${number}`, meter);
      const third = openClient(url, connectPacket("c"));
      await until(() => third.closed);
      assert.deepEqual(noted.refused, ["crowded"]);
      clients[0]!.socket.destroy();
      await until(() => broker.counters().connections === 1);
      await serves(url, noted);
    },
    { limits: { ...defaultBrokerLimits, connections_max: 2 } },
  );
});

test("where all places are taken a stranger's makes room: first one that has done nothing, then one that has, never a meter's", async () => {
  await withBroker(
    async (url, broker, noted) => {
      const open = async (id: string, ...bytes: Uint8Array[]) => {
        const client = openClient(url, connectPacket(id), ...bytes);
        await until(() => client.packets.length === 1 + bytes.length);
        return client;
      };
      const filter = subscribePacket(1, `gs1/test/+/receipt/${meter}`);
      const proved = await open("proved", filter);
      broker.prove("proved~1", meter);
      const active = await open("active", filter);
      const idle = await open("idle");
      const newcomers = [await open("newcomer-1", filter)];
      await until(() => idle.closed);
      newcomers.push(await open("newcomer-2", filter));
      await until(() => active.closed);
      assert.deepEqual(noted.refused, ["crowded", "crowded"]);
      assert.ok(!proved.closed && newcomers.every(({ closed }) => !closed));
      assert.equal(broker.counters().connections, 3);
    },
    { limits: { ...defaultBrokerLimits, connections_max: 3 } },
  );
});

test("one address has no more connections than are its share, however many places are free", async () => {
  await withBroker(
    async (url, broker, noted) => {
      const clients = Array.from({ length: 2 }, (_, index) => openClient(url, connectPacket(`meter-${index}`)));
      await until(() => clients.every(({ packets }) => packets.length === 1));
      for (const number of [1, 2]) for (const index of [0, 1]) broker.prove(`meter-${index}~${number}`, meter);
      const third = openClient(url, connectPacket("third"));
      await until(() => third.closed);
      assert.deepEqual(noted.refused, ["crowded"]);
    },
    { limits: { ...defaultBrokerLimits, loopback_connections_max: 2 } },
  );
});

test("who is sent what is for a meter is limited to the sessions that proved it last", async () => {
  await withBroker(
    async (url, broker) => {
      const clients: RawClient[] = [];
      for (const index of [1, 2, 3]) {
        const client = openClient(url, connectPacket("m"), subscribePacket(1, `gs1/test/+/receipt/${meter}`));
        await until(() => granted(client).length === 1);
        broker.prove(`m~${index}`, meter);
        clients.push(client);
      }
      broker.publish(receiptTopic, Buffer.from("x"));
      const heard = () => clients.map(({ packets }) => packets.filter(({ first }) => first >> 4 === 3).length);
      await until(() => heard()[2] === 1);
      assert.deepEqual(heard(), [0, 1, 1]);
    },
    { limits: { ...defaultBrokerLimits, sessions_of_meter_max: 2 } },
  );
});

test("the broker speaks TLS where it has a certificate, and nothing else there", async () => {
  const authority = await createNetworkAuthority("test", new Date());
  const tls = await createNodeCertificate(authority, { id: meter, hosts: ["127.0.0.1"] }, new Date());
  await withBroker(
    async (url, _broker, noted) => {
      assert.match(url, /^mqtts:/);
      const plain = openClient(url, connectPacket("plain"));
      await until(() => plain.closed);
      assert.deepEqual(noted.refused, ["malformed"]);
      const client = connect(url, { ca: authority.cert });
      try {
        await client.publishAsync(recordTopic, "x", { qos: 1 });
      } finally {
        await client.endAsync(true);
      }
      assert.equal(noted.records.length, 1);
    },
    { tls },
  );
});

test("a broker that finds its port taken says which and leaves nothing running", async () => {
  await withBroker(async (url) => {
    const { handlers } = noteEverything();
    const port = Number(new URL(url).port);
    const second = createEmbeddedBroker({
      network: "test",
      listen: { host: "127.0.0.1", port },
      limits: defaultBrokerLimits,
      handlers,
    });
    await assert.rejects(
      second.start(),
      (error) =>
        error instanceof GridsealError && error.code === "PORT_UNAVAILABLE" && error.message.includes(`${port}`),
    );
  });
});

test("closing calls no handler for the sessions it ends", async () => {
  const noted = noteEverything();
  await withBroker(
    async (url) => {
      const will = { topic: `gs1/test/-/death/${meter}`, payload: new Uint8Array(0) };
      const client = openClient(url, connectPacket(meter, { will }));
      await until(() => client.packets.length === 1);
    },
    {},
    noted,
  );
  assert.deepEqual([noted.notices, noted.refused], [[], []]);
});

test("who connects under another's client id ends no session, and a publication can go to one session alone", async () => {
  await withBroker(async (url, broker, noted) => {
    const ackTopic = `gs1/test/-/ack/${meter}`;
    const own = openClient(url, connectPacket(meter), subscribePacket(1, ackTopic));
    await until(() => granted(own).length === 1);
    const stranger = openClient(url, connectPacket(meter), subscribePacket(1, ackTopic));
    await until(() => granted(stranger).length === 1);
    stranger.socket.write(publishPacket(2, recordTopic, Buffer.from("rubbish")));
    await until(() => noted.records.length === 1);
    const [{ client }] = noted.records as unknown as [{ readonly client: string }];
    const count = (raw: RawClient) => raw.packets.filter(({ first }) => first >> 4 === 3).length;
    assert.ok(broker.publish(ackTopic, Buffer.from("refused"), client));
    await until(() => count(stranger) === 1);
    broker.prove(`${meter}~1`, meter);
    broker.prove(`${meter}~2`, meter);
    assert.ok(broker.publish(ackTopic, Buffer.from("to all")));
    await until(() => count(stranger) === 2 && count(own) === 1);
    assert.equal(own.socket.destroyed, false);
    assert.equal(broker.publish(ackTopic, Buffer.from("nobody"), `${client}0`), false);
  });
});
