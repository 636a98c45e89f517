// kill -9 in the middle of the demo, of each node in turn and of two meters: the rest go on sealing, the killed one comes back by
// itself and catches up, and in the end nothing is lost and nothing is there twice.

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { Report } from "../../tools/demo/demo.js";
import type { ChainState } from "../../tools/routes/chains.js";
import { assertNumbered, freeBasePort, numbersOf, openNetwork, verifyChains } from "./network.js";
import { childrenOf, cleanUp, gridseal, startGridseal, temporaryFolder, until } from "./processes.js";

const NODES = 4;
const METERS = 6;
/** of the demo, each of whom signs on one chain with the meters */
const PARTICIPANTS = 2;
/** The victims in turn: every node, and two meters whose brokers are of different nodes. */
const victims = ["node-1", "meter-2", "node-2", "node-3", "meter-5", "node-4"];

test("kill -9 of any node or meter in the middle of the demo loses nothing", { timeout: 300_000 }, async (t) => {
  const defer = cleanUp(t);
  const folder = join(await temporaryFolder(defer), "demo");
  const report = `${folder}-report.json`;
  const port = String(await freeBasePort(NODES));
  const demo = startGridseal(defer, "demo", "--data", folder, "--report", report, "--base-port", port);
  await until("the first receipt is verified", () => / verified [1-9]/.test(demo.output));
  const network = await openNetwork(defer, folder);

  for (const victim of victims) {
    await t.test(`${victim} is killed and comes back while the rest go on`, async () => {
      const others = network.nodes.filter(({ name }) => name !== victim);
      const { pid } = await until(`${victim} runs`, () => processOf(demo.pid, victim));
      // In the middle: while records are being sealed.
      await until("records are under way", async () => {
        const all = await Promise.all(network.nodes.map((node) => node.chains().catch(() => [])));
        return all.flat().some(({ pending }) => pending > 0);
      });
      process.kill(pid, "SIGKILL");
      const before = recordsOf(await others[0]!.chains());
      await until("the rest go on sealing", async () => recordsOf(await others[0]!.chains()) >= before + METERS);
      const again = await until(`${victim} runs again`, async () => {
        const found = await processOf(demo.pid, victim);
        return found?.pid !== pid && found;
      });
      assert.notEqual(again.pid, pid);
      const node = network.nodes.find(({ name }) => name === victim);
      if (node === undefined) return;
      await until(`${victim} has caught up`, async () => {
        const chains = await node.chains().catch(() => []);
        return chains.length > 0 && recordsOf(chains) >= before + METERS;
      });
    });
  }

  await t.test("a node that is killed again and again comes back each time", async () => {
    for (let time = 0; time < 6; time += 1) {
      const { pid } = await until("it runs", () => processOf(demo.pid, "node-1"));
      process.kill(pid, "SIGKILL");
      await until("it is gone", async () => (await processOf(demo.pid, "node-1"))?.pid !== pid);
    }
    await until("it answers", () => network.nodes[0]!.chains().catch(() => undefined));
  });

  const meters = await Promise.all(
    victims.filter((name) => name.startsWith("meter")).map((name) => idOf(folder, name)),
  );
  const seen = recordsOf(await network.nodes[0]!.chains());
  await until("all go on sealing", async () => recordsOf(await network.nodes[0]!.chains()) >= seen + METERS);
  const { status, output, errors } = await demo.stop();

  await t.test("the demo ends well: nothing lost, nothing twice", async () => {
    assert.equal(status, 0, `${output}\n${errors}`);
    const { records } = JSON.parse(await readFile(report, "utf8")) as Report;
    const { published } = records;
    assert.deepEqual(records, {
      published,
      sealed: published,
      verified: published,
      lost: 0,
      unasked: 0,
      duplicated: 0,
    });
  });
  await t.test(
    "all nodes have the same chains, which a stranger verifies, with every record of every meter",
    async () => {
      const reports = await verifyChains(network);
      assertNumbered(reports);
      const dispatch = numbersOf(reports.get(3)!.records);
      assert.ok(dispatch.size >= METERS + PARTICIPANTS, `${dispatch.size} have signed`);
      for (const meter of meters) assert.ok(dispatch.get(meter)!.length > 1, `meter ${meter} did not come back`);
    },
  );
});

/** The process of a node or meter that the demo has started. */
async function processOf(demo: number, name: string): Promise<{ readonly pid: number } | undefined> {
  const children = await childrenOf(demo);
  return children.find(({ command }) => command.includes(`/${name}/node.json`) || command.endsWith(`meter-${name}`));
}

function recordsOf(chains: readonly ChainState[]): number {
  return chains.reduce((sum, { records }) => sum + records, 0);
}

async function idOf(folder: string, meter: string): Promise<string> {
  return JSON.parse(await readFile(join(folder, "meters", meter, "configuration.json"), "utf8")).id;
}

test("the demo ends with the reason where a node cannot start", { timeout: 120_000 }, async (t) => {
  const defer = cleanUp(t);
  const folder = join(await temporaryFolder(defer), "demo");
  const port = String(await freeBasePort(NODES));
  const options = ["--data", folder, "--base-port", port];
  assert.equal((await gridseal("demo", "--seconds", "1", ...options)).status, 0);
  await writeFile(join(folder, "nodes/node-3/key.json"), "{}");
  const { status, errors } = await gridseal("demo", ...options);
  assert.equal(status, 1);
  assert.match(errors, /^gridseal: node-3 ended \d times while starting; see .*node\.log\n/);
});
