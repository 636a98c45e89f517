// What anybody can do at a node's MQTT port who has no key of the network, or one stolen key: replay births and records that are public,
// forge, keep connections and do nothing. It costs the stranger a connection or an answer; meters are sealed meanwhile.

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { meterTopic, serviceTopic } from "../../src/wire/topics.js";
import { connectPacket, openClient, publishPacket, type RawClient, subscribePacket } from "../node/ingest/client.js";
import { connectMeter, type HandMadeMeter, type MeterSession, makeMeter } from "./mqtt.js";
import {
  makeNetwork,
  startNodes,
  stopNodes,
  type TestNetwork,
  type TestNode,
  verifyChains,
  whenEqual,
} from "./network.js";
import { cleanUp, type Defer, delay, residentBytes, temporaryFolder, until } from "./processes.js";

const REFUSED = "gridseal_publishes_refused_total";
const REPEATED = "gridseal_records_repeated_total";
const RATE_LIMITED = 12;
const CONNECTIONS_MAX = 100;
const RATE = { records_per_s: 1, burst: 20 };
const MEMORY_BYTES_MAX = 1024 * 1024 * 1024;

interface Scene {
  readonly defer: Defer;
  readonly network: TestNetwork;
}

test("strangers at the MQTT port hold up no meter and get nothing that is a meter's", {
  timeout: 240_000,
}, async (t) => {
  const defer = cleanUp(t);
  const network = await makeNetwork(defer, join(await temporaryFolder(defer), "network"), { nodes: 4, meters: 0 });
  await configure(network.nodes[1]!, { rate: RATE });
  await configure(network.nodes[2]!, { mqtt: { listen: network.nodes[2]!.mqtt, connections_max: CONNECTIONS_MAX } });
  await startNodes(network);
  const scene = { defer, network };
  await replayBirths(t, scene);
  await replayRecords(t, scene);
  await forge(t, scene);
  await fillPlaces(t, scene);
  await floodWithKey(t, scene);
  await t.test("no node has grown beyond its memory", async () => {
    for (const { process } of network.nodes) assert.ok((await residentBytes(process!.pid)) < MEMORY_BYTES_MAX);
  });
  await whenEqual(network);
  await stopNodes(network);
  const reports = await verifyChains(network);
  assert.equal(reports.get(1)!.counter, 0);
});

async function replayBirths(t: TestContext, { defer, network }: Scene): Promise<void> {
  await t.test("births that are known, from three connections a node without end, hold up no record", async () => {
    const known = await bornMeter({ defer, network }, network.nodes[0]!);
    const topic = meterTopic(network.network, "birth", known.meter.id);
    const attack = startAttack(
      defer,
      network.nodes.flatMap((node) => Array(3).fill(node) as TestNode[]),
      () => publishPacket(1, topic, known.meter.credential),
    );
    const { session, meter } = await bornMeter({ defer, network }, network.nodes[3]!);
    await sealSome(meter, session, 10);
    await until("births are passed over", async () => {
      return (await network.nodes[0]!.counter(REFUSED, { reason: "rate-limited" })) > 100;
    });
    await attack.stop();
    assert.deepEqual(session.refusals, []);
  });
}

async function replayRecords(t: TestContext, { defer, network }: Scene): Promise<void> {
  const node = network.nodes[0]!;
  await t.test("records that are public, published again, bring their meter not one receipt", async () => {
    const { meter, session } = await bornMeter({ defer, network }, node);
    const sealed = await sealSome(meter, session, 5);
    const topic = serviceTopic(network.network, 1, "record", meter.id);
    let turn = 0;
    const filter = `gs1/${network.network}/+/receipt/${meter.id}`;
    const attack = startAttack(
      defer,
      [node, node],
      () => {
        turn += 1;
        return publishPacket(1, topic, sealed[turn % sealed.length]!);
      },
      subscribePacket(9, filter),
    );
    await until("repetitions go without an answer", async () => {
      return (await node.counter(REPEATED, { state: "unanswered" })) > 100;
    });
    const later = await sealSome(meter, session, 3);
    await attack.stop();
    assert.equal(session.receipts.length, sealed.length + later.length);
    // The stranger has had an answer to some of what it published, and was sent no receipt of what it did not.
    const answers = attack.clients.map(({ packets }) => packets.filter(({ first }) => first >> 4 === 3));
    for (const [index, received] of answers.entries()) {
      assert.ok(received.length > 0 && received.length < 500, `client ${index} had ${received.length} receipts`);
      assert.equal(await isAmong(received, session, later), false);
    }
    // The meter itself, come again, has the receipts that it asks for.
    const again = await connectMeter(defer, network, meter, node.mqtt);
    await again.bear();
    for (const record of sealed) {
      await again.send(record);
      await again.receiptOf(record);
    }
  });
}

