// Real nodes of which one is away while a meter confides, and one is replaced afterwards: both open what was sealed without them, each with
// one other member.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { apiOf, dayText, openAccess, runGood, SERVICE } from "./access-network.js";
import { openNode, stopNodes, type TestNode, verifyChains } from "./network.js";
import { cleanUp, gridsealJson, until } from "./processes.js";

const metricOf = (text: string, name: string) =>
  Number(new RegExp(`^${name}\\{service="${SERVICE}"\\} (\\d+)$`, "m").exec(text)?.[1]);

/** What the node says that it lacks of the chain's disclosures and shares. */
async function missingAt(node: TestNode): Promise<readonly number[]> {
  const text = await (await fetch(`${apiOf(node)}/metrics`)).text();
  return ["gridseal_disclosures_missing", "gridseal_shares_missing"].map((name) => metricOf(text, name));
}

test("who was away, and who came in another one's place, opens what was sealed without it", {
  timeout: 400_000,
}, async (t) => {
  const defer = cleanUp(t);
  const access = await openAccess(defer, {
    anna: "customer",
    study: "researcher",
    keeper: "metered-data-administrator",
  });
  const { network, meterId, say, open, idOf } = access;
  const { folder } = network;
  const [first, second, third, fourth] = network.nodes as [TestNode, TestNode, TestNode, TestNode];
  await fourth.stop();
  const meter = access.startMeter();
  await access.sealed(first, 5);

  await runGood("access", "key", "--as", join(folder, "study"));
  await say("keeper", "subject", "--meter", meterId, "--participant", await idOf("anna"), "--from", dayText(0));
  const need = await say("study", "need", "--purpose", "AcademicResearch", "--days", "31", "--text", "evening peaks");
  const period = ["--meter", meterId, "--from", dayText(0), "--until", dayText(1)];
  const { name } = await say("study", "request", "--need", need.name, ...period);
  await say("anna", "consent", name);

  /** Values that these two deliver together, by the numbers of their records. */
  const openedBy = async (...nodes: readonly TestNode[]): Promise<ReadonlySet<number>> => {
    const { status, output, errors } = await open(name, nodes.map(apiOf));
    assert.equal(status, 0, errors);
    const lines = output.trim().split("\n");
    return new Set(lines.map((line) => (JSON.parse(line) as { readonly seq: number }).seq));
  };

  await t.test("a member that was away fetches ciphertexts and its share", async () => {
    const before = await openedBy(second, third);
    await fourth.start();
    await until("it has the grant", async () => (await open(name, [apiOf(fourth), apiOf(third)])).status === 0, 60_000);
    await until("nothing is missing", async () => (await missingAt(fourth)).join() === "0,0", 60_000);
    const after = await openedBy(fourth, third);
    for (const seq of before) assert.ok(after.has(seq), `record ${seq}`);
  });

  await t.test("a member that came in another one's place opens it with one of the others", async () => {
    const before = await openedBy(second, third);
    const ports = [
      ["--peer-port", first.peers.port],
      ["--mqtt-port", first.mqtt.port],
      ["--api-port", first.api.port],
    ].flatMap(([option, port]) => [String(option), String(Number(port) + 4)]);
    await runGood("authority", "node", "node-5", "--network", folder, ...ports);
    const fifth = await openNode(defer, join(folder, "nodes", "node-5"), "node-5");
    await fifth.start();
    const heightOf = async (node: TestNode) =>
      (await node.chains()).find(({ service }) => service === Number(SERVICE))?.height ?? 0;
    await until("it follows", async () => (await heightOf(fifth)) >= (await heightOf(second)) - 1, 60_000);
    const ready = join(folder, "node-5.ready");
    await runGood("node", "ready", join(fifth.folder, "node.json"), "--service", SERVICE, "-o", ready);
    const file = join(folder, "replace.order");
    const { nodes } = (await gridsealJson("genesis", "show", network.genesis)) as {
      readonly nodes: readonly { readonly name: string; readonly id: string }[];
    };
    const gone = nodes.find((node) => node.name === "node-1")!.id;
    const effective = (await heightOf(second)) + 4;
    const change = ["--effective", String(effective), "--admit", ready, "--remove", gone];
    const via = ["--network", folder, "--api", apiOf(second)];
    await runGood("authority", "order", "members", SERVICE, ...change, ...via, "-o", file);
    await runGood("order", "submit", file, "--api", apiOf(second), "--genesis", network.genesis);
    await until("it counts", async () => (await heightOf(second)) >= effective + 2, 120_000);
    await first.kill();
    await until(
      "it has its parts of what was sealed",
      async () =>
        (await missingAt(fifth)).join() === "0,0" && (await open(name, [apiOf(fifth), apiOf(third)])).status === 0,
      120_000,
    );
    for (const other of [second, third, fourth]) {
      const after = await openedBy(fifth, other);
      for (const seq of before) assert.ok(after.has(seq), `record ${seq} with ${other.name}`);
    }
    const alone = await open(name, [apiOf(fifth)]);
    assert.equal(alone.status, 1, alone.output);
    await meter.stop();
    await fifth.stop();
  });

  await stopNodes({ ...network, nodes: [second, third, fourth] });
  await verifyChains({ ...network, nodes: [second, third] });
});
