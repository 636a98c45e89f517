// Contracts on chains of several nodes: installed by an order, run for each operation alike, remembered over restarts, and run again by
// whoever catches up or audits.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { decodeBlock, effectHashes } from "../../../src/wire/block.js";
import { equalBytes, toHex } from "../../../src/wire/bytes.js";
import { decodeCbor } from "../../../src/wire/cbor.js";
import { type InstallAction, type ParametersAction, sourceHash } from "../../../src/wire/contract-order.js";
import { sha256 } from "../../../src/wire/hash.js";
import { inclusionPath, leafCount, leafHash, rootFromInclusion, rootOfLevels } from "../../../src/wire/merkle.js";
import type { Operation } from "../../../src/wire/operation.js";
import { type EntryOutcome, effectItems, outcomesIn } from "../../../src/wire/outcome.js";
import { decodeValue } from "../../../src/wire/value.js";
import { auditChain } from "../../../tools/audit/audit.js";
import { getEffect, readEffectOf } from "../../../tools/cli/receipt/effect.js";
import { GridsealError } from "../../../tools/errors.js";
import { newestEngine } from "../../../tools/ledger/engines.js";
import { proveState, provesState } from "../../../tools/ledger/state-map.js";
import { ruleOf, subjectOf } from "../../../tools/ledger/violations.js";
import { stateEntries, stateProofOf } from "../../../tools/node/chain/contract-state.js";
import { stateOf } from "../../../tools/node/chain/stored-state.js";
import { blocks } from "../../../tools/node/chain/tables/blocks.js";
import { violationIndex, violations, violationsListed } from "../../../tools/node/chain/tables/violations.js";
import { isListed, violationsOf } from "../../../tools/node/chain/violation-list.js";
import { createChainContracts } from "../../../tools/node/contracts/node-contracts.js";
import { fillViolations } from "../../../tools/node/parts/violations/filling.js";
import { treeSoon } from "../../../tools/node/store/block-trees.js";
import { blockKey } from "../../../tools/node/store/keys.js";
import { decodeOutline, encodeOutline, outlineOf, treeOfOutline } from "../../../tools/node/store/outline.js";
import type { Table } from "../../../tools/node/store/table.js";
import { verifyExport } from "../../wire/stranger.js";
import { readGenesis } from "../../wire/stranger-genesis.js";
import { noOrders, takeOrder } from "../../wire/stranger-orders.js";
import { verifyReceipt } from "../../wire/stranger-receipt.js";
import { verifyStateProof } from "../../wire/stranger-state-proof.js";
import { createCluster, SERVICE, type TestCluster, type TestNode } from "./cluster.js";
import { participantOf } from "./participant.js";

/** Counts what each participant asks for, up to a limit; type 2 throws. */
const source = `
export const reads = [];
export const writes = ["asked/"];
export function operation(context, operation) {
  if (operation.type === 2) throw new Error("never");
  const key = "asked/" + operation.participant;
  const asked = (context.get(key) ?? 0) + 1;
  if (asked > context.parameters.limit) {
    context.violation("too-often", operation.participant, { asked });
    context.deny("limit-reached", { limit: context.parameters.limit });
    return;
  }
  context.put(key, asked);
  context.effect("counted", { asked, roles: operation.roles, place: operation.jurisdiction });
}
`;

const install: InstallAction = {
  ...{ type: "install", service: SERVICE, name: "limits", version: 1, source: sourceHash(source) },
  ...newestEngine,
  ...{
    budget: 200,
    pages: 64,
    output: 10_000,
    types: [1, 2],
    messages: [],
    vectors: new Uint8Array(32),
    ready: [],
    fromHeight: 1,
  },
};
const limit = (value: number, jurisdiction?: string): ParametersAction => ({
  ...{ type: "parameters", service: SERVICE, contract: "limits", jurisdiction },
  ...{ parameters: new Map([["limit", value]]), fromHeight: 1 },
});

function outcomesOf(node: TestNode): EntryOutcome[] {
  return node.sealed.flatMap(({ block }) => outcomesIn(block.results));
}

const blocksOf = (node: TestNode) =>
  async function* () {
    for (let height = 1; height <= node.chain.head.height; height += 1) {
      yield node.store.get(blocks, blockKey(SERVICE, height))!;
    }
  };

async function installed(cluster: TestCluster): Promise<void> {
  await cluster.order(install, source);
  await cluster.order(limit(7));
  await cluster.order(limit(2, "DE"));
}

