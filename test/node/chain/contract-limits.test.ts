// Contracts that take all that they may, or that a machine does not come to the end of: the chain goes on all the same.

import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeBlock } from "../../../src/wire/block.js";
import { fromHex } from "../../../src/wire/bytes.js";
import { type InstallAction, sourceHash } from "../../../src/wire/contract-order.js";
import { outcomesIn } from "../../../src/wire/outcome.js";
import { auditChain } from "../../../tools/audit/audit.js";
import { nameOf } from "../../../tools/lab/rig/contracts/runner.js";
import { type ChainTip, composeBlock, makeBatch } from "../../../tools/ledger/compose.js";
import { newestEngine } from "../../../tools/ledger/engines.js";
import { governedHeight } from "../../../tools/ledger/governance.js";
import { memberSetOf } from "../../../tools/ledger/members.js";
import type { RunResult } from "../../../tools/ledger/outcome.js";
import { atOnce } from "../../../tools/ledger/pieces.js";
import { executionRecord } from "../../../tools/ledger/record-scan.js";
import { BLOCK_OPERATIONS_MAX, kindShare, type RunPlan } from "../../../tools/ledger/run-plan.js";
import { decodeResults, encodeResults } from "../../../tools/ledger/violations.js";
import { viewOf } from "../../../tools/node/chain/stored-state.js";
import { credentials } from "../../../tools/node/chain/tables/credentials.js";
import { createChainContracts } from "../../../tools/node/contracts/node-contracts.js";
import { idKey } from "../../../tools/node/store/keys.js";
import { createCluster, SERVICE, type TestCluster, type TestNode } from "./cluster.js";
import { participantOf } from "./participant.js";

const spins = 'export const reads = [], writes = [""]; export function operation() { for (;;); }';
const counts =
  'export const reads = [], writes = [""]; export function operation(c) { c.put("n", (c.get("n") ?? 0) + 1); }';

const reminds = `
export const reads = [], writes = ["due/"];
export function operation(context) {
  for (const key of ["a", "b"]) context.put("due/" + key, [context.time_s, key]);
}
export function due() {}
`;

const installOf = (name: string, source: string, type: number): InstallAction => ({
  ...{ type: "install", service: SERVICE, name, version: 1, source: sourceHash(source) },
  ...newestEngine,
  ...{
    budget: 1_000,
    pages: 64,
    output: 10_000,
    messages: [],
    types: [type],
    vectors: new Uint8Array(32),
    ready: [],
    fromHeight: 1,
  },
});

const outcomesOf = (node: TestNode) => node.sealed.flatMap(({ block }) => outcomesIn(block.results));

test("operations that spin their whole budget, as many as a block holds, are sealed", async (t) => {
  const cluster = await createCluster(4);
  t.after(() => cluster.close());
  await cluster.order(
    { ...installOf("spins", spins, 3), budget: Math.floor(kindShare.budget / BLOCK_OPERATIONS_MAX) },
    spins,
  );
  const participant = await participantOf(cluster);
  const blocks = 2;
  for (let block = 1; block <= blocks; block += 1) {
    for (let index = 0; index < BLOCK_OPERATIONS_MAX; index += 1) {
      assert.equal(await cluster.nodes[block % 4]!.chain.admit(participant.next(3), undefined), "admitted");
    }
    const asked = block * BLOCK_OPERATIONS_MAX;
    await cluster.until(() => cluster.nodes.every(({ chain }) => chain.head.records === asked), `${asked} operations`);
  }
  for (const node of cluster.nodes) {
    const reasons = outcomesOf(node).map((outcome) => outcome.type === "failed" && outcome.reason);
    assert.deepEqual(reasons, Array(blocks * BLOCK_OPERATIONS_MAX).fill("budget"));
    assert.deepEqual(node.opposed, []);
    const rounds = node.sealed.map(({ block }) => block.certificate.round);
    t.diagnostic(`rounds ${rounds.join(", ")}`);
  }
});

