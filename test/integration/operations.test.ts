// What an operator does to a node's store: backup beside the running node, a damaged store, repair from the peers, restore of a lost
// one, retention. Receipts are had and verify all the while.

import assert from "node:assert/strict";
import { readdir, readFile, rename, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { verifyGenesis } from "../../src/wire/genesis.js";
import { decodeReceipt, verifyReceipt } from "../../src/wire/receipt.js";
import { nodeVerify } from "../../tools/crypto/signatures.js";
import { block } from "../../tools/routes/blocks.js";
import { receipt as receiptRoute } from "../../tools/routes/receipts.js";
import { pathOf } from "../../tools/routes/shape.js";
import { connectMeter, hexOf, makeMeter } from "./mqtt.js";
import { makeNetwork, startNodes, stopNodes, verifyChains, whenEqual } from "./network.js";
import { cleanUp, gridseal, gridsealJson, temporaryFolder } from "./processes.js";

const RECORDS = 70;

test("a node's store is backed up, repaired, restored and pruned", { timeout: 280_000 }, async (t) => {
  const defer = cleanUp(t);
  const folder = await temporaryFolder(defer);
  const network = await makeNetwork(defer, join(folder, "network"), { nodes: 4, meters: 0 });
  await startNodes(network);
  const meter = makeMeter(network);
  const session = await connectMeter(defer, network, meter, network.nodes[0]!.mqtt);
  await session.bear();
  const records: Uint8Array[] = [];
  /** Records that are sealed one after the other, so that each has a block of its own. */
  const seal = async (count: number) => {
    for (let index = 0; index < count; index += 1) {
      const record = meter.record();
      records.push(record);
      await session.send(record);
      await session.receiptOf(record);
    }
  };
  const node = network.nodes[1]!;
  const configuration = join(node.folder, "node.json");
  const data = join(node.folder, "data");
  const pages = join(data, "data.mdb");
  const backup = join(folder, "backup");
  await seal(RECORDS);

  await t.test("backup copies the store of a running node", async () => {
    await whenEqual(network);
    const { status, errors } = await gridseal("backup", configuration, backup);
    assert.equal(status, 0, errors);
  });
  await seal(2);

  await t.test("a truncated store is refused with its path and reason, repaired, and the node goes on", async () => {
    await node.kill();
    const { length } = await readFile(pages);
    await truncate(pages, length / 2);
    const refused = await gridseal("node", "run", configuration);
    assert.equal(refused.status, 1);
    assert.match(refused.errors, /data\.mdb is truncated: it has \d+ bytes of \d+\n {2}.*node repair/);
    const repaired = (await gridsealJson("node", "repair", configuration)) as RepairReport;
    assert.match(repaired.damage!, /truncated/);
    assert.equal(repaired.chains.find(({ name }) => name === "trading")?.height, RECORDS + 2);
    const again = (await gridsealJson("node", "repair", configuration)) as RepairReport;
    assert.equal(again.damage, null);
    assert.ok((await readdir(node.folder)).some((name) => name.startsWith("data-damaged-")));
    await node.start();
    await seal(3);
    await whenEqual(network);
  });

  await t.test("a block that was changed on disk is found, and what only the node had is taken over", async () => {
    await node.kill();
    const bytes = await readFile(pages);
    // Wherever a block names its rules; some of these pages are free.
    const rules = Buffer.from("gs1/rules/2");
    for (let at = bytes.indexOf(rules); at >= 0; at = bytes.indexOf(rules, at + 1)) bytes[at]! ^= 1;
    await writeFile(pages, bytes);
    const repaired = (await gridsealJson("node", "repair", configuration)) as RepairReport;
    assert.match(repaired.damage!, /a row is damaged: checksum differs \(row 0001\w{10} of table blocks\)/);
    assert.equal(repaired.chains.find(({ name }) => name === "trading")?.height, RECORDS + 5);
    await node.start();
    await whenEqual(network);
  });

  await t.test(
    "a repair ends though the network lives on, and says on standard error alone how far it is",
    async () => {
      await node.kill();
      await truncate(pages, (await readFile(pages)).length / 2);
      let over = false;
      const living = (async () => {
        while (!over) await seal(1);
      })();
      try {
        const { status, output, errors } = await gridseal("node", "repair", configuration, "--json");
        assert.equal(status, 0, errors);
        const repaired = JSON.parse(output) as RepairReport;
        assert.ok(repaired.chains.find(({ name }) => name === "trading")!.height >= RECORDS + 5);
        assert.doesNotMatch(errors, /^(?!fetching from the peers: )./m);
      } finally {
        over = true;
        await living;
      }
      await node.start();
      await whenEqual(network);
    },
  );

  await t.test("a backup is put back where the store was lost, and the node catches up", async () => {
    await node.kill();
    const refused = await gridseal("restore", configuration, backup);
    assert.match(refused.errors, /data exists already|data cannot be written/);
    await rename(data, `${data}-lost`);
    const { status, errors } = await gridseal("restore", configuration, backup);
    assert.equal(status, 0, errors);
    await node.start();
    await seal(3);
    await whenEqual(network);
  });

  await t.test("old records go, and their receipts are still given out and verify", async () => {
    await node.kill();
    const typed = await gridseal("node", "prune", configuration, "--prune-before", "999999");
    assert.equal(typed.status, 2);
    assert.match(typed.errors, /999999 is above the newest block of trading \d+.*--older-than, or add --yes/);
    const parameters = [configuration, "--prune-before", "10", "--service", "trading"];
    const trading = { service: 1, name: "trading", before: 10, blocks: 9, records: 9 };
    assert.deepEqual(await gridsealJson("node", "prune", ...parameters, "--dry-run"), { chains: [trading] });
    const recent = (await gridsealJson("node", "prune", configuration, "--older-than", "1d")) as PruneReport;
    assert.deepEqual(
      recent.chains.filter(({ blocks }) => blocks > 0),
      [],
    );
    const pruned = (await gridsealJson("node", "prune", ...parameters)) as PruneReport;
    assert.deepEqual(pruned.chains, [trading]);
    assert.equal(pruned.disk.after_bytes, (await stat(pages)).size);
    assert.ok(pruned.disk.after_bytes <= pruned.disk.before_bytes, "the store takes no more room than before");
    await node.start();
    await whenEqual(network);
    const genesis = verifyGenesis(Uint8Array.from(await readFile(network.genesis)), nodeVerify);
    const api = `http://${node.api.host}:${node.api.port}`;
    const answer = await fetch(`${api}${pathOf(receiptRoute, { service: 1, meter: meter.id, seq: 3 }, {})}`);
    const receipt = decodeReceipt(new Uint8Array(await answer.arrayBuffer()));
    verifyReceipt(receipt, genesis, nodeVerify);
    assert.equal(hexOf(receipt.recordHash), hexOf((await session.receiptOf(records[3]!)).recordHash));
    const blockPath = (height: number) => pathOf(block, { service: 1, height }, {});
    assert.equal((await fetch(api + blockPath(4))).status, 410);
    assert.equal((await fetch(api + blockPath(10))).status, 200);
    const audited = await gridseal("chain", "audit", "--api", api, "--genesis", network.genesis);
    assert.match(audited.errors, /has let go of the records of block 1 of chain 1/);
    await seal(1);
  });

  await whenEqual(network);
  await stopNodes(network);
  const whole = network.nodes.filter(({ name }) => name !== node.name);
  const reports = await verifyChains({ ...network, nodes: whole });
  assert.equal(reports.get(1)!.records.length, records.length);
});

interface PruneReport {
  readonly chains: readonly { readonly name: string; readonly blocks: number }[];
  readonly disk: { readonly before_bytes: number; readonly after_bytes: number };
}

interface RepairReport {
  readonly damage: string | null;
  readonly chains: readonly { readonly name: string; readonly height: number }[];
}
