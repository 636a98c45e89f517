// Slots on chains of several nodes: closed alike by all, shown to a contract, over a restart, for one that was away, for whoever audits,
// and for a stranger who computes them from the records.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Block, blockTree, decodeBlock, effectLeaves, slotsIn } from "../../../src/wire/block.js";
import { toHex } from "../../../src/wire/bytes.js";
import { type InstallAction, sourceHash } from "../../../src/wire/contract-order.js";
import { sha256 } from "../../../src/wire/hash.js";
import { outcomesIn } from "../../../src/wire/outcome.js";
import { receiptEncoder } from "../../../src/wire/receipt.js";
import { decodeSlotItem, encodePointRow, slotRoot } from "../../../src/wire/slot.js";
import { decodeSlotProofFile, proofOfRow, type SlotProof, verifySlotProof } from "../../../src/wire/slot-proof.js";
import { decodeValue } from "../../../src/wire/value.js";
import { auditChain } from "../../../tools/audit/audit.js";
import { nodeVerify } from "../../../tools/crypto/signatures.js";
import { newestEngine } from "../../../tools/ledger/engines.js";
import { settlementOf, stateOf } from "../../../tools/node/chain/stored-state.js";
import { blocks } from "../../../tools/node/chain/tables/blocks.js";
import { createChainContracts } from "../../../tools/node/contracts/node-contracts.js";
import { blockKey } from "../../../tools/node/store/keys.js";
import { verifyExport } from "../../wire/stranger.js";
import { readGenesis } from "../../wire/stranger-genesis.js";
import { noOrders, takeOrder } from "../../wire/stranger-orders.js";
import { createCluster, makeRecord, SERVICE, type TestCluster, type TestMeter, type TestNode } from "./cluster.js";

/** Adds up what each point has taken, and how often it had no energy. */
const source = `
export const reads = [];
export const writes = ["sum/", "without/"];
export function slot(context, slot) {
  for (const [point, taken, , quality] of slot.points) {
    const key = quality === 3 ? "without/" + point : "sum/" + point;
    context.put(key, (context.get(key) ?? 0) + (quality === 3 ? 1 : taken));
  }
  context.effect("settled", { start: slot.start_s, length: slot.length_s, count: slot.count, first: slot.first });
}
`;

const install: InstallAction = {
  ...{ type: "install", service: SERVICE, name: "sums", version: 1, source: sourceHash(source) },
  ...newestEngine,
  ...{ budget: 200, pages: 64, output: 10_000, types: [], messages: [] },
  ...{ slots: { slot_s: 1, lateness_s: 3, gapMax_s: 10 }, vectors: new Uint8Array(32), ready: [], fromHeight: 1 },
};

/** Beside those that a test takes anyway. */
const SECONDS_MAX = 20;
const ENERGY = Uint8Array.of(1, 0, 1, 8, 0, 255);
const now_s = () => Math.floor(Date.now() / 1_000);

/** Sends what its counter shows, with doubts: 1 Wh a second from `since_s` on. */
function readingOf(meter: TestMeter, since_s: number) {
  let seq = 0;
  let previous: Uint8Array = new Uint8Array(0);
  return async (node: TestNode) => {
    const time_s = now_s();
    const registers = [{ obis: ENERGY, value: time_s - since_s, scaler: 0, unit: 30 }];
    const errors = 2 ** (seq % 31) + 2 ** 40;
    const record = makeRecord(meter.signer, meter.kid, { seq, previous, time_s, registers, errors });
    seq += 1;
    previous = record.hash;
    assert.equal(await node.chain.admit(record, undefined), "admitted");
  };
}

const blocksOf = (node: TestNode) =>
  async function* () {
    for (let height = 1; height <= node.chain.head.height; height += 1) {
      yield node.store.get(blocks, blockKey(SERVICE, height))!;
    }
  };

async function seconds(count: number, each: () => Promise<unknown>): Promise<void> {
  for (let second = 0; second < count; second += 1) {
    await each();
    await new Promise((resolve) => setTimeout(resolve, 1_000 - (Date.now() % 1_000) + 50));
  }
}

/** A busy machine takes more seconds for as many blocks. */
async function secondsUntil(isThere: () => Promise<boolean>, each: () => Promise<unknown>): Promise<void> {
  for (let more = 0; more < SECONDS_MAX && !(await isThere()); more += 1) await seconds(1, each);
}

async function sealedBy(node: TestNode): Promise<Block[]> {
  const sealed: Block[] = [];
  for await (const bytes of blocksOf(node)()) sealed.push(decodeBlock(bytes));
  return sealed;
}