test("a participant whose operations take all that a block has delays others by a block each, and none of theirs fails", async (t) => {
  const cluster = await createCluster(4);
  t.after(() => cluster.close());
  cluster.runContracts = onceForAll();
  await cluster.order(installOf("spins", spins, 3), spins);
  await cluster.order(installOf("counts", counts, 4), counts);
  const greedy = await participantOf(cluster);
  const modest = await participantOf(cluster);
  const [node, other] = cluster.nodes as [TestNode, TestNode];
  const asked = 4;
  for (let index = 0; index < asked; index += 1) {
    for (const { chain } of [node, other]) {
      assert.equal(await chain.admit(greedy.next(3), undefined), "admitted");
    }
  }
  assert.equal(await node.chain.admit(modest.next(4), undefined), "admitted");
  const counted = () => node.sealed.findIndex(({ block }) => outcomesIn(block.results).some(isDone));
  const isDone = ({ type }: { readonly type: string }) => type === "done";
  await cluster.until(() => cluster.nodes.every(({ chain }) => chain.head.records === 2 * asked + 1), "all of them");
  const outcomes = outcomesOf(node);
  assert.deepEqual(outcomes.filter(isDone).length, 1, "what the modest one asks is done");
  const spun = outcomes.filter((outcome) => outcome.type === "failed" && outcome.reason === "budget");
  assert.equal(spun.length, 2 * asked, "the greedy one's run as far as they may");
  const perBlock = node.sealed.map(({ block }) => outcomesIn(block.results).length);
  assert.ok(
    perBlock.every((count) => count <= 2),
    `each takes a block's whole budget: ${perBlock.join()}`,
  );
  t.diagnostic(`outcomes a block ${perBlock.join(", ")}; the modest one's in block ${counted() + 1}`);
  assert.ok(counted() < 2 * asked, `the modest one waits for all others: block ${counted()} of ${perBlock.length}`);
  for (const { opposed } of cluster.nodes) assert.deepEqual(opposed, []);
  await isSealedWithRoom(cluster, node);
});

/** Each plan runs on the node that asks first: four times a whole budget would be too much for a machine that has other work. */
function onceForAll(): TestCluster["runContracts"] {
  const made = new Map<string, Promise<readonly RunResult[]>>();
  return (_node, run, plan) => {
    const name = nameOf(plan);
    const known = made.get(name);
    if (known !== undefined) return known;
    const running = run();
    made.set(name, running);
    running.catch(() => made.delete(name)); // given up by its node
    return running;
  };
}

/** The audit comes to the same, and refuses a block that holds what there was no room for. */
async function isSealedWithRoom({ genesis }: TestCluster, node: TestNode): Promise<void> {
  const contracts = createChainContracts();
  const blocks = async function* () {
    for (const { block } of node.sealed) yield encodeBlock(block);
  };
  const audit = (runContracts: (plan: RunPlan) => Promise<readonly RunResult[]>) =>
    auditChain(genesis, genesis.chains[0]!, blocks, {
      ...{ governance: node.governor.current, contractsHeight: governedHeight(node.governor.current), runContracts },
    });
  const report = await audit(contracts.run);
  assert.equal(report.firstProblem, undefined);
  const crowded = await audit(async (plan) => [
    ...(await contracts.run(plan)).slice(0, -1),
    { type: "postponed" } as const,
  ]);
  assert.match(crowded.firstProblem!.what, /leave no room for/);
  await contracts.close();
}

test("a contract that no machine comes to the end of holds its chain up until an order retires it", async (t) => {
  const cluster = await createCluster(4);
  t.after(() => cluster.close());
  await cluster.order(installOf("spins", spins, 3), spins);
  await cluster.order(installOf("counts", counts, 4), counts);
  const hung = new Set<number>();
  cluster.runContracts = (node, run, { contracts }) => {
    if (!contracts.some(({ name }) => name === "spins")) return run();
    hung.add(node);
    return new Promise(() => {});
  };
  const participant = await participantOf(cluster);
  const [first, second] = cluster.nodes as [TestNode, TestNode];
  const sealed = (count: number) =>
    cluster.until(() => cluster.nodes.every(({ chain }) => chain.head.records === count), `${count} operations`);
  assert.equal(await second.chain.admit(participant.next(4), undefined), "admitted");
  await sealed(1);
  assert.equal(await first.chain.admit(participant.next(3), undefined), "admitted");
  await cluster.until(() => hung.size > 0, "a node runs what does not end");
  assert.equal(await second.chain.admit(participant.next(4), undefined), "admitted");
  await cluster.order({ type: "retire", service: SERVICE, name: "spins", fromHeight: 2 });
  await sealed(3);
  for (const node of cluster.nodes) {
    assert.deepEqual(
      outcomesOf(node).map(({ type }) => type),
      ["done", "unhandled", "done"],
    );
    assert.deepEqual(node.opposed, []);
  }
});

