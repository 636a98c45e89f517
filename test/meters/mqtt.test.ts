// The MQTT of a meter: the bytes on the wire against a scripted peer, and its behaviour against a real broker.

import assert from "node:assert/strict";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { Aedes } from "aedes";
import { type MqttLink, type MqttLinkEvents, openMqttLink } from "../../tools/meters/mqtt.js";
import { type Exercise, meterFolder, startExercise } from "./exercise.js";

const encoder = new TextEncoder();

interface Packet {
  /** the first byte: type and flags (MQTT 3.1.1, 2.2) */
  readonly head: number;
  readonly body: Buffer;
}

interface Peer {
  readonly url: string;
  readonly socket: Promise<Socket>;
  next(): Promise<Packet>;
}

/** A peer that collects packets (all shorter than 16 kB) and says nothing by itself. */
async function startPeer(t: TestContext): Promise<Peer> {
  const packets: Packet[] = [];
  const waiting: ((packet: Packet) => void)[] = [];
  const server = createServer();
  const socket = new Promise<Socket>((resolve) => server.once("connection", resolve));
  void socket.then((connected) => {
    let held = Buffer.alloc(0);
    connected.on("error", () => {});
    connected.on("data", (chunk) => {
      held = Buffer.concat([held, chunk]);
      for (;;) {
        const isLong = held.length > 1 && held[1]! > 127;
        const start = isLong ? 3 : 2;
        if (held.length < start) return;
        const length = isLong ? (held[1]! & 127) + 128 * held[2]! : held[1]!;
        if (held.length < start + length) return;
        const packet = { head: held[0]!, body: held.subarray(start, start + length) };
        held = held.subarray(start + length);
        const waiter = waiting.shift();
        if (waiter) waiter(packet);
        else packets.push(packet);
      }
    });
  });
  const url = await listen(t, server);
  return {
    url,
    socket,
    next: () =>
      packets.length > 0 ? Promise.resolve(packets.shift()!) : new Promise((resolve) => waiting.push(resolve)),
  };
}

function listen(t: TestContext, server: Server, port = 0): Promise<string> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => sockets.add(socket));
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return new Promise((resolve) => {
    server.listen(port, "127.0.0.1", () => resolve(`mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`));
  });
}

/** A link whose events are kept, and awaited with `until`. */
function openLink(t: TestContext, url: string, options: { clientId?: string; username?: string } = {}) {
  const said: unknown[][] = [];
  let look: () => void = () => {};
  const note = (...event: unknown[]) => {
    said.push(event);
    look();
  };
  const taken: (() => void)[] = [];
  const events: MqttLinkEvents = {
    onConnected: () => note("connected"),
    onPublished: (packetId) => note("published", packetId),
    onMessage(topic, payload, take) {
      taken.push(take);
      note("message", topic, Buffer.from(payload).toString());
    },
    onClosed: (reason) => note("closed", reason),
  };
  const will = { topic: "gs1/net/-/death/m1", payload: encoder.encode("gone") };
  const link: MqttLink = openMqttLink({ url, clientId: "m1", keepAlive_s: 30, will, ...options }, events);
  t.after(() => link.cut());
  return {
    link,
    said,
    taken,
    until: (event: string, count = 1) =>
      new Promise<void>((resolve) => {
        look = () => {
          if (said.filter(([name]) => name === event).length >= count) resolve();
        };
        look();
      }),
  };
}

