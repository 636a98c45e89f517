// Three honest nodes of four and a member with a real key that repeats what is sealed, in one full temporary block of its own after
// another: blocks come all the while, and the nodes hold little of it.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { parseRecord } from "../../src/wire/record.js";
import { readGenesisFile } from "../../tools/files/genesis-file.js";
import type { Flood } from "../../tools/lab/fuzz/flood.js";
import { startLyingMember } from "../../tools/lab/fuzz/lying-member.js";
import { readMember } from "../../tools/lab/fuzz/member-links.js";
import { readOwnMemory_bytes } from "../../tools/lab/rig/process-usage.js";
import { createRandom } from "../../tools/lab/rig/random.js";
import { executionRecord, readRecord } from "../../tools/ledger/record-scan.js";
import { readNodeConfiguration } from "../../tools/node/configuration.js";
import { connectMeter, makeMeter } from "./mqtt.js";
import { makeNetwork, startNodes, stopNodes, type TestNetwork, verifyChains, whenEqual } from "./network.js";
import { cleanUp, temporaryFolder, until } from "./processes.js";

const SERVICE = 1;
/** What is sealed before, of so many meters. */
const METERS = 4;
const RECORDS_OF_EACH = 500;
/** Each phase, the one without attack too. */
const PHASE_MS = 10_000;
const BLOCKS_SENT = 200;
/** Of the blocks that come without attack, one in so many comes under it. */
const BLOCKS_SHARE = 8;
/** Beyond the most that a node takes without attack. */
const MEMORY_BYTES_MAX = 160 * 1_048_576;

test("a member that repeats what is sealed stops nothing from being sealed", { timeout: 400_000 }, async (t) => {
  const defer = cleanUp(t);
  const folder = join(await temporaryFolder(defer), "network");
  const whole = await makeNetwork(defer, folder, { nodes: 4, meters: 0 });
  const network = { ...whole, nodes: whole.nodes.slice(0, 3) };
  await startNodes(network);
  const { genesis } = await readGenesisFile(network.genesis);
  const configuration = await readNodeConfiguration(join(whole.nodes[3]!.folder, "node.json"));
  const accomplice = makeMeter(network);
  const newRecord = () => executionRecord(readRecord(parseRecord(accomplice.record()).stripped));
  const liar = await startLyingMember(await readMember(genesis, configuration), createRandom(1), newRecord);
  defer(() => liar.close());
  await until("the lying member is connected", () => liar.connected.length === 3);

  const sealMany = async (meter: typeof accomplice, count: number) => {
    const session = await connectMeter(defer, network, meter, network.nodes[0]!.mqtt);
    await session.bear();
    const records = Array.from({ length: count }, () => meter.record());
    for (const record of records) await session.send(record);
    await session.receiptOf(records.at(-1)!);
    await session.close();
  };
  await sealMany(accomplice, 1);
  await Promise.all(Array.from({ length: METERS }, () => sealMany(makeMeter(network), RECORDS_OF_EACH)));

  const meters = await Promise.all(network.nodes.map(({ mqtt }) => measuring(network, mqtt)));
  /** One meter at each node goes on for so long, each record behind the receipt of the one before. */
  const phase = async (attack: (isOver: () => boolean) => Promise<void>) => {
    let isOver = false;
    const before = await heightOf(network);
    const watched = watchMemory(network, () => isOver);
    const busy = [attack(() => isOver), ...meters.map((meter) => meter(() => isOver))];
    await new Promise((resolve) => setTimeout(resolve, PHASE_MS));
    const blocks = (await heightOf(network)) - before;
    isOver = true;
    await Promise.all(busy);
    return { blocks, memory_bytes: await watched };
  };

  const calm = await phase(async () => {});
  t.diagnostic(`no attack: ${JSON.stringify(calm)}`);
  for (const kind of ["sealed records", "other sealed records", "one new record"] satisfies Flood[]) {
    await t.test(`with ${kind}`, async () => {
      const { sent } = liar;
      const frames = liar.prepare(kind, BLOCKS_SENT);
      const { blocks, memory_bytes } = await phase((isOver) => liar.sendToAll(frames, isOver));
      t.diagnostic(`${kind}: ${JSON.stringify({ blocks, memory_bytes, sent: liar.sent - sent })}`);
      assert.ok(blocks >= calm.blocks / BLOCKS_SHARE, `${blocks} blocks, of ${calm.blocks} without attack`);
      assert.ok(memory_bytes <= calm.memory_bytes + MEMORY_BYTES_MAX, `${memory_bytes} bytes`);
    });
  }
  assert.ok((await sum(network, "gridseal_peer_delays_total")) > 0);
  await liar.close();
  await whenEqual(network);
  await stopNodes(network);
  await verifyChains(network);

  async function measuring(of: TestNetwork, broker: Parameters<typeof connectMeter>[3]) {
    const meter = makeMeter(of);
    const session = await connectMeter(defer, of, meter, broker);
    await session.bear();
    return async (isOver: () => boolean) => {
      while (!isOver()) {
        const record = meter.record();
        await session.send(record);
        await session.receiptOf(record);
      }
    };
  }
});

async function heightOf({ nodes }: TestNetwork): Promise<number> {
  const chains = await Promise.all(nodes.map((node) => node.chains()));
  return Math.max(...chains.flat().map(({ service, height }) => (service === SERVICE ? height : 0)));
}

async function sum({ nodes }: TestNetwork, counter: string): Promise<number> {
  const counts = await Promise.all(nodes.map((node) => node.counter(counter)));
  return counts.reduce((total, count) => total + count, 0);
}

/** The most that a node of them takes. */
async function watchMemory({ nodes }: TestNetwork, isOver: () => boolean): Promise<number> {
  let most_bytes = 0;
  while (!isOver()) {
    const taken = nodes.map((node) => readOwnMemory_bytes(node.process!.pid)!);
    most_bytes = Math.max(most_bytes, ...taken);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return most_bytes;
}
