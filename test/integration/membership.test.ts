// Members come and go while a cluster of real processes takes records: a node is admitted, one removed and killed, one replaced, a
// chain is added. Receipts of all times verify with the genesis and their file alone, and the chains hold together.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { type Block, decodeBlock } from "../../src/wire/block.js";
import { memberSetHash } from "../../src/wire/genesis.js";
import { memberSets, membersAt, splitLineage } from "../../src/wire/lineage.js";
import { verifyReceipt as checkReceipt } from "../../src/wire/receipt.js";
import { nodeVerify } from "../../tools/crypto/signatures.js";
import { readGenesisFile } from "../../tools/files/genesis-file.js";
import { block as blockRoute } from "../../tools/routes/blocks.js";
import { lineage } from "../../tools/routes/lineage.js";
import { pathOf } from "../../tools/routes/shape.js";
import { CONTRACTS } from "../wire/stranger-orders.js";
import { verifyReceipt as verifyReceiptAsStranger } from "../wire/stranger-receipt.js";
import { assertSameMembers } from "./lineages.js";
import { connectMeter, type HandMadeMeter, hexOf, type MeterSession, makeMeter } from "./mqtt.js";
import {
  makeNetwork,
  openNode,
  startNodes,
  stopNodes,
  type TestNetwork,
  type TestNode,
  verifyChains,
} from "./network.js";
import { cleanUp, type Defer, delay, gridseal, gridsealJson, temporaryFolder, until } from "./processes.js";

const TRADING = 1;
const HEAT = 7;

async function command(...args: readonly string[]): Promise<string> {
  const { status, output, errors } = await gridseal(...args);
  assert.equal(status, 0, `gridseal ${args.join(" ")}: ${errors}`);
  return output;
}

/** A further node, provisioned as a user would, which follows all chains. */
async function provision(
  defer: Defer,
  network: TestNetwork,
  number: number,
): Promise<TestNode & { readonly id: string }> {
  const [first] = network.nodes as [TestNode];
  const name = `node-${number}`;
  const ports = [
    ["--peer-port", first.peers.port],
    ["--mqtt-port", first.mqtt.port],
    ["--api-port", first.api.port],
  ].flatMap(([option, port]) => [String(option), String(Number(port) + number - 1)]);
  const made = (await gridsealJson("authority", "node", name, "--network", network.folder, ...ports)) as { id: string };
  const node = await openNode(defer, join(network.folder, "nodes", name), name);
  await node.start();
  return Object.assign(node, { id: made.id });
}

async function heightOf(node: TestNode, service = TRADING): Promise<number> {
  return (await node.chains()).find((chain) => chain.service === service)?.height ?? 0;
}

const urlOf = ({ api }: TestNode) => `http://${api.host}:${api.port}`;

async function lineageOf(node: TestNode, service: number): Promise<Uint8Array[]> {
  const response = await fetch(`${urlOf(node)}${pathOf(lineage, { service }, {})}`);
  return splitLineage(new Uint8Array(await response.arrayBuffer()));
}

async function blockOf(node: TestNode, height: number): Promise<Block> {
  const response = await fetch(`${urlOf(node)}${pathOf(blockRoute, { service: TRADING, height }, {})}`);
  return decodeBlock(new Uint8Array(await response.arrayBuffer()));
}

/** Has the authority sign an order and brings it to the network. */
async function order(network: TestNetwork, node: TestNode, name: string, ...what: readonly string[]): Promise<void> {
  const file = join(network.folder, `${name}.order`);
  await command("authority", "order", ...what, "--network", network.folder, "--api", urlOf(node), "-o", file);
  const submit = ["order", "submit", file, "--api", urlOf(node), "--genesis", network.genesis];
  const said = await command(...submit);
  assert.equal(await command(...submit), said, "submitted again, it is sealed where it was");
}

/** Changes the members of the trading chain, from a height soon; resolves when the height is sealed. */
async function change(network: TestNetwork, node: TestNode, name: string, ...how: readonly string[]): Promise<number> {
  const before = (await lineageOf(node, TRADING)).length;
  const effective = (await heightOf(node)) + 4;
  await order(network, node, name, "members", String(TRADING), "--effective", String(effective), ...how);
  await until(`${name} counts`, async () => {
    return (await lineageOf(node, TRADING)).length > before && (await heightOf(node)) >= effective + 1;
  });
  return effective;
}