test("sends CONNECT, PUBLISH and SUBSCRIBE as MQTT 3.1.1 has them, with the agent's packet identifiers", async (t) => {
  const peer = await startPeer(t);
  const { link, said, until } = openLink(t, peer.url, { username: "u" });
  const connect = await peer.next();
  // Clean session, will at QoS 1 not retained, user name; keep alive 30 s (3.1.2).
  const variable = Buffer.from("00044d515454048e001e", "hex");
  assert.deepEqual(connect.body.subarray(0, 10), variable);
  const fields = ["m1", "gs1/net/-/death/m1", "gone", "u"].map(
    (text) => `\0${String.fromCharCode(text.length)}${text}`,
  );
  assert.equal(connect.body.subarray(10).toString("latin1"), fields.join(""));
  const socket = await peer.socket;
  assert.equal(link.publish(7, "t", encoder.encode("early"), false), false);
  socket.write(Buffer.from("20020000", "hex"));
  await until("connected");

  assert.equal(link.publish(513, "t", encoder.encode("one"), false), true);
  assert.deepEqual(await peer.next(), { head: 0x32, body: Buffer.from("\0\x01t\x02\x01one", "latin1") });
  assert.equal(link.publish(513, "t", encoder.encode("one"), true), true);
  assert.deepEqual(await peer.next(), { head: 0x3a, body: Buffer.from("\0\x01t\x02\x01one", "latin1") });
  link.subscribe(["a", "b"]);
  const subscribe = await peer.next();
  assert.equal(subscribe.head, 0x82);
  assert.deepEqual(subscribe.body, Buffer.from("\xff\xff\0\x01a\x01\0\x01b\x01", "latin1"));
  socket.write(Buffer.from("9004ffff0101", "hex"));
  socket.write(Buffer.from("4002020140020201", "hex"));
  await until("published");
  link.close();
  assert.equal((await peer.next()).head, 0xe0);
  await until("closed");
  assert.deepEqual(said, [["connected"], ["published", 513], ["closed", "the connection was closed"]]);
  assert.equal(link.publish(1, "t", encoder.encode("late"), false), false);
});

test("refuses a packet identifier that MQTT has not", async (t) => {
  const { link } = openLink(t, "mqtt://127.0.0.1:1");
  for (const packetId of [0, 65_536, 1.5])
    assert.throws(() => link.publish(packetId, "t", new Uint8Array(0), false), /identifier must be 1 to 65535/);
});

test("is full at 64 publishes without their acknowledgement, and has room after the next", async (t) => {
  const peer = await startPeer(t);
  const { link, until } = openLink(t, peer.url);
  const socket = await peer.socket;
  socket.write(Buffer.from("20020000", "hex"));
  await until("connected");
  const publish = (packetId: number) => link.publish(packetId, "t", encoder.encode("x"), false);
  for (let packetId = 1; packetId <= 64; packetId++) assert.equal(publish(packetId), true);
  assert.equal(publish(65), false);
  socket.write(Buffer.from("40020005", "hex"));
  await until("published");
  assert.equal(publish(65), true);
  assert.equal(publish(66), false);
});

test("acknowledges a message when the agent has taken it, and not before the next one waits for it", async (t) => {
  const peer = await startPeer(t);
  const { said, taken, until } = openLink(t, peer.url);
  await peer.next();
  const socket = await peer.socket;
  socket.write(Buffer.from("20020000", "hex"));
  socket.write(Buffer.from("3206000174000961" + "3206000174000a62", "hex"));
  await until("message");
  assert.deepEqual(said.at(-1), ["message", "t", "a"]);
  taken[0]!();
  assert.deepEqual(await peer.next(), { head: 0x40, body: Buffer.from("0009", "hex") });
  await until("message", 2);
  taken[1]!();
  assert.deepEqual(await peer.next(), { head: 0x40, body: Buffer.from("000a", "hex") });
});

for (const [what, bytes, reason] of [
  ["refuses the meter", "20020005", /Not authorized/],
  ["sends what is not MQTT", "ffffffffffff", /./],
  ["refuses a subscription", "200200009003ffff80", /refused the subscription to t/],
] as const) {
  test(`closes once and says why where the broker ${what}`, async (t) => {
    const peer = await startPeer(t);
    const { link, said, until } = openLink(t, peer.url);
    const socket = await peer.socket;
    await peer.next();
    socket.write(Buffer.from(bytes.slice(0, 8), "hex"));
    if (bytes.length > 12 && bytes.startsWith("20")) {
      await until("connected");
      link.subscribe(["t"]);
      await peer.next();
    }
    socket.write(Buffer.from(bytes.slice(8), "hex"));
    await until("closed");
    const closed = said.filter(([event]) => event === "closed");
    assert.equal(closed.length, 1);
    assert.match(String(closed[0]![1]), reason);
  });
}

test("closes once and says why where there is no broker, no such scheme, or no URL at all", async (t) => {
  for (const [url, reason] of [
    ["mqtt://127.0.0.1:1", /ECONNREFUSED/],
    ["ws://127.0.0.1", /begins with mqtt:/],
    ["mqtt://", /./],
  ] as const) {
    const { said, until } = openLink(t, url);
    await until("closed");
    assert.match(String(said[0]![1]), reason);
    assert.equal(said.length, 1);
  }
});

