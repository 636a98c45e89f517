import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { connect } from "mqtt";
import { createNetworkAuthority, createNodeCertificate } from "../../../tools/authority/tls.js";
import { GridsealError } from "../../../tools/errors.js";
import {
  createEmbeddedBroker,
  defaultBrokerLimits,
  type EmbeddedBrokerOptions,
} from "../../../tools/node/ingest/broker.js";
import type { Ingest } from "../../../tools/node/ingest/ingest.js";
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
  const cases: Readonly<Record<string, readonly [string, ...Uint8Array[]]>> = {
    "a claim of 256 MB": ["oversized", hello, Uint8Array.of(0x32, 0xff, 0xff, 0xff, 0x7f)],
    "a packet just above the limit": ["oversized", hello, publishPacket(1, recordTopic, new Uint8Array(65_536))],
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
    "a topic of 200 levels": ["malformed", hello, publishPacket(1, "/".repeat(200), new Uint8Array(1))],
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

test("connections beyond the limit are dropped at the door, and one that ends makes room", async () => {
  await withBroker(
    async (url, _broker, noted) => {
      const clients = [openClient(url, connectPacket("a")), openClient(url, connectPacket("b"))];
      await until(() => clients.every(({ packets }) => packets.length === 1));
      const third = openClient(url, connectPacket("c"));
      await until(() => third.closed);
      assert.deepEqual(noted.refused, ["crowded"]);
      clients[0]!.socket.destroy();
      await until(() => clients[0]!.closed);
      await serves(url, noted);
    },
    { limits: { ...defaultBrokerLimits, connections_max: 2 } },
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
    assert.ok(broker.publish(ackTopic, Buffer.from("to all")));
    await until(() => count(stranger) === 2 && count(own) === 1);
    assert.equal(own.socket.destroyed, false);
    assert.equal(broker.publish(ackTopic, Buffer.from("nobody"), `${client}0`), false);
  });
});