async function forge(t: TestContext, { defer, network }: Scene): Promise<void> {
  await t.test("a session of forged records ends after a few", async () => {
    const node = network.nodes[0]!;
    const { meter } = await bornMeter({ defer, network }, node);
    const topic = serviceTopic(network.network, 1, "record", meter.id);
    const forged = Uint8Array.from(meter.record());
    forged[forged.length - 1]! ^= 1;
    const before = await node.counter(REFUSED, { reason: "bad-signature" });
    const client = openClient(urlOf(node), connectPacket("forger"));
    await until("it is connected", () => client.packets.length > 0);
    for (let id = 1; id <= 60; id += 1) client.socket.write(publishPacket(id, topic, forged));
    await until("it is ended", () => client.closed);
    const refused = (await node.counter(REFUSED, { reason: "bad-signature" })) - before;
    assert.ok(refused > 0 && refused < 60, `${refused} refused`);
  });
}

async function fillPlaces(t: TestContext, { defer, network }: Scene): Promise<void> {
  await t.test("connections that do nothing take no place from a meter", async () => {
    const node = network.nodes[2]!;
    const resident = await bornMeter({ defer, network }, node);
    await sealSome(resident.meter, resident.session, 1);
    const idle = Array.from({ length: 2 * CONNECTIONS_MAX }, (_, index) =>
      openClient(urlOf(node), connectPacket(`idle-${index}`)),
    );
    defer(() => idle.forEach(({ socket }) => void socket.destroy()));
    await until("some had to go", () => idle.filter(({ closed }) => closed).length >= CONNECTIONS_MAX / 2);
    const newcomer = await bornMeter({ defer, network }, node);
    await sealSome(newcomer.meter, newcomer.session, 2);
    await sealSome(resident.meter, resident.session, 2);
    for (const { socket } of idle) socket.destroy();
  });
}

async function floodWithKey(t: TestContext, { defer, network }: Scene): Promise<void> {
  await t.test(
    "a meter that publishes faster than any schedule is told so, and its records are taken later",
    async () => {
      const node = network.nodes[1]!;
      const { meter, session } = await bornMeter({ defer, network }, node);
      const records = Array.from({ length: 3 * RATE.burst }, () => meter.record());
      for (const record of records) await session.send(record);
      await until("it is refused", () => session.refusals.length > 0);
      assert.deepEqual([...new Set(session.refusals.map(({ code }) => code))], [RATE_LIMITED]);
      assert.match(session.refusals[0]!.sentence, /service 1/);
      const other = await bornMeter({ defer, network }, node);
      await sealSome(other.meter, other.session, 3);
      // What was refused is published again, as a meter does after its pause, here or at another node.
      const elsewhere = await connectMeter(defer, network, meter, network.nodes[0]!.mqtt);
      await elsewhere.bear();
      for (const record of records) await elsewhere.send(record);
      for (const record of records) await elsewhere.receiptOf(record);
    },
  );
}

interface Attack {
  readonly clients: readonly RawClient[];
  stop(): Promise<void>;
}

/** Connections to these nodes, of which each publishes as fast as it is read, and comes again when it is ended. */
function startAttack(defer: Defer, nodes: readonly TestNode[], next: () => Uint8Array, ...first: Uint8Array[]): Attack {
  let isOver = false;
  const clients: RawClient[] = [];
  const attackers = nodes.map(async (node, index) => {
    while (!isOver) {
      const client = openClient(urlOf(node), connectPacket(`attacker-${index}`), ...first);
      clients.push(client);
      while (!isOver && !client.closed) {
        if (client.packets.length > first.length && !client.socket.writableNeedDrain) {
          for (let count = 0; count < 50; count += 1) client.socket.write(next());
        }
        await delay(5);
      }
      client.socket.destroy();
    }
  });
  const stop = async () => {
    isOver = true;
    await Promise.all(attackers);
  };
  defer(stop);
  return { clients, stop };
}

async function bornMeter({ defer, network }: Scene, node: TestNode) {
  const meter = makeMeter(network);
  const session = await connectMeter(defer, network, meter, node.mqtt);
  await session.bear();
  return { meter, session };
}

/** Publishes so many records, one when the one before is sealed. */
async function sealSome(meter: HandMadeMeter, session: MeterSession, count: number): Promise<readonly Uint8Array[]> {
  const records: Uint8Array[] = [];
  for (let index = 0; index < count; index += 1) {
    const record = meter.record();
    await session.send(record);
    await session.receiptOf(record);
    records.push(record);
  }
  return records;
}

/** Whether one of the publications is the receipt of one of the records. */
async function isAmong(
  received: readonly { readonly body: Uint8Array }[],
  session: MeterSession,
  records: readonly Uint8Array[],
): Promise<boolean> {
  for (const record of records) {
    const { recordHash } = await session.receiptOf(record);
    if (received.some(({ body }) => Buffer.from(body).includes(Buffer.from(recordHash)))) return true;
  }
  return false;
}

function urlOf({ mqtt }: TestNode): string {
  return `mqtt://${mqtt.host}:${mqtt.port}`;
}

async function configure({ folder }: TestNode, changes: object): Promise<void> {
  const path = join(folder, "node.json");
  await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, "utf8")), ...changes }));
}
