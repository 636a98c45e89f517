// Bad input at every port of a real node, as DESIGN's table and PROTOCOL.md's section 15 have it: each refused for its counted reason and
// answered where there is somebody to answer, while a good meter's records go on being sealed.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { connect as connectTcp, type Socket } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { serviceTopic } from "../../src/wire/topics.js";
import { generateSeed, signerFromSeed } from "../../tools/crypto/signatures.js";
import { connectPacket, openClient, publishPacket } from "../node/ingest/client.js";
import { connectMeter, type HandMadeMeter, type MeterSession, makeMeter } from "./mqtt.js";
import {
  makeNetwork,
  numbersOf,
  startNodes,
  stopNodes,
  type TestNetwork,
  type TestNode,
  verifyChains,
  whenEqual,
} from "./network.js";
import { cleanUp, type Defer, delay, residentBytes, temporaryFolder, until } from "./processes.js";

const REFUSED = "gridseal_publishes_refused_total";
const PEERS_REFUSED = "gridseal_peer_connections_refused_total";
/** More than what a node keeps of any connection, times all connections made here. */
const MEMORY_GROWTH_BYTES_MAX = 256 * 1024 * 1024;
/** The largest length that MQTT can state, and one that a frame between nodes can. */
const HUGE_MQTT = [0xff, 0xff, 0xff, 0x7f] as const;
const HUGE_FRAME = Uint8Array.of(0x10, 0x00, 0x00, 0x00, 0x01);

interface Scene {
  readonly defer: Defer;
  readonly network: TestNetwork;
  readonly node: TestNode;
}

test("a node refuses bad input for its reason and goes on sealing", { timeout: 240_000 }, async (t) => {
  const defer = cleanUp(t);
  const network = await makeNetwork(defer, join(await temporaryFolder(defer), "network"), { nodes: 4, meters: 0 });
  await startNodes(network);
  const node = network.nodes[0]!;
  const scene = { defer, network, node };
  const good = await startGoodMeter(scene);
  const forked = await refusePublishes(t, scene);
  await refuseUnproven(t, scene);
  const { pid } = node.process!;
  const before_bytes = await residentBytes(pid);
  await refuseConnections(t, scene);
  await refuseRequests(t, scene);
  await t.test("the memory of the node stays bounded", async () => {
    const growth_bytes = (await residentBytes(pid)) - before_bytes;
    assert.ok(growth_bytes < MEMORY_GROWTH_BYTES_MAX, `${growth_bytes >> 20} MB more`);
  });

  const sent = await good.stop();
  await t.test("every record of the good meter was sealed meanwhile", async () => {
    assert.ok(sent.length > 10, `${sent.length} records`);
    for (const record of sent) await good.session.receiptOf(record);
    assert.deepEqual(good.session.refusals, []);
  });
  await whenEqual(network);
  assert.ok(network.nodes.every(({ process }) => process!.isRunning));
  await stopNodes(network);
  await t.test("the chains hold what was good, and the fork as the one violation", async () => {
    const reports = await verifyChains(network);
    assert.deepEqual([...reports.keys()].sort(), [1, 5], "the contracts chain is told of the fork");
    const { counter, records } = reports.get(1)!;
    assert.equal(counter, 1);
    const numbers = numbersOf(records);
    // Two temporary blocks of one meter stand in a block in the order of their acceptance.
    const sealed = numbers.get(good.id)?.toSorted((a, b) => a - b);
    assert.deepEqual(sealed, [...sent.keys()]);
    assert.deepEqual(numbers.get(forked.id), [0, 1]);
  });
});

