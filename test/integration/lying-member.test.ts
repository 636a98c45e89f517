// Three honest nodes of four and a member with a real key that floods them: what their meters send is sealed all the while.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { readGenesisFile } from "../../tools/files/genesis-file.js";
import type { Flood } from "../../tools/lab/fuzz/flood.js";
import { startLyingMember } from "../../tools/lab/fuzz/lying-member.js";
import { readMember } from "../../tools/lab/fuzz/member-links.js";
import { createRandom } from "../../tools/lab/rig/random.js";
import { readNodeConfiguration } from "../../tools/node/configuration.js";
import { connectMeter, makeMeter } from "./mqtt.js";
import { makeNetwork, startNodes, stopNodes, type TestNode, verifyChains, whenEqual } from "./network.js";
import { cleanUp, residentBytes, temporaryFolder, until } from "./processes.js";

const RECORDS = 3;
const MEMORY_BYTES_MAX = 1024 * 1024 * 1024;

test("a member that floods the others stops nothing from being sealed", { timeout: 500_000 }, async (t) => {
  const defer = cleanUp(t);
  const folder = join(await temporaryFolder(defer), "network");
  const whole = await makeNetwork(defer, folder, { nodes: 4, meters: 0 });
  const network = { ...whole, nodes: whole.nodes.slice(0, 3) };
  await startNodes(network);
  const { genesis } = await readGenesisFile(network.genesis);
  const configuration = await readNodeConfiguration(join(whole.nodes[3]!.folder, "node.json"));
  const liar = await startLyingMember(await readMember(genesis, configuration), createRandom(1));
  defer(() => liar.close());
  await until("the lying member is connected", () => liar.connected.length === 3);
  const meter = makeMeter(network);
  const session = await connectMeter(defer, network, meter, network.nodes[0]!.mqtt);
  await session.bear();
  const sealSome = async (count: number) => {
    for (let sealed = 0; sealed < count; sealed += 1) {
      const record = meter.record();
      await session.send(record);
      await session.receiptOf(record);
    }
  };
  await sealSome(3);
  const sum = async (counter: string) => {
    const counts = await Promise.all(network.nodes.map((node: TestNode) => node.counter(counter)));
    return counts.reduce((total, count) => total + count, 0);
  };

  // The first ones cost work and are no proof of bad will; the last one is.
  for (const kind of [
    "block requests",
    "other votes",
    "equivocations",
    "hidden parts",
    "custody keys",
    "bad signatures",
  ] satisfies Flood[]) {
    await t.test(`with ${kind}`, async () => {
      let isOver = false;
      const { sent } = liar;
      const flooding = liar.flood(kind, () => isOver);
      try {
        await sealSome(RECORDS);
        if (kind === "bad signatures") {
          const areShut = async () => (await sum("gridseal_peers_shut_out_total")) >= 3;
          // What the floods before have left in the sockets is read first, slowly.
          await until("all have shut the liar out", areShut, 150_000);
        }
      } finally {
        isOver = true;
        await flooding;
      }
      assert.ok(liar.sent > sent);
      for (const { process } of network.nodes) assert.ok((await residentBytes(process!.pid)) < MEMORY_BYTES_MAX);
    });
  }
  await sealSome(RECORDS);
  await whenEqual(network);
  await stopNodes(network);
  await verifyChains(network);
});
