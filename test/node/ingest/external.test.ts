import assert from "node:assert/strict";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { connectAsync, type MqttClient } from "mqtt";
import { GridsealError } from "../../../tools/errors.js";
import {
  createExternalBroker,
  defaultExternalLimits,
  type ExternalBrokerOptions,
} from "../../../tools/node/ingest/external.js";
import type { Ingest } from "../../../tools/node/ingest/ingest.js";
import { until } from "../network/cluster.js";
import { meter, type Noted, noteEverything, packet, packetReader, receiptTopic, recordTopic } from "./client.js";
import { type Mosquitto, startMosquitto, withoutMosquitto } from "./mosquitto.js";

const limits = { ...defaultExternalLimits, reconnect_ms: 50, connect_timeout_ms: 5_000 };

interface Scene {
  readonly broker: Mosquitto;
  /** Starts a node's link to the broker. */
  node(
    name: string,
    noted: Noted,
    overrides?: Partial<ExternalBrokerOptions>,
  ): Promise<Ingest & { readonly states: boolean[] }>;
  meter(clientId: string): Promise<MqttClient>;
}

async function withMosquitto(lines: readonly string[], body: (scene: Scene) => Promise<void>): Promise<void> {
  const broker = await startMosquitto(...lines);
  const closing: (() => Promise<unknown>)[] = [];
  try {
    await body({
      broker,
      async node(name, noted, overrides = {}) {
        const states: boolean[] = [];
        const link = createExternalBroker({
          url: broker.url,
          clientId: name,
          network: "test",
          services: [1, 2],
          limits,
          handlers: noted.handlers,
          onConnection: (connected) => void states.push(connected),
          ...overrides,
        });
        closing.push(() => link.close());
        await link.start();
        return Object.assign(link, { states });
      },
      async meter(clientId) {
        const client = await connectAsync(broker.url, { clientId, reconnectPeriod: 50 });
        client.on("error", () => undefined);
        closing.push(() => client.endAsync(true));
        return client;
      },
    });
  } finally {
    await Promise.all(closing.map((close) => close()));
    await broker.stop();
  }
}

test("a record reaches one of the nodes that share the broker, a birth reaches all", {
  skip: withoutMosquitto,
}, async () => {
  await withMosquitto([], async (scene) => {
    const nodes = [noteEverything(), noteEverything(), noteEverything()];
    for (const [index, noted] of nodes.entries()) await scene.node(`node-${index}`, noted);
    const client = await scene.meter(meter);
    const count = 60;
    await Promise.all(
      Array.from({ length: count }, (_, index) => client.publishAsync(recordTopic, `${index}`, { qos: 1 })),
    );
    await client.publishAsync(`gs1/test/-/birth/${meter}`, "credential", { qos: 1 });
    await client.publishAsync(`gs1/test/-/diag/${meter}`, "diagnosis", { qos: 1 });
    await client.publishAsync(`gs1/test/-/death/${meter}`, "", { qos: 1 });
    const received = (): string[] =>
      nodes.flatMap(({ records }) => records.map(({ payload }) => Buffer.from(payload).toString()));
    const noticed = (kind: string): number =>
      nodes.flatMap(({ notices }) => notices).filter((noticed) => noticed === kind).length;
    await until(() => received().length === count && noticed("birth") === 3);
    await until(() => noticed("diag") === 1 && noticed("death") === 1);
    assert.equal(new Set(received()).size, count);
    for (const { records } of nodes) assert.ok(records.length > 0, "every node has a share");
  });
});

test("a record goes to a node that serves its chain, whoever else shares the broker", {
  skip: withoutMosquitto,
}, async () => {
  await withMosquitto([], async (scene) => {
    const [first, second] = [noteEverything(), noteEverything()];
    await scene.node("first", first, { services: [1] });
    await scene.node("second", second, { services: [2] });
    const client = await scene.meter(meter);
    for (let index = 0; index < 10; index += 1) {
      await client.publishAsync(`gs1/test/${1 + (index % 2)}/record/${meter}`, `${index}`, { qos: 1 });
    }
    await until(() => first.records.length === 5 && second.records.length === 5);
    assert.ok(first.records.every(({ topic }) => topic === recordTopic));
  });
});