/** A real broker on a port of its own, or on the one it had. */
async function startBroker(t: TestContext, port = 0) {
  const broker = await Aedes.createBroker();
  const server = createServer(broker.handle);
  const url = await listen(t, server, port);
  const closed = new Promise<void>((resolve) => server.once("close", resolve));
  const stop = async () => {
    server.close();
    await new Promise<void>((resolve) => broker.close(resolve));
    await closed;
  };
  t.after(() => broker.close());
  return { broker, url, port: (server.address() as AddressInfo).port, stop };
}

function nextOn(broker: Aedes, topic: string): Promise<string> {
  return new Promise((resolve) => {
    const listener = (packet: { payload: Buffer | string }, done: () => void) => {
      broker.unsubscribe(topic, listener, () => {});
      resolve(packet.payload.toString("latin1" as never));
      done();
    };
    broker.subscribe(topic, listener, () => {});
  });
}

const will = { topic: "death", payload: "6f7574" };

function connect({ run }: Exercise, url: string): Promise<unknown> {
  return run({
    do: "connect",
    options: { url, clientId: "m1", keepAlive_s: 30, will, username: "m1", password: "00ff" },
  });
}

test("speaks with a broker from inside XS: will, both directions, and the broker gone and back", async (t) => {
  const first = await startBroker(t);
  const exercise = await startExercise(t, await meterFolder(t));
  const { run, next } = exercise;
  first.broker.authenticate = (_client, username, password, done) =>
    done(null, username === "m1" && password?.toString("hex") === "00ff");
  assert.equal(await connect(exercise, first.url), 0);
  await next("connected");
  await run({ do: "subscribe", connection: 0, topics: ["receipt/+"] });
  const arrived = nextOn(first.broker, "record/m1");
  const publish = { do: "publish", topic: "record/m1", payload: "7265636f7264", duplicate: false } as const;
  assert.equal(await run({ ...publish, connection: 0, packetId: 9 }), true);
  assert.equal(await arrived, "record");
  assert.deepEqual(await next("published"), { event: "published", packetId: 9 });
  first.broker.publish(
    { cmd: "publish", topic: "receipt/m1", payload: Buffer.from("ok"), qos: 1, retain: false, dup: false },
    () => {},
  );
  assert.deepEqual(await next("message"), { event: "message", topic: "receipt/m1", payload: "6f6b" });

  await first.stop();
  assert.equal(typeof (await next("closed")).reason, "string");
  assert.equal(await run({ ...publish, connection: 0, packetId: 10 }), false);
  await connect(exercise, first.url);
  assert.match(String((await next("closed")).reason), /ECONNREFUSED/);
  const second = await startBroker(t, first.port);
  assert.equal(await connect(exercise, second.url), 2);
  await next("connected");
  const again = nextOn(second.broker, "record/m1");
  assert.equal(await run({ ...publish, connection: 2, packetId: 10, duplicate: true }), true);
  assert.equal(await again, "record");
  await next("published");
  const { publishes, acknowledgements, messages } = exercise.meter.counters;
  assert.deepEqual({ publishes, acknowledgements, messages }, { publishes: 2, acknowledgements: 2, messages: 1 });
});

test("lets the broker publish the will of a meter that is stopped or whose engine is killed, but not of one that closes", async (t) => {
  const { broker, url } = await startBroker(t);
  const deaths: string[] = [];
  broker.subscribe(
    "death",
    (packet, done) => {
      deaths.push(packet.payload.toString());
      done();
    },
    () => {},
  );
  const exercise = await startExercise(t, await meterFolder(t));
  await exercise.next("ready");
  await connect(exercise, url);
  await exercise.next("connected");
  await exercise.run({ do: "close", connection: 0 });
  await exercise.next("closed");
  assert.deepEqual(deaths, []);
  for (const end of [() => process.kill(exercise.meter.pid!, "SIGKILL"), () => void exercise.meter.stop()]) {
    const death = nextOn(broker, "death");
    await connect(exercise, url);
    await exercise.next("connected");
    end();
    assert.equal(await death, "out");
    if (exercise.meter.counters.starts === 1) await exercise.next("ready");
  }
});