test("operations are run alike on all nodes, over a restart, for one that was away, and for audit and stranger", async (t) => {
  const cluster = await createCluster(4);
  t.after(() => cluster.close());
  await installed(cluster);
  const [first, second, third] = cluster.nodes as [TestNode, TestNode, TestNode];
  const participant = await participantOf(cluster);
  const ask = async (node: TestNode, operation: Operation) => {
    assert.equal(await node.chain.admit(operation, undefined), "admitted");
    const sealed = operation.claims.seq + 1;
    await cluster.until(
      () => cluster.nodes.every(({ up, chain }) => !up || chain.head.records >= sealed),
      `operation ${sealed}`,
    );
  };
  await ask(first, participant.next(1));
  await ask(second, participant.next(9));
  await cluster.kill(3);
  await ask(first, participant.next(1));
  await ask(second, participant.next(2));
  await cluster.kill(0);
  await cluster.restart(0);
  await ask(second, participant.next(1));
  await ask(first, participant.next(1, null, 1_600_000_000));
  await cluster.restart(3);
  await cluster.until(
    () => cluster.nodes.every(({ chain }) => chain.head.height === first.chain.head.height),
    "catch-up",
  );
  const { height } = first.chain.head;
  for (const node of cluster.nodes) {
    assert.deepEqual([node.chain.head.headerHash, node.opposed], [first.chain.head.headerHash, []]);
    assert.deepEqual(toHex(node.chain.head.stateRoot), toHex(stateOf(node.store, SERVICE).root));
    assert.deepEqual(
      [...stateOf(node.store, SERVICE).entriesOf("limits")].map(([key, value]) => [key, decodeValue(value)]),
      [[`asked/${participant.id}`, 2]],
    );
  }
  const kinds = outcomesOf(third).map(({ type }) => type);
  assert.deepEqual(kinds, ["done", "unhandled", "done", "failed", "denied", "expired"]);
  const [done, , , failed, denied] = outcomesOf(third);
  assert.ok(done?.type === "done" && failed?.type === "failed" && denied?.type === "denied");
  assert.deepEqual(decodeValue(done.effects[0]!.body), { asked: 1, place: "DE-BY", roles: [2] });
  assert.equal(failed.reason, "threw");
  assert.deepEqual(
    denied.denials.map(({ rule, body }) => [rule, decodeValue(body)]),
    [["limit-reached", { limit: 2 }]],
  );
  assert.equal(third.chain.head.counter, 1);

  // An effect has a receipt as a record has: its leaf stands behind the records.
  const { block, tree } = third.sealed[0]!;
  const items = effectItems(block, outcomesIn(block.results));
  assert.deepEqual((decodeCbor(items[1]!) as readonly unknown[])[0], "gs1/effect");
  const leaf = 1 + block.batches.reduce((sum, batch) => sum + batch.records.length, 0) + 1;
  assert.deepEqual(effectHashes(block)[1], sha256(items[1]!));
  const root = rootFromInclusion(leafHash(sha256(items[1]!)), leaf, leafCount(tree), inclusionPath(tree, leaf));
  assert.ok(root !== undefined && equalBytes(root, rootOfLevels(tree)));

  // What stays of a pruned block has the same tree.
  assert.deepEqual(treeOfOutline(decodeOutline(encodeOutline(outlineOf(block)))), tree);

  // A value of the state is proved, and that there is none of another key.
  const state = stateOf(first.store, SERVICE);
  const key = `limits/asked/${participant.id}`;
  const value = Uint8Array.of(2);
  assert.ok(provesState(state.root, { key, value }, proveState(state, state.root, key)));
  const other = { key: "limits/asked/other", value: undefined };
  assert.ok(provesState(state.root, other, proveState(state, state.root, other.key)));

  // What it says against somebody is listed on every node, and again where an earlier version had not listed it.
  for (const node of cluster.nodes) {
    const { found } = violationsOf(node.store, { limit: 9 });
    assert.deepEqual(
      found.map(({ violation }) => [ruleOf(violation), toHex(subjectOf(violation))]),
      [["limits/too-often", participant.id]],
    );
    assert.ok(isListed(node.store, [SERVICE]), node.id);
  }
  const listed = violationsOf(second.store, { limit: 9 });
  await second.store.write((writer) => {
    for (const table of [violations, violationIndex, violationsListed] as const) {
      for (const { key } of second.store.range(table as Table<Buffer, unknown>, {}))
        writer.delete(table as Table<Buffer, unknown>, key);
    }
  });
  assert.deepEqual([isListed(second.store, [SERVICE]), violationsOf(second.store, { limit: 9 }).found], [false, []]);
  await fillViolations({ store: second.store, afterOthers: async () => {}, isStopped: () => false }, SERVICE);
  assert.deepEqual([isListed(second.store, [SERVICE]), violationsOf(second.store, { limit: 9 })], [true, listed]);

  // What a node answers, a stranger verifies.
  const asked = { chain: SERVICE, contract: "limits" };
  for (const [own, there] of [
    [`asked/${participant.id}`, "02"],
    ["asked/other", undefined],
  ] as const) {
    const bytes = await stateProofOf(first.store, "test", { ...asked, key: own }, (stored) => treeSoon(() => stored));
    const proved = verifyStateProof(cluster.genesisBytes, bytes!);
    assert.deepEqual([proved.height, proved.key, proved.value], [height, `limits/${own}`, there]);
  }
  const all = stateEntries(first.store, { ...asked, prefix: "asked/", after: undefined, limit: 9 });
  assert.deepEqual([all.entries, all.hasMore], [[{ key: `asked/${participant.id}`, value: 2 }], false]);
  for (const other of [{ prefix: "b" }, { contract: "limit" }, { after: `asked/${participant.id}` }]) {
    const none = stateEntries(first.store, { ...asked, prefix: "", after: undefined, limit: 9, ...other });
    assert.deepEqual(none.entries, [], JSON.stringify(other));
  }

  const contracts = createChainContracts();
  t.after(() => contracts.close());
  const governance = first.governor.current;
  const { genesis } = cluster;
  const options = { governance, contractsHeight: 3, runContracts: contracts.run };
  const report = await auditChain(genesis, genesis.chains[0]!, blocksOf(first), options);
  assert.deepEqual([report.firstProblem, report.height, report.violations.contract], [undefined, height, 1]);

  const orders = noOrders(readGenesis(cluster.genesisBytes));
  for (const [index, bytes] of cluster.orders.entries()) {
    takeOrder(orders, readGenesis(cluster.genesisBytes), bytes, index + 1);
  }
  const whole: Uint8Array[] = [];
  for await (const bytes of blocksOf(first)()) whole.push(bytes);
  const proved = verifyExport(cluster.genesisBytes, Buffer.concat(whole), orders);
  assert.equal(proved.stateRoot, toHex(state.root));
  assert.deepEqual(
    proved.effects.filter((effect) => effect.height === block.height).map(({ bytes }) => toHex(bytes)),
    items.map(toHex),
  );
  assert.equal(decodeBlock(whole[0]!).height, 1);

  // What the command makes of a node's folder, the stranger verifies.
  await cluster.kill(2);
  const folder = mkdtempSync(join(tmpdir(), "gridseal-effect-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const [genesisFile, output, save] = ["genesis.cbor", "receipt.cbor", "effect.cbor"].map((name) => join(folder, name));
  writeFileSync(genesisFile!, cluster.genesisBytes);
  const from = { data: third.path, genesis: genesisFile!, service: String(SERVICE), out: output!, save: save! };
  await getEffect({ height: block.height, index: 1 }, from);
  const effect = readFileSync(save!);
  assert.deepEqual(toHex(effect), toHex(items[1]!));
  assert.equal(verifyReceipt(cluster.genesisBytes, readFileSync(output!)).record, toHex(sha256(effect)));
  const shown = await readEffectOf(sha256(effect), output!, save!);
  assert.deepEqual([shown.kind, "name" in shown && shown.name], ["gs1/effect", "counted"]);
  await assert.rejects(readEffectOf(new Uint8Array(32), output!, save!), { code: "RECEIPT_INVALID" });
  await assert.rejects(getEffect({ height: block.height, index: 99 }, from), { code: "NOT_FOUND" });
});

test("a node whose engine fails casts no vote, seals nothing wrong, and goes on when it runs again", async (t) => {
  const cluster = await createCluster(4);
  t.after(() => cluster.close());
  await installed(cluster);
  const [first, , , broken] = cluster.nodes as [TestNode, TestNode, TestNode, TestNode];
  let faults = 0;
  cluster.runContracts = async (node, run) => {
    if (node !== 3 || faults >= 2) return run();
    faults += 1;
    throw new GridsealError("ENGINE_FAULT", "the thread of contracts ended");
  };
  const participant = await participantOf(cluster);
  assert.equal(await first.chain.admit(participant.next(1), undefined), "admitted");
  await cluster.until(() => cluster.nodes.every(({ chain }) => chain.head.records === 1), "the operation");
  assert.ok(faults > 0);
  assert.deepEqual(broken.opposed, []);
  assert.deepEqual(broken.chain.head.stateRoot, first.chain.head.stateRoot);
});

test("a block whose state root or outcomes are others is refused by those who run its contracts again", async (t) => {
  const cluster = await createCluster(1);
  t.after(() => cluster.close());
  await installed(cluster);
  const [node] = cluster.nodes as [TestNode];
  const participant = await participantOf(cluster);
  await node.chain.admit(participant.next(1), undefined);
  await cluster.until(() => node.chain.head.records === 1, "the operation");
  const governance = node.governor.current;
  const { genesis } = cluster;
  const chain = genesis.chains[0]!;
  const run = (outcome: "failed" | "other") => async () =>
    outcome === "failed"
      ? [{ type: "failed" as const, reason: "threw" as const, used: 0, detail: "" }]
      : [{ type: "done" as const, used: 0, writes: [["asked/x", Uint8Array.of(1)] as const], emissions: [] }];
  for (const outcome of ["failed", "other"] as const) {
    const options = { governance, contractsHeight: 3, runContracts: run(outcome) };
    const report = await auditChain(genesis, chain, blocksOf(node), options);
    assert.match(report.firstProblem!.what, /results are not what/);
  }
});
