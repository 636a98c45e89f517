// What signals do to a node: SIGTERM and SIGINT stop it in order, and nothing that it acknowledged is lost; SIGHUP reads addresses
// again and leaves everything else alone.

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { parseRecord } from "../../src/wire/record.js";
import { connectMeter, makeMeter } from "./mqtt.js";
import { makeNetwork, startNodes, stopNodes, type TestNode, verifyChains, whenEqual } from "./network.js";
import { cleanUp, delay, gridseal, startGridseal, temporaryFolder, until } from "./processes.js";

const RECORDS = 300;
const urlOf = ({ api }: TestNode) => `http://${api.host}:${api.port}`;
const documentOf = (node: TestNode) => join(node.folder, "node.json");

test("a node that is told to stop keeps or seals what it has acknowledged, and ends with status 0", {
  timeout: 240_000,
}, async (t) => {
  const defer = cleanUp(t);
  const network = await makeNetwork(defer, join(await temporaryFolder(defer), "network"), { nodes: 4, meters: 0 });
  const [node, ...others] = network.nodes as [TestNode, ...TestNode[]];
  await startNodes(network);
  const meter = makeMeter(network);
  const acknowledged: Uint8Array[] = [];
  /** Publishes until the node is gone; what was acknowledged is noted. */
  const publishDuring = async (signal: NodeJS.Signals) => {
    const session = await connectMeter(defer, network, meter, node.mqtt);
    await session.bear();
    const running = node.process!;
    // Those that the end of the session leaves open never settle.
    for (let index = 0; index < RECORDS; index += 1) {
      const record = meter.record();
      session.send(record).then(
        () => {
          acknowledged.push(record);
          if (acknowledged.length === RECORDS / 3) running.signal(signal);
        },
        () => {},
      );
    }
    const { status, errors } = await running.ended;
    assert.equal(status, 0, errors);
    assert.equal(errors, "");
    await session.close();
  };

  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    await t.test(`${signal} in the middle of records`, async () => {
      await publishDuring(signal);
      assert.ok(acknowledged.length >= RECORDS / 3);
      await node.start();
      for (const record of acknowledged) {
        const { seq } = parseRecord(record).claims;
        const path = `${urlOf(others[0]!)}/receipts/1/${meter.id}/${seq}`;
        await until(`record ${seq} is sealed`, async () => (await fetch(path)).status === 200);
      }
      acknowledged.length = 0;
    });
  }

  await t.test("SIGTERM while it starts, and a second one while it stops, end it as well", async () => {
    await node.stop();
    const early = startGridseal(defer, "node", "run", documentOf(node));
    await delay(500);
    early.signal("SIGTERM");
    const { status, errors } = await early.ended;
    // Before the command has begun to listen for it the system's own answer counts.
    assert.ok(status === 0 || status === null, errors);
    await node.start();
    node.process!.signal("SIGTERM");
    node.process!.signal("SIGTERM");
    assert.ok([0, 143].includes((await node.process!.ended).status!));
    await node.start();
  });

  await whenEqual(network);
  await stopNodes(network);
  await verifyChains(network);
});

test("a whole network that is told to stop at once under load ends well, again and again", {
  timeout: 240_000,
}, async (t) => {
  const defer = cleanUp(t);
  const network = await makeNetwork(defer, join(await temporaryFolder(defer), "network"), { nodes: 4, meters: 0 });
  for (let round = 0; round < 3; round += 1) {
    await startNodes(network);
    for (const node of network.nodes) {
      const meter = makeMeter(network);
      const session = await connectMeter(defer, network, meter, node.mqtt);
      await session.bear();
      for (let index = 0; index < RECORDS; index += 1) session.send(meter.record()).catch(() => {});
    }
    await delay(200 + 300 * round);
    for (const node of network.nodes) node.process!.signal("SIGTERM");
    for (const node of network.nodes) {
      const { status, output, errors } = await node.process!.ended;
      assert.deepEqual([status, errors], [0, ""], node.name);
      assert.doesNotMatch(output, /"level":(50|60)/, node.name);
      assert.match(output, /"msg":"node stops"/, `${node.name}: a stop can be told from a crash`);
    }
  }
  for (const { folder } of network.nodes) {
    const audited = await gridseal("chain", "audit", "--data", join(folder, "data"), "--genesis", network.genesis);
    assert.equal(audited.status, 0, audited.errors);
  }
});

test("SIGHUP reads peers' addresses and followed chains again, and what is wrong in the file changes nothing", {
  timeout: 240_000,
}, async (t) => {
  const defer = cleanUp(t);
  const network = await makeNetwork(defer, join(await temporaryFolder(defer), "network"), { nodes: 4, meters: 0 });
  const right = new Map<TestNode, string>();
  // Everybody has wrong addresses of everybody else.
  for (const node of network.nodes) {
    right.set(node, await readFile(documentOf(node), "utf8"));
    const document = JSON.parse(right.get(node)!) as { peers: { addresses: Record<string, { port: number }> } };
    for (const address of Object.values(document.peers.addresses)) address.port = 9;
    await writeFile(documentOf(node), JSON.stringify(document));
  }
  await startNodes(network);
  const connected = (node: TestNode) => node.counter("gridseal_peers_connected");
  const pids = network.nodes.map(({ process }) => process!.pid);

  await t.test("with wrong addresses nobody finds anybody", async () => {
    assert.deepEqual(await Promise.all(network.nodes.map(connected)), [0, 0, 0, 0]);
  });

  await t.test("a file that is wrong is complained of, and the node goes on", async () => {
    const [node] = network.nodes as [TestNode];
    await writeFile(documentOf(node), "{");
    node.process!.signal("SIGHUP");
    await delay(500);
    assert.equal((await fetch(`${urlOf(node)}/chains`)).status, 200);
  });

  await t.test("with the right addresses all are connected, in the same processes, and seal", async () => {
    for (const node of network.nodes) {
      await writeFile(documentOf(node), right.get(node)!);
      node.process!.signal("SIGHUP");
    }
    await until("all are connected", async () =>
      (await Promise.all(network.nodes.map(connected))).every((n) => n === 3),
    );
    const meter = makeMeter(network);
    const session = await connectMeter(defer, network, meter, network.nodes[3]!.mqtt);
    await session.bear();
    const record = meter.record();
    await session.send(record);
    await session.receiptOf(record);
    assert.deepEqual(
      network.nodes.map(({ process }) => process!.pid),
      pids,
    );
  });

  await whenEqual(network);
  const outcomes = await Promise.all(network.nodes.map((node) => node.process!.stop()));
  const said = outcomes[0]!.output
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, string>);
  const kept = said.filter(({ msg }) => msg === "the configuration stays as it was");
  assert.ok(kept.length === 1 && /node\.json/.test(kept[0]!.reason!), "one line of the log says which file, and why");
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    [0, 0, 0, 0],
  );
});