/** What comes as an MQTT publish; returns the meter that signed two records with one number. */
async function refusePublishes(t: TestContext, scene: Scene): Promise<HandMadeMeter> {
  const { network, node } = scene;
  const { network: name } = network;
  const known = await bornMeter(scene);
  const topic = serviceTopic(name, 1, "record", known.meter.id);
  const first = known.meter.record();
  await known.session.send(first);
  await known.session.receiptOf(first);

  await t.test("oversized", () =>
    refused(scene, known.session, "oversized", 1, () => known.session.publish(topic, new Uint8Array(20_000))),
  );
  await t.test("malformed: noise, CBOR that is no record, a record with a byte too many", async () => {
    for (const payload of [
      randomBytes(200),
      Uint8Array.of(0xa0),
      new Uint8Array(0),
      Buffer.concat([first, Uint8Array.of(0)]),
    ]) {
      await refused(scene, known.session, "malformed", 2, () => known.session.publish(topic, payload));
    }
  });
  await t.test("on the topic of another service", () =>
    refused(scene, known.session, "wrong-topic", 3, () => known.session.send(first, 2)),
  );
  await t.test("on the topic of another meter", async () => {
    const other = makeMeter(network);
    await refused(scene, known.session, "wrong-topic", 3, () => known.session.publish(topic, other.record()));
  });
  await t.test("on topics that are none", async () => {
    for (const wrong of [
      "nonsense",
      `gs1/other/1/record/${known.meter.id}`,
      `gs1/${name}/1/receipt/${known.meter.id}`,
    ]) {
      const before = await node.counter(REFUSED, { reason: "wrong-topic" });
      await known.session.publish(wrong, first);
      await until(`${wrong} is counted`, async () => (await node.counter(REFUSED, { reason: "wrong-topic" })) > before);
    }
  });
  await t.test("out of sequence", () =>
    refused(scene, known.session, "out-of-sequence", 9, () =>
      known.session.send(known.meter.record({ seq: 5_000_000, previous: randomBytes(32) })),
    ),
  );
  await t.test("with a clock far ahead", async () => {
    const { meter, session } = await bornMeter(scene);
    const time_s = Math.floor(Date.now() / 1000) + 86_400;
    await refused(scene, session, "clock-far-off", 11, () => session.send(meter.record({ time_s })));
  });
  await t.test("a replayed record is answered with its receipt", async () => {
    const receipts = known.session.receipts.length;
    const repeated = await node.counter("gridseal_records_repeated_total", { state: "sealed" });
    await known.session.send(first);
    await until("the receipt comes again", () => known.session.receipts.length === receipts + 1);
    assert.deepEqual(known.session.receipts.at(-1), await known.session.receiptOf(first));
    assert.equal(await node.counter("gridseal_records_repeated_total", { state: "sealed" }), repeated + 1);
  });
  await t.test("a second record with a sealed number becomes one violation, a third one is refused", async () => {
    const fork = (time_s: number) => known.meter.record({ seq: 0, previous: new Uint8Array(0), time_s });
    await known.session.send(fork(1_790_000_000));
    await until("the violation is sealed", async () => (await node.chains())[0]!.violations === 1);
    await refused(scene, known.session, "fork", 10, () => known.session.send(fork(1_790_000_001)));
    const next = known.meter.record();
    await known.session.send(next);
    await known.session.receiptOf(next);
  });
  return known.meter;
}