test("a node that becomes a member of one chain and ceases to be one of another hears the records of the one alone", {
  skip: withoutMosquitto,
}, async () => {
  await withMosquitto([], async (scene) => {
    const noted = noteEverything();
    const node = await scene.node("node", noted, { services: [1] });
    const client = await scene.meter(meter);
    await client.publishAsync(recordTopic, "before", { qos: 1 });
    await until(() => noted.records.length === 1);
    node.serve([2]);
    const later = `gs1/test/2/record/${meter}`;
    // Until the subscriptions have changed, the broker has nobody for the one and still somebody for the other.
    await until(() => {
      client.publish(later, "after", { qos: 1 });
      return noted.records.some(({ topic }) => topic === later);
    });
    const { length } = noted.records.filter(({ topic }) => topic === recordTopic);
    await client.publishAsync(recordTopic, "for others", { qos: 1 });
    await client.publishAsync(later, "the last", { qos: 1 });
    await until(() => noted.records.some(({ payload }) => Buffer.from(payload).toString() === "the last"));
    assert.equal(noted.records.filter(({ topic }) => topic === recordTopic).length, length);
  });
});

test("a receipt reaches the meter through the broker, more of them than it takes at once", {
  skip: withoutMosquitto,
}, async () => {
  await withMosquitto(["max_inflight_messages 5"], async (scene) => {
    const node = await scene.node("node", noteEverything());
    const client = await scene.meter(meter);
    let received = 0;
    client.on("message", () => {
      received += 1;
    });
    await client.subscribeAsync(`gs1/test/+/receipt/${meter}`, { qos: 1 });
    const count = 300;
    for (let index = 0; index < count; index += 1) assert.ok(node.publish(receiptTopic, Buffer.from(`${index}`)));
    await until(() => received === count && node.counters().published === count);
    assert.equal(node.counters().dropped, 0);
  });
});

