// One flipped bit in a stopped node's store: the node refuses it with path, table and row, is repaired from its peers, and has the same
// chain again; what it alone had acknowledged to a meter is sealed.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { credentials } from "../../tools/node/chain/tables/credentials.js";
import { heads } from "../../tools/node/chain/tables/heads.js";
import { openEnvironment } from "../../tools/node/store/lmdb.js";
import type { AnyTable } from "../../tools/node/store/table.js";
import { connectMeter, makeMeter } from "./mqtt.js";
import { assertUnbroken, makeNetwork, numbersOf, startNodes, stopNodes, verifyChains, whenEqual } from "./network.js";
import { cleanUp, gridseal, gridsealJson, temporaryFolder, until } from "./processes.js";

interface RepairReport {
  readonly damage: string | null;
  readonly admitted: number;
  readonly chains: readonly { readonly name: string; readonly height: number }[];
}

/** A node that comes back may be kept out by its peers for up to two minutes. */
const REPAIRED_MS = 150_000;
const LOG_CHARACTERS = 6_000;

test("a node whose store has a flipped bit refuses it, is repaired, and loses nothing that it had acknowledged", {
  timeout: 400_000,
}, async (t) => {
  const defer = cleanUp(t);
  const network = await makeNetwork(defer, join(await temporaryFolder(defer), "network"), { nodes: 4, meters: 0 });
  await startNodes(network);
  const node = network.nodes[1]!;
  const others = network.nodes.filter((other) => other !== node);
  const configuration = join(node.folder, "node.json");
  const data = join(node.folder, "data");
  const [known, fresh] = [makeMeter(network), makeMeter(network)];
  const session = await connectMeter(defer, network, known, node.mqtt);
  await session.bear();
  for (let count = 0; count < 3; count += 1) {
    const record = known.record();
    await session.send(record);
    await session.receiptOf(record);
  }
  await whenEqual(network);

  await t.test("in a row that is read at start: what waits there alone is taken over and sealed", async () => {
    await Promise.all(others.map((other) => other.kill()));
    const alone = await connectMeter(defer, network, fresh, node.mqtt);
    await alone.bear();
    await session.send(known.record());
    await alone.send(fresh.record()); // acknowledged by a node that nobody hears
    await Promise.all([session.close(), alone.close()]);
    await node.kill();
    const row = await flipBit(data, heads as AnyTable);
    const refused = await gridseal("node", "run", configuration);
    assert.equal(refused.status, 1);
    assert.ok(refused.errors.includes(`data: head of chain ${Number.parseInt(row, 16)} is damaged`), refused.errors);
    assert.match(refused.errors, new RegExp(`row ${row} of table heads\\)\\n {2}.*gridseal node repair`));
    await Promise.all(others.map((other) => other.start()));
    const repaired = (await gridsealJson("node", "repair", configuration)) as RepairReport;
    assert.match(repaired.damage!, new RegExp(`row ${row} of table heads`));
    assert.equal(repaired.admitted, 2);
    await node.start();
    const sealed = async () => {
      const [trading] = (await node.chains()).filter(({ service }) => service === 1);
      return trading?.records === 5 || undefined;
    };
    // What it says of why not, and what the others say, stands with the failure.
    await until("both records are sealed", sealed, REPAIRED_MS).catch((error: Error) => {
      const logs = network.nodes.map(({ name, process }) => `${name}: ${process?.output.slice(-LOG_CHARACTERS)}`);
      throw new Error(`${error.message}\n${logs.join("\n")}`);
    });
    await whenEqual(network);
  });

  await t.test("in a row that is read in use: the node stops when it comes to it", async () => {
    await node.kill();
    const row = await flipBit(data, credentials as AnyTable, known.id);
    await node.start();
    const again = await connectMeter(defer, network, known, node.mqtt);
    void again.send(known.record()).catch(() => {}); // which is never acknowledged
    const ended = await until("the node stops", async () =>
      node.process?.isRunning ? undefined : node.process?.ended,
    );
    await again.close();
    assert.equal(ended.status, 1);
    assert.match(ended.errors, new RegExp(`row ${row} of table credentials\\)\\n {2}.*gridseal node repair`));
    const repaired = (await gridsealJson("node", "repair", configuration)) as RepairReport;
    assert.match(repaired.damage!, new RegExp(`row ${row} of table credentials`));
    await node.start();
    await whenEqual(network);
  });

  await stopNodes(network);
  assert.equal(((await gridsealJson("node", "repair", configuration)) as RepairReport).damage, null);
  const reports = await verifyChains(network);
  assertUnbroken(reports);
  const numbers = numbersOf(reports.get(1)!.records);
  assert.deepEqual([numbers.get(known.id)?.length, numbers.get(fresh.id)?.length], [4, 1]);
});

/** Flips a bit in the last byte of a table's first row, or of the one whose key ends with the hex digits; its key as hex. */
async function flipBit(folder: string, table: AnyTable, ending = ""): Promise<string> {
  const environment = openEnvironment(folder, false);
  try {
    const rows = [...environment.rows(table, {})].map(
      ({ key, value }) => [Buffer.from(key), Buffer.from(value)] as const,
    );
    const [key, value] = rows.find(([candidate]) => candidate.toString("hex").endsWith(ending))!;
    value[value.length - 1]! ^= 1;
    await environment.commit([{ table, key, row: value, kept: undefined }]);
    return key.toString("hex");
  } finally {
    await environment.close();
  }
}