async function equalHeights(cluster: TestCluster): Promise<void> {
  const heights = () => new Set(cluster.nodes.map(({ chain }) => chain.head.height));
  await cluster.until(() => heights().size === 1, "nodes of one height");
}

test("slots are closed alike by all nodes, shown to a contract, and computed by the audit and by the stranger", {
  timeout: 120_000,
}, async (t) => {
  const cluster = await createCluster(4);
  t.after(() => cluster.close());
  await cluster.order(install, source);
  const [one, two, silent] = [await cluster.meter(), await cluster.meter(), await cluster.meter()];
  const from_s = now_s();
  await cluster.order({
    type: "assign",
    assignments: [
      { point: "P", meter: two.kid, from_s: from_s - 10, until_s: undefined, sign: -1, capacity: undefined },
    ],
  });
  const [first, second, third] = cluster.nodes as [TestNode, TestNode, TestNode];
  const [sendOne, sendTwo, sendOnce] = [one, two, silent].map((meter) => readingOf(meter, from_s)) as [
    ReturnType<typeof readingOf>,
    ReturnType<typeof readingOf>,
    ReturnType<typeof readingOf>,
  ];
  await sendOnce(second);
  const both = () => Promise.all([sendOne(first), sendTwo(second)]);
  await seconds(4, both);
  await cluster.kill(2);
  await seconds(3, both);
  await cluster.kill(3);
  await cluster.restart(2);
  await seconds(2, both);
  await cluster.restart(3);
  await seconds(3, both);
  await secondsUntil(async () => (await sealedBy(first)).flatMap(({ results }) => slotsIn(results)).length >= 6, both);
  await equalHeights(cluster);

  const { head } = first.chain;
  for (const node of cluster.nodes) {
    assert.deepEqual([node.chain.head.headerHash, node.opposed], [head.headerHash, []]);
    const settlement = settlementOf(node.store, SERVICE);
    assert.deepEqual(settlement.head, settlementOf(first.store, SERVICE).head);
    assert.deepEqual([...settlement.all()], [...settlementOf(first.store, SERVICE).all()]);
  }

  const whole: Uint8Array[] = [];
  for await (const bytes of blocksOf(third)()) whole.push(bytes);
  const closed = whole
    .map(decodeBlock)
    .flatMap((block) => slotsIn(block.results).map((slot) => ({ height: block.height, block, slot })));
  assert.ok(closed.length >= 6, `${closed.length} slots are closed`);
  for (const [index, { slot }] of closed.entries()) {
    assert.equal(slot.start_s, closed[0]!.slot.start_s + index, "one behind the other");
    const rows = settlementOf(first.store, SERVICE).rows(slot.start_s);
    assert.deepEqual([slot.points, slot.root], [rows.length, slotRoot(rows.map(encodePointRow))]);
  }
  const last = closed.at(-1)!;
  const item = effectLeaves(last.block).at(-1)!;
  assert.deepEqual(decodeSlotItem(item), { chain: SERVICE, height: last.height, ...last.slot });

  // A row has a proof that the genesis alone verifies; of another row, leaf or place it proves nothing.
  const encoded = settlementOf(first.store, SERVICE).rows(last.slot.start_s).map(encodePointRow);
  const records = last.block.batches.reduce((sum, batch) => sum + batch.records.length, 0);
  const leaf = records + effectLeaves(last.block).length;
  const receipt = receiptEncoder(last.block, blockTree(last.block))(leaf, sha256(item));
  const proof = decodeSlotProofFile(proofOfRow(encoded, 1, { leaf: item, receipt })).proof;
  const prove = (change: Partial<SlotProof>) =>
    verifySlotProof({ proof: { ...proof, ...change }, lineage: [] }, cluster.genesis, nodeVerify);
  assert.deepEqual(encodePointRow(prove({}).row), encoded[1]);
  assert.throws(() => prove({ row: encoded[0]! }), /does not lead to the slot's root/);
  assert.throws(() => prove({ index: 0 }), /does not lead to the slot's root/);
  const otherLeaf = effectLeaves(closed[0]!.block).at(-1)!;
  assert.throws(() => prove({ leaf: otherLeaf }), /root|something else/);
  const bent = Uint8Array.from(receipt);
  bent[bent.length - 1]! ^= 1;
  assert.throws(() => prove({ receipt: bent }), { name: "WireError" });

  const rows = closed.flatMap(({ slot }) => settlementOf(first.store, SERVICE).rows(slot.start_s));
  assert.ok(rows.some(({ doubts }) => doubts > 0));
  const sumOf = (point: string) =>
    rows.filter((row) => row.point === point).reduce((sum, { imported }) => sum + Number(imported ?? 0n), 0);
  const entries = new Map(
    [...stateOf(first.store, SERVICE).entriesOf("sums")].map(([key, value]) => [key, decodeValue(value)]),
  );
  assert.equal(entries.get(`sum/${toHex(one.kid)}`), sumOf(toHex(one.kid)));
  assert.equal(entries.get("sum/P"), sumOf("P"));
  assert.ok(sumOf("P") < 0, "its meter's energies are taken from the point");
  assert.ok(Number(entries.get(`without/${toHex(silent.kid)}`)) > 0);
  const outcomes = whole.flatMap((bytes) => outcomesIn(decodeBlock(bytes).results));
  assert.deepEqual(new Set(outcomes.map(({ entry, type }) => `${entry.kind} ${type}`)), new Set(["slot done"]));

  const contracts = createChainContracts();
  t.after(() => contracts.close());
  const options = { governance: first.governor.current, contractsHeight: 2, runContracts: contracts.run };
  const report = await auditChain(cluster.genesis, cluster.genesis.chains[0]!, blocksOf(first), options);
  assert.deepEqual([report.firstProblem, report.height], [undefined, head.height]);

  const orders = noOrders(readGenesis(cluster.genesisBytes));
  for (const [index, bytes] of cluster.orders.entries()) {
    takeOrder(orders, readGenesis(cluster.genesisBytes), bytes, index + 1);
  }
  const proved = verifyExport(cluster.genesisBytes, Buffer.concat(whole), orders);
  for (const { slot } of closed) {
    const found = settlementOf(first.store, SERVICE).rows(slot.start_s).map(encodePointRow);
    assert.deepEqual(proved.slots.get(slot.start_s)?.map(toHex), found.map(toHex));
  }
});

/** Says more for each slot than a block has for two such contracts. */
const talkative = `
export const reads = [];
export const writes = ["seen/"];
export function slot(context, slot) {
  context.put("seen/" + slot.start_s, [slot.first, slot.points.length]);
  for (let said = 0; said < 600; said += 1) context.effect("said", said);
}
`;

test("rows for which a block has no room are shown by later ones: to each contract once, and as the stranger expects", {
  timeout: 60_000,
}, async (t) => {
  const cluster = await createCluster(1);
  t.after(() => cluster.close());
  const names = ["talks", "talks-too"];
  for (const name of names) {
    const limits = { budget: 200, output: 20_000 };
    await cluster.order({ ...install, name, source: sourceHash(talkative), ...limits }, talkative);
  }
  const [node] = cluster.nodes as [TestNode];
  const send = readingOf(await cluster.meter(), now_s());
  await seconds(9, () => send(node));
  const shownTo = (name: string, sealed: readonly Block[]) =>
    sealed
      .flatMap(({ results }) => outcomesIn(results))
      .filter((outcome) => "contract" in outcome && outcome.contract === name);
  await secondsUntil(
    async () => shownTo(names[1]!, await sealedBy(node)).length >= 3,
    () => send(node),
  );
  const whole: Uint8Array[] = [];
  for await (const bytes of blocksOf(node)()) whole.push(bytes);
  const sealed = whole.map(decodeBlock);
  const shownAt = (name: string) =>
    sealed.flatMap(({ height, results }) =>
      outcomesIn(results).flatMap((outcome) => {
        const isOwn = outcome.type === "done" && outcome.contract === name && outcome.entry.kind === "slot";
        return isOwn && outcome.entry.kind === "slot" ? [{ height, start_s: outcome.entry.start_s }] : [];
      }),
    );
  const [first, second] = names.map(shownAt) as [ReturnType<typeof shownAt>, ReturnType<typeof shownAt>];
  assert.ok(second.length >= 3, `${second.length} slots are shown to both`);
  for (const [at, { height, start_s }] of second.entries()) {
    assert.equal(first[at]!.start_s, start_s, "each contract is shown each slot once, in order");
    assert.ok(height > first[at]!.height, "the second one by a later block");
  }
  const orders = noOrders(readGenesis(cluster.genesisBytes));
  for (const [index, bytes] of cluster.orders.entries())
    takeOrder(orders, readGenesis(cluster.genesisBytes), bytes, index + 1);
  const proved = verifyExport(cluster.genesisBytes, Buffer.concat(whole), orders);
  for (const { start_s } of second) {
    const rows = settlementOf(node.store, SERVICE).rows(start_s).map(encodePointRow);
    assert.deepEqual(proved.slots.get(start_s)?.map(toHex), rows.map(toHex));
  }
});