/** A broker of three packets: it takes a session and its subscriptions, sends what it is told and notes acknowledgements. */
async function withScriptedBroker(
  body: (url: string, send: (id: number) => void, acknowledgements: number[]) => Promise<void>,
): Promise<void> {
  const acknowledgements: number[] = [];
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => undefined);
    socket.on(
      "data",
      packetReader((first, body) => {
        if (first === 0x10) socket.write(packet(0x20, [0, 0, 0]));
        // One code a filter: births, deaths, diagnoses and one service.
        if (first === 0x82) socket.write(packet(0x90, body.subarray(0, 2), [0, 1, 1, 1, 1]));
        if (first === 0x40) acknowledgements.push(body[0]! * 256 + body[1]!);
      }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const topic = Buffer.from(recordTopic);
  try {
    await body(
      `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`,
      (id) => void sockets.at(-1)!.write(packet(0x32, [0, topic.length], topic, [0, id, 0], Buffer.from(`${id}`))),
      acknowledgements,
    );
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}

test("the broker has its acknowledgement when the handler has resolved, in whatever order they do", async () => {
  await withScriptedBroker(async (url, send, acknowledgements) => {
    const releases: (() => void)[] = [];
    const noted = noteEverything({ onPublish: () => new Promise((resolve) => releases.push(resolve)) });
    const link = createExternalBroker({
      url,
      clientId: "n",
      network: "test",
      services: [1],
      limits,
      handlers: noted.handlers,
      onConnection: () => undefined,
    });
    try {
      await link.start();
      for (let id = 1; id <= 5; id += 1) send(id);
      await until(() => releases.length === 5);
      await new Promise((resolve) => setTimeout(resolve, 50));
      assert.deepEqual(acknowledgements, []);
      releases[3]!();
      await until(() => acknowledgements.length === 1);
      for (const release of releases) release();
      await until(() => acknowledgements.length === 5);
      assert.deepEqual(acknowledgements, [4, 1, 2, 3, 5]);
    } finally {
      await link.close();
    }
  });
});

test("no more is in processing than the limit, however large the broker's window", {
  skip: withoutMosquitto,
}, async () => {
  await withMosquitto(["max_inflight_messages 0"], async (scene) => {
    const releases: (() => void)[] = [];
    const noted = noteEverything({ onPublish: () => new Promise((resolve) => releases.push(resolve)) });
    await scene.node("node", noted, { limits: { ...limits, processing_max: 4 } });
    const client = await scene.meter(meter);
    await Promise.all(Array.from({ length: 12 }, () => client.publishAsync(recordTopic, "x", { qos: 1 })));
    await until(() => releases.length === 4);
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(releases.length, 4);
    for (let index = 0; index < 12; index += 1) {
      await until(() => releases.length > index);
      releases[index]!();
    }
  });
});

test("a record that the node fails to handle is sent to a node again", { skip: withoutMosquitto }, async () => {
  await withMosquitto([], async (scene) => {
    const handled: string[] = [];
    let failures = 0;
    const noted = noteEverything({
      async onPublish(_topic, payload) {
        const text = Buffer.from(payload).toString();
        if (text === "bad luck" && failures === 0) {
          failures += 1;
          throw new Error("disk full");
        }
        handled.push(text);
      },
    });
    const node = await scene.node("node", noted);
    const client = await scene.meter(meter);
    await client.publishAsync(recordTopic, "bad luck", { qos: 1 });
    await until(() => node.states.length === 3);
    assert.deepEqual(node.states, [true, false, true]);
    assert.deepEqual(noted.refused, ["Error: disk full"]);
    // A clean session forgets it; the meter, without a receipt, publishes it again.
    await client.publishAsync(recordTopic, "bad luck", { qos: 1 });
    await until(() => handled.includes("bad luck"));
  });
});

test("the broker is killed and comes back: nodes and meters meet there again by themselves", {
  skip: withoutMosquitto,
}, async () => {
  await withMosquitto([], async (scene) => {
    const noted = noteEverything();
    const node = await scene.node("node", noted);
    const client = await scene.meter(meter);
    await client.publishAsync(recordTopic, "before", { qos: 1 });
    await until(() => noted.records.length === 1);
    await scene.broker.kill();
    await until(() => node.states.length === 2);
    assert.equal(node.publish(receiptTopic, Buffer.from("x")), false);
    assert.equal(node.hasSubscriber(receiptTopic), false);
    await scene.broker.restart();
    await until(() => node.states.length === 3 && client.connected);
    await client.publishAsync(recordTopic, "after", { qos: 1 });
    await until(() => noted.records.length === 2);
    assert.deepEqual(node.states, [true, false, true]);
    const received: string[] = [];
    client.on("message", (_topic, payload) => received.push(payload.toString()));
    await client.subscribeAsync(`gs1/test/+/receipt/${meter}`, { qos: 1 });
    assert.ok(node.publish(receiptTopic, Buffer.from("receipt")));
    await until(() => received.length === 1);
  });
});

test("what is larger than the limit stays at the broker, and a topic of no meter is counted", {
  skip: withoutMosquitto,
}, async () => {
  await withMosquitto([], async (scene) => {
    const noted = noteEverything();
    const node = await scene.node("node", noted);
    const client = await scene.meter(meter);
    await client.publishAsync(recordTopic, Buffer.alloc(100_000), { qos: 1 });
    await client.publishAsync("gs1/test/1/record/nobody", "x", { qos: 1 });
    await client.publishAsync(recordTopic, "good", { qos: 1 });
    await until(() => noted.records.length === 1);
    assert.equal(Buffer.from(noted.records[0]!.payload).toString(), "good");
    assert.deepEqual(node.counters().refused, { "wrong-topic": 1 });
    assert.deepEqual(node.states, [true]);
  });
});

test("a broker that is not there is an error that names it without its password", async () => {
  const { handlers } = noteEverything();
  const link = createExternalBroker({
    url: "mqtt://user:secret@127.0.0.1:1",
    clientId: "node",
    network: "test",
    services: [1],
    limits: { ...limits, connect_timeout_ms: 200 },
    handlers,
    onConnection: () => undefined,
  });
  await assert.rejects(link.start(), (error) => {
    assert.ok(error instanceof GridsealError);
    assert.equal(error.code, "BROKER_UNREACHABLE");
    assert.match(error.message, /mqtt:\/\/127\.0\.0\.1:1/);
    assert.doesNotMatch(error.message, /secret/);
    return true;
  });
});