/** What comes of meters that the node does not know, or with credentials and signatures that prove nothing. */
async function refuseUnproven(t: TestContext, scene: Scene): Promise<void> {
  const { network, node } = scene;
  await t.test("of an unknown meter", async () => {
    const stranger = makeMeter(network);
    const session = await connectMeter(scene.defer, network, stranger, node.mqtt);
    await refused(scene, session, "unknown-meter", 4, () => session.send(stranger.record()));
  });
  await t.test("with a credential of another authority", async () => {
    const meter = makeMeter({ ...network, authority: signerFromSeed(generateSeed()) });
    const session = await connectMeter(scene.defer, network, meter, node.mqtt);
    await refused(scene, session, "credential-invalid", 6, session.bear);
    await refused(scene, session, "unknown-meter", 4, () => session.send(meter.record()));
  });
  await t.test("with a credential that has expired", async () => {
    const { meter, session } = await bornMeter(scene, { expires_s: Math.floor(Date.now() / 1000) - 60 });
    await refused(scene, session, "credential-invalid", 6, () => session.send(meter.record()));
  });
  await t.test("with a bad signature", async () => {
    const { meter, session } = await bornMeter(scene);
    const record = Uint8Array.from(meter.record());
    record[record.length - 1]! ^= 1;
    await refused(scene, session, "bad-signature", 7, () => session.send(record));
  });
  await t.test("for a service that its credential does not permit, or that no chain is of", async () => {
    const { meter, session } = await bornMeter(scene, { services: [1] });
    await refused(scene, session, "service-not-permitted", 8, () => session.send(meter.record({ service: 2 }), 2));
    await refused(scene, session, "service-not-permitted", 8, () => session.send(meter.record({ service: 99 }), 99));
  });
}

/** What comes as bytes of no use, at each port. */
async function refuseConnections(t: TestContext, { node, network }: Scene): Promise<void> {
  const url = `mqtt://${node.mqtt.host}:${node.mqtt.port}`;
  await t.test("noise and huge lengths at the MQTT port", async () => {
    const before = await node.counter(REFUSED);
    const attempts = [
      [randomBytes(5_000)],
      [Uint8Array.of(0x10, ...HUGE_MQTT)],
      [Buffer.from("GET / HTTP/1.1\r\n\r\n")],
      [connectPacket("huge"), Uint8Array.of(0x32, ...HUGE_MQTT), randomBytes(1_000)],
      [connectPacket("noise"), randomBytes(5_000)],
    ];
    const clients = Array.from({ length: 40 }, () => attempts)
      .flat()
      .map((bytes) => openClient(url, ...bytes));
    await until("all are turned away", () => clients.every(({ closed }) => closed));
    assert.ok((await node.counter(REFUSED)) >= before + clients.length / 2);
    assert.ok((await node.counter(REFUSED, { reason: "oversized" })) > 0);
  });
  await t.test("many large publishes that are malformed", async () => {
    const before = await node.counter(REFUSED, { reason: "malformed" });
    const client = openClient(url, connectPacket("flood"));
    const topic = serviceTopic(network.network, 1, "record", "00112233aabbccdd");
    const count = 1_000;
    for (let id = 1; id <= count; id += 1) client.socket.write(publishPacket(id, topic, randomBytes(16_000)));
    await until(
      "all are counted",
      async () => (await node.counter(REFUSED, { reason: "malformed" })) >= before + count,
    );
    client.socket.destroy();
  });
  await t.test("noise, no certificate, no HELLO and a huge length at the peers' port", async () => {
    const { host, port } = node.peers;
    const tls = await tlsOf(network.nodes[1]!);
    const anonymous = { ca: tls.ca };
    const attempts: readonly (readonly [string, () => Socket, Uint8Array])[] = [
      ["noise", () => connectTcp(port, host), randomBytes(5_000)],
      ["no certificate", () => connectTls({ host, port, ...anonymous }), HUGE_FRAME],
      ["a huge length", () => connectTls({ host, port, ...tls }), HUGE_FRAME],
      ["noise within TLS", () => connectTls({ host, port, ...tls }), randomBytes(5_000)],
    ];
    for (const [what, open, bytes] of attempts) {
      const before = await node.counter(PEERS_REFUSED);
      await closedAfter(what, open(), bytes);
      await until(`${what} is counted`, async () => (await node.counter(PEERS_REFUSED)) > before);
    }
    await until("the node has its peers", async () => (await node.counter("gridseal_peers_connected")) === 3);
  });
}