async function readyFile(network: TestNetwork, node: TestNode): Promise<string> {
  const [first] = network.nodes as [TestNode];
  const file = join(network.folder, `${node.name}.ready`);
  await until(`${node.name} follows`, async () => (await heightOf(node)) >= (await heightOf(first)) - 1);
  await command("node", "ready", join(node.folder, "node.json"), "--service", String(TRADING), "-o", file);
  return file;
}

/** A meter that publishes again and again by way of a node, and what it has sent. */
async function load(defer: Defer, network: TestNetwork, node: TestNode, period_ms: number) {
  const meter = makeMeter(network);
  const session = await connectMeter(defer, network, meter, node.mqtt);
  await session.bear();
  const records: Uint8Array[] = [];
  let over = false;
  const running = (async () => {
    while (!over) {
      const record = meter.record();
      records.push(record);
      await Promise.race([session.send(record).catch(() => {}), delay(5_000)]);
      await delay(period_ms);
    }
  })();
  const stop = async () => {
    over = true;
    await running;
  };
  defer(stop);
  return { meter, session, records, stop };
}

/** Fetches a record's receipt and verifies it with the genesis and the file alone. */
async function verifyReceipt(
  network: TestNetwork,
  node: TestNode,
  meter: HandMadeMeter,
  seq: number,
  service = TRADING,
) {
  const file = join(network.folder, `${node.name}-${meter.id}-${service}-${seq}.receipt`);
  const which = ["--service", String(service), "--meter", meter.id, "--seq", String(seq)];
  await command("receipt", "get", "--api", urlOf(node), ...which, "-o", file);
  const verified = (await gridsealJson("receipt", "verify", file, "--genesis", network.genesis)) as { height: number };
  return verified.height;
}

/** Publishes a record and waits for its receipt, as a proof that this node takes records for the service. */
async function sealOne(session: MeterSession, record: Uint8Array, service = TRADING): Promise<number> {
  await session.send(record, service);
  return (await session.receiptOf(record)).height;
}