test("a round whose proposer does not come to the end of its runs is followed by one that does", async (t) => {
  const cluster = await createCluster(4);
  t.after(() => cluster.close());
  await cluster.order(installOf("counts", counts, 4), counts);
  let isLost = false;
  cluster.runContracts = (_node, run, { calls }) => {
    if (isLost || calls.length === 0) return run();
    isLost = true;
    return new Promise(() => {});
  };
  const participant = await participantOf(cluster);
  assert.equal(await cluster.nodes[0]!.chain.admit(participant.next(4), undefined), "admitted");
  await cluster.until(() => cluster.nodes.every(({ chain }) => chain.head.records === 1), "the operation");
  for (const node of cluster.nodes)
    assert.deepEqual(
      outcomesOf(node).map(({ type }) => type),
      ["done"],
    );
});

test("whoever replays a block runs one of the deadlines that have passed, though the block names none", async (t) => {
  const cluster = await createCluster(1);
  const contracts = createChainContracts();
  t.after(() => Promise.all([cluster.close(), contracts.close()]));
  await cluster.order(installOf("reminds", reminds, 3), reminds);
  const participant = await participantOf(cluster);
  const [node] = cluster.nodes as [TestNode];
  const meter = await cluster.meter();
  await node.chain.admit(participant.next(3), undefined);
  await cluster.until(() => node.chain.head.records === 1, "the operation");
  await node.chain.admit(meter.next(), undefined);
  await cluster.until(() => outcomesOf(node).length === 3, "both deadlines");
  const ran: string[][] = [];
  const blocks = async function* () {
    for (const { block } of node.sealed) {
      const results = decodeResults(block.results);
      const outcomes = results.outcomes.filter(({ entry }) => entry.kind !== "due");
      yield encodeBlock({ ...block, results: encodeResults({ ...results, outcomes }) });
    }
  };
  const report = await auditChain(cluster.genesis, cluster.genesis.chains[0]!, blocks, {
    ...{ governance: node.governor.current, contractsHeight: governedHeight(node.governor.current) },
    runContracts(plan) {
      ran.push(plan.calls.map(({ entry }) => entry));
      return contracts.run(plan);
    },
  });
  assert.match(report.firstProblem!.what, /results are not what/);
  assert.deepEqual(ran, [["operation"], ["due"]]);
});

test("a block is composed with no more calls of a kind than its proposal has", async (t) => {
  const cluster = await createCluster(1);
  t.after(() => cluster.close());
  await cluster.order(installOf("counts", counts, 4), counts);
  const participant = await participantOf(cluster);
  const [node] = cluster.nodes as [TestNode];
  const { genesis } = cluster;
  const chain = genesis.chains[0]!;
  const governance = node.governor.current;
  const judgedAt = governedHeight(governance);
  const { id } = chain.members[0]!;
  const bytes = node.store.get(credentials, idKey(0, fromHex(participant.id)!))!;
  const records = [4, 4, 4].map((type) => executionRecord(participant.next(type)));
  const content = { chain: SERVICE, origin: id, number: 0, notices: [{ kind: "credential" as const, bytes }] };
  const read = makeBatch(genesis.hash, content, records, () => new Uint8Array(64));
  const acknowledgements = [{ node: id, signature: new Uint8Array(64), verified: true }];
  const tip: ChainTip = {
    ...{ genesis, chain, height: 1, previous: genesis.hash, counter: 0, time_ms: 0, judgedAt: 0, governance },
    ...{ members: memberSetOf(chain.members, 1), view: viewOf(node.store, SERVICE) },
  };
  const planned = (calls: number) => {
    const inputs = { batches: [{ read, acknowledgements }], anchors: [], time_ms: Date.now(), judgedAt, calls };
    const composition = atOnce(composeBlock(tip, inputs));
    assert.ok(composition.type === "runs", JSON.stringify(composition));
    return composition.plan.calls.length;
  };
  assert.deepEqual([1, 2, 3, 32].map(planned), [1, 2, 3, 3]);
});