async function refuseRequests(t: TestContext, { node }: Scene): Promise<void> {
  await t.test("noise and nonsense at the HTTP port", async () => {
    const { host, port } = node.api;
    const post = `POST /chains HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 268435456\r\n\r\n{`;
    await answered(connectTcp(port, host), randomBytes(5_000), /^HTTP\/1.1 400 /);
    await answered(connectTcp(port, host), Buffer.from(post), /^HTTP\/1.1 413 /);
    await answered(
      connectTcp(port, host),
      Buffer.from(`GET / HTTP/1.1\r\nx: ${"y".repeat(100_000)}`),
      /^HTTP\/1.1 431 /,
    );
    const api = `http://${host}:${port}`;
    for (const [path, status] of [
      ["/nothing", 404],
      ["/chains/one/blocks", 400],
      ["/chains/1/blocks?from=0", 400],
      ["/chains/1/blocks/999999999", 404],
      ["/receipts/1/xyz/0", 400],
      ["/receipts/1/00112233aabbccdd/7", 404],
      ["/receipts/1/00112233aabbccdd/99999999999999999999", 400],
      ["/%", 400],
    ] as const) {
      const response = await fetch(api + path);
      assert.equal(response.status, status, path);
      assert.ok(typeof ((await response.json()) as { message?: unknown }).message === "string", path);
    }
  });
}

/** Fails unless the deed is answered with this code on the ack topic and counted under this reason. */
async function refused(
  { node }: Scene,
  session: MeterSession,
  reason: string,
  code: number,
  deed: () => Promise<void>,
): Promise<void> {
  const before = await node.counter(REFUSED, { reason });
  const seen = session.refusals.length;
  await deed();
  const refusal = await until(`${reason} is answered`, () => session.refusals[seen]);
  assert.equal(refusal.code, code, refusal.sentence);
  assert.match(refusal.sentence, /\w/);
  assert.equal(await node.counter(REFUSED, { reason }), before + 1);
}

async function bornMeter(
  { defer, network, node }: Scene,
  terms: Parameters<typeof makeMeter>[1] = {},
): Promise<{ readonly meter: HandMadeMeter; readonly session: MeterSession }> {
  const meter = makeMeter(network, terms);
  const session = await connectMeter(defer, network, meter, node.mqtt);
  await session.bear();
  return { meter, session };
}

/** A meter that sends a record every 100 ms until it is stopped. */
async function startGoodMeter(scene: Scene) {
  const { meter, session } = await bornMeter(scene);
  const sent: Uint8Array[] = [];
  let isStopped = false;
  const work = (async () => {
    for (; !isStopped; await delay(100)) {
      const record = meter.record();
      sent.push(record);
      await session.send(record);
    }
  })();
  const stop = async (): Promise<readonly Uint8Array[]> => {
    isStopped = true;
    await work;
    return sent;
  };
  scene.defer(() => {
    isStopped = true;
  });
  return { id: meter.id, session, stop };
}

async function tlsOf({ folder }: TestNode) {
  const read = (name: string) => readFile(join(folder, name), "utf8");
  const [ca, cert, key] = await Promise.all([read("ca.cert.pem"), read("tls.cert.pem"), read("tls.key.pem")]);
  return { ca, cert, key, rejectUnauthorized: false };
}

/** Sends the bytes and waits for the other end to close. */
async function closedAfter(what: string, socket: Socket, bytes: Uint8Array): Promise<void> {
  let closed = false;
  socket.on("error", () => {});
  socket.on("close", () => {
    closed = true;
  });
  socket.resume();
  socket.write(bytes);
  try {
    await until(`${what} is turned away`, () => closed);
  } finally {
    socket.destroy();
  }
}

/** Sends the bytes and waits for an answer of this form. */
async function answered(socket: Socket, bytes: Uint8Array, form: RegExp): Promise<void> {
  let text = "";
  socket.on("error", () => {});
  socket.on("data", (chunk: Buffer) => {
    text = (text + chunk.toString("latin1")).slice(0, 10_000);
  });
  socket.write(bytes);
  try {
    await until(`an answer like ${form}`, () => form.test(text));
  } finally {
    socket.destroy();
  }
}