test("nodes are admitted, removed and replaced, and a chain is added, under load and without a restart", async (t) => {
  const defer = cleanUp(t);
  const network = await makeNetwork(defer, join(await temporaryFolder(defer), "network"), { nodes: 4, meters: 0 });
  const { genesis } = await readGenesisFile(network.genesis);
  const genesisBytes = await readFile(network.genesis);
  await startNodes(network);
  const [first, second, third, fourth] = network.nodes as [TestNode, TestNode, TestNode, TestNode];
  const idOf = (name: string) => hexOf(genesis.nodes.find((node) => node.name === name)!.id);
  const { meter, records, stop } = await load(defer, network, third, 200);
  await until("records are sealed", async () => (await heightOf(first)) >= 3);

  const fifth = await provision(defer, network, 5);
  const joins = await change(network, third, "admit", "--admit", await readyFile(network, fifth));
  const guest = makeMeter(network, { services: [TRADING, HEAT] });
  const atFifth = await connectMeter(defer, network, guest, fifth.mqtt);
  await atFifth.bear();
  const byFifth = await sealOne(atFifth, guest.record());
  assert.ok(byFifth >= joins, "a meter is served by the node that has joined");

  const leaves = await change(network, third, "remove", "--remove", idOf("node-1"));
  await first.kill();
  const afterKill = await heightOf(third);
  await until("the chain goes on", async () => (await heightOf(third)) >= afterKill + 3);

  const sixth = await provision(defer, network, 6);
  const admit = await readyFile({ ...network, nodes: [third] }, sixth);
  const replaces = await change(network, third, "replace", "--admit", admit, "--remove", idOf("node-2"));
  assert.equal((await lineageOf(third, TRADING)).length, 3);

  const heat = ["chain", String(HEAT), "heat", ...[idOf("node-3"), idOf("node-4"), fifth.id, idOf("node-2")]];
  const [, number, name, ...ids] = heat;
  await order(network, third, "heat", "chain", number!, name!, ...ids.flatMap((id) => ["--member", id]));
  await until("the added chain runs", async () => {
    const all = await Promise.all([second, third, fourth, fifth].map((node) => node.chains()));
    return all.every((chains) => chains.some(({ service }) => service === HEAT));
  });
  const heated = guest.record({ service: HEAT });
  assert.equal(await sealOne(atFifth, heated, HEAT), 1);
  const atSixth = await connectMeter(defer, network, guest, sixth.mqtt);
  await atSixth.bear();
  assert.ok((await sealOne(atSixth, guest.record())) >= replaces);
  // What a meter was shown on this connection alone is enough for the receipt that came after it.
  for (const [session, service] of [
    [atSixth, TRADING],
    [atFifth, HEAT],
  ] as const) {
    const at = session.receipts.findLastIndex(({ chain }) => chain === service);
    const shown = session.lineages.get(service) ?? [];
    checkReceipt(session.receipts[at]!, genesis, nodeVerify, shown);
    const proved = verifyReceiptAsStranger(genesisBytes, session.receiptPayloads[at]!, shown);
    assert.deepEqual([proved.chain, proved.height], [service, session.receipts[at]!.height]);
  }
  await stop();

  // Receipts from before, between and after, from a node that was there all along and from one that joined last.
  const heights: number[] = [];
  for (const seq of [0, Math.floor(records.length / 2), records.length - 2]) {
    heights.push(await verifyReceipt(network, third, meter, seq), await verifyReceipt(network, sixth, meter, seq));
  }
  assert.ok(Math.min(...heights) < joins && Math.max(...heights) >= replaces);
  assert.equal(await verifyReceipt(network, fourth, guest, 0, HEAT), 1);

  for (const node of [third, sixth]) {
    await command("chain", "audit", "--api", urlOf(node), "--genesis", network.genesis);
  }

  // Who has signed what: members of the height alone.
  const sets = memberSets(genesis, TRADING, await lineageOf(sixth, TRADING), nodeVerify);
  const block = await blockOf(sixth, leaves + 1);
  assert.deepEqual(block.memberSet, memberSetHash(membersAt(sets, leaves + 1)!));
  const last = await heightOf(sixth);
  for (let height = leaves; height <= last; height += 1) {
    const { batches, certificate } = await blockOf(sixth, height);
    const members = new Set(membersAt(sets, height)!.map(({ id }) => hexOf(id)));
    const signers = [...certificate.signatures, ...batches.flatMap(({ acknowledgements }) => acknowledgements)];
    assert.ok(
      signers.every(({ node }) => members.has(hexOf(node))),
      `block ${height}`,
    );
    assert.ok(batches.every(({ origin }) => members.has(hexOf(origin))));
  }

  // The removed node that was killed comes back as one that follows; then all chains of all nodes, by the audit and by a stranger.
  const lineage = await lineageOf(sixth, TRADING);
  await first.start();
  const nodes = [...network.nodes, fifth, sixth];
  await until("the nodes have the same blocks", async () => {
    const all = (await Promise.all(nodes.map((node) => node.chains()))).flat();
    const headersOf = (wanted: number) =>
      new Set(all.flatMap((chain) => (chain.service === wanted ? chain.header : [])));
    return [TRADING, CONTRACTS, HEAT].every((service) => headersOf(service).size === 1);
  });
  await stopNodes({ ...network, nodes });
  const reports = await verifyChains({ ...network, nodes: [second, third, fourth, fifth] });
  // Nodes without the added chain: neither is its member, nor was it there when they were told what to follow.
  const fewer = await verifyChains({ ...network, nodes: [first, sixth] });
  assert.equal(fewer.get(TRADING)?.header, reports.get(TRADING)?.header);
  const [traded, sealedHeat] = [reports.get(TRADING)!, reports.get(HEAT)!];
  assertSameMembers(traded, genesisBytes, lineage, traded.height);
  // Each change counts from its effective height on, or from when the chain knew of it.
  const changes = traded.members.flatMap((set, index, sets) => (set.join() === sets[index - 1]?.join() ? [] : [index]));
  assert.deepEqual(
    changes.map((index) => traded.members[index]!.length),
    [4, 5, 4, 4],
  );
  for (const [index, effective] of [1, joins, leaves, replaces].entries()) assert.ok(changes[index]! + 1 >= effective);
  assert.deepEqual(sealedHeat.members[0], ids);
  assert.equal(reports.get(CONTRACTS)?.orders.last, 4);
});
