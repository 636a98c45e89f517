// Orders and evidence through whole nodes: gathered, sealed on every node, obeyed by the other chains, still there after a restart.

import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeBlock } from "../../../src/wire/block.js";
import { fromHex, toHex } from "../../../src/wire/bytes.js";
import { memberSetHash } from "../../../src/wire/genesis.js";
import { noticesOf } from "../../../src/wire/notice.js";
import { type Action, issueOrder, readyBytes } from "../../../src/wire/order.js";
import { auditChain } from "../../../tools/audit/audit.js";
import { encodeMessage, signedBytes } from "../../../tools/consensus/messages.js";
import type { Evidence, Precommit } from "../../../tools/consensus/types.js";
import { nodeVerify } from "../../../tools/crypto/signatures.js";
import { CONTRACTS_SERVICE, governedHeight, membersAfter } from "../../../tools/ledger/governance.js";
import { checkEvidence, evidenceNotice, readNotice } from "../../../tools/ledger/notices.js";
import { decodeResults } from "../../../tools/ledger/violations.js";
import { encodeFrame } from "../../../tools/node/chain/frame.js";
import { blocks } from "../../../tools/node/chain/tables/blocks.js";
import { blockKey } from "../../../tools/node/store/keys.js";
import { verifyExport } from "../../wire/stranger.js";
import { createCluster, SERVICE, type TestCluster, type TestNode } from "./cluster.js";

const both = [SERVICE, CONTRACTS_SERVICE];

function orderNotice({ genesis, authority }: TestCluster, number: number, action: Action) {
  const bytes = issueOrder({ number, time_s: 1_790_000_000, action }, genesis, authority);
  return readNotice(genesis.hash, { kind: "order", bytes });
}

const submit = (node: TestNode, notice: ReturnType<typeof readNotice>, service = CONTRACTS_SERVICE) =>
  node.chains.get(service)!.submit(notice);

const revoke = (byte: number): Action => ({ type: "revoke", meters: [new Uint8Array(8).fill(byte)] });

/** The stored blocks of a chain, again and again. */
function blocksOf(node: TestNode, service: number) {
  return async function* () {
    for (let height = 1; ; height += 1) {
      const bytes = node.store.get(blocks, blockKey(service, height));
      if (bytes === undefined) return;
      yield bytes;
    }
  };
}

test("an order is sealed alone, is known to every node, and is there after a restart", async (t) => {
  const cluster = await createCluster(4, 0, 4, both);
  t.after(() => cluster.close());
  const [first, second] = cluster.nodes as [TestNode, TestNode];
  assert.deepEqual(await submit(first, orderNotice(cluster, 1, revoke(1))), { type: "taken" });
  await cluster.until(() => cluster.nodes.every(({ governor }) => governor.current.lastOrder === 1), "order 1");
  const { block, records, orders } = first.sealed[0]!;
  assert.deepEqual([block.chain, block.height, block.judgedAt, records.length, orders.length], [5, 1, 0, 0, 1]);
  assert.equal(noticesOf(block.batches[0]!.notices, "order").length, 1);
  for (const { governor } of cluster.nodes) {
    assert.equal(governor.current.revoked.get("0101010101010101"), 1);
    assert.equal(governedHeight(governor.current), 1);
  }
  await cluster.kill(1);
  assert.deepEqual(await submit(first, orderNotice(cluster, 2, revoke(2))), { type: "taken" });
  await cluster.until(() => first.governor.current.lastOrder === 2, "order 2 without node 2");
  await cluster.restart(1);
  await cluster.until(() => second.governor.current.lastOrder === 2, "node 2 has order 2");
  await cluster.kill(1);
  await cluster.restart(1);
  assert.deepEqual(second.governor.current, first.governor.current);
});

test("whatever one node takes, no block has a record of a suspended meter, and of a resumed one they go on", async (t) => {
  const cluster = await createCluster(4, 0, 4, both);
  t.after(() => cluster.close());
  const [first] = cluster.nodes as [TestNode];
  const [meter, other] = [await cluster.meter(), await cluster.meter()];
  const sealedOf = ({ kid }: typeof meter) =>
    first.sealed.flatMap(({ records }) => records.filter((record) => record.meter === toHex(kid))).length;
  const everywhere = (height: number) =>
    cluster.until(() => cluster.nodes.every(({ chain }) => chain.head.height >= height), `block ${height}`);
  const order = async (number: number, type: "suspend" | "resume") => {
    await submit(first, orderNotice(cluster, number, { type, meters: [meter.kid] }));
    await cluster.until(() => cluster.nodes.every(({ governor }) => governor.current.lastOrder === number), type);
  };
  assert.equal(await first.chain.admit(meter.next(), undefined), "admitted");
  await everywhere(1);
  await order(1, "suspend");
  const held = meter.next();
  // This node asks nobody whether it may: `admit` is what stands behind its own refusals.
  assert.equal(await first.chain.admit(held, undefined), "admitted");
  assert.equal(await first.chain.admit(other.next(), undefined), "admitted");
  await everywhere(2);
  assert.deepEqual([sealedOf(meter), sealedOf(other)], [1, 1]);
  await order(2, "resume");
  await first.chain.admit(held, undefined);
  assert.equal(await first.chain.admit(other.next(), undefined), "admitted");
  await cluster.until(() => sealedOf(meter) === 2 && sealedOf(other) === 2, "what waited");
  const { height } = first.chain.head;
  await everywhere(height);
  const { genesis } = cluster;
  const governance = first.governor.current;
  const report = await auditChain(genesis, genesis.chains[0]!, blocksOf(first, SERVICE), { governance });
  assert.deepEqual([report.firstProblem, report.records], [undefined, 4]);
});

test("an order that does not apply is not taken, nor one on a chain that seals none", async (t) => {
  const cluster = await createCluster(4, 0, 4, both);
  t.after(() => cluster.close());
  const [first] = cluster.nodes as [TestNode];
  const refused = { type: "refused", reason: "it changes nothing on the chain" };
  assert.deepEqual(await submit(first, orderNotice(cluster, 2, revoke(1))), refused);
  assert.deepEqual(await submit(first, orderNotice(cluster, 1, revoke(1)), SERVICE), refused);
  assert.equal(first.sealed.length, 0);
});

test("other chains name the contracts height of the newest order, and change their members by it", async (t) => {
  const cluster = await createCluster(5, 0, 4, both);
  t.after(() => cluster.close());
  const [first, , , , fifth] = cluster.nodes as [TestNode, TestNode, TestNode, TestNode, TestNode];
  const meter = await cluster.meter();
  assert.equal(await first.chain.admit(meter.next(), undefined), "admitted");
  await cluster.until(() => cluster.nodes.every(({ chain }) => chain.head.height === 1), "block 1");
  const { nodes: known } = cluster.genesis;
  const id = fromHex(fifth.id)!;
  const ready = { node: id, signature: fifth.signer.sign(readyBytes(cluster.genesis.hash, SERVICE, id)) };
  const members = [...known.slice(0, 3), known[4]!];
  const seats = { members, ready: [ready], verifiers: 2 };
  const action: Action = { type: "members", chain: SERVICE, effectiveHeight: 3, ...seats };
  assert.deepEqual(await submit(first, orderNotice(cluster, 1, action)), { type: "taken" });
  await cluster.until(() => cluster.nodes.every(({ governor }) => governor.current.lastOrder === 1), "the order");
  for (let height = 2; height <= 4; height += 1) {
    assert.equal(await first.chain.admit(meter.next(), undefined), "admitted");
    await cluster.until(() => cluster.nodes.every(({ chain }) => chain.head.height === height), `block ${height}`);
  }
  const blocks = first.sealed.filter(({ block }) => block.chain === SERVICE).map(({ block }) => block);
  assert.deepEqual(
    blocks.map(({ judgedAt }) => judgedAt),
    [0, 1, 1, 1],
  );
  const [before, after] = [known.slice(0, 4), members].map((set) => toHex(memberSetHash(set)));
  assert.deepEqual(
    blocks.map(({ memberSet }) => toHex(memberSet)),
    [before, before, after, after],
  );
  assert.deepEqual(membersAfter(first.governor.current, SERVICE, 2, 1).members, members);
  const signers = blocks[3]!.certificate.signatures.map(({ node }) => toHex(node));
  assert.ok(!signers.includes(cluster.nodes[3]!.id), "a removed node's votes count no more");

  const { genesis } = cluster;
  const governance = fifth.governor.current;
  const alone = await auditChain(genesis, genesis.chains[0]!, blocksOf(fifth, SERVICE));
  assert.match(alone.firstProblem?.what ?? "", /contracts height 1 is not known/);
  const report = await auditChain(genesis, genesis.chains[0]!, blocksOf(fifth, SERVICE), { governance });
  assert.deepEqual([report.firstProblem, report.height], [undefined, 4]);

  const exported = (service: number) =>
    Buffer.concat(fifth.sealed.flatMap(({ block }) => (block.chain === service ? [encodeBlock(block)] : [])));
  const contracts = verifyExport(cluster.genesisBytes, exported(CONTRACTS_SERVICE));
  assert.deepEqual([contracts.height, contracts.orders.last], [1, 1]);
  assert.equal(verifyExport(cluster.genesisBytes, exported(SERVICE), contracts.orders).height, 4);
  assert.throws(() => verifyExport(cluster.genesisBytes, exported(SERVICE)), /holds no known order/);
});

test("a node that has not the contracts block yet waits for it instead of refusing what names it", async (t) => {
  const cluster = await createCluster(4, 0, 4, both);
  t.after(() => cluster.close());
  const [first, , , last] = cluster.nodes as [TestNode, TestNode, TestNode, TestNode];
  const meter = await cluster.meter();
  await cluster.kill(3);
  assert.deepEqual(await submit(first, orderNotice(cluster, 1, revoke(1))), { type: "taken" });
  await cluster.until(() => first.governor.current.lastOrder === 1, "the order");
  assert.equal(await first.chain.admit(meter.next(), undefined), "admitted");
  await cluster.until(() => first.chain.head.height === 1, "a block judged at the order");
  // The block of the other chain reaches the node before the contracts block that it names.
  await cluster.restart(3);
  const frame = encodeFrame("block", SERVICE, first.store.get(blocks, blockKey(SERVICE, 1))!);
  await last.chain.onFrame(first.id, { kind: "block", chain: SERVICE, payload: frame.subarray(3) });
  await cluster.until(() => last.chain.head.height === 1, "the node that was away has it");
  assert.equal(last.governor.current.lastOrder, 1);
});

/** Two precommits of one node for one height and round. */
function equivocation({ genesis }: TestCluster, by: TestNode, height: number): Evidence {
  const [first, second] = [1, 2].map((byte): Precommit => {
    const vote = { type: "precommit" as const, height, round: 0, id: new Uint8Array(32).fill(byte) };
    const signature = by.signer.sign(signedBytes(genesis.hash, SERVICE, vote));
    return { ...vote, node: by.id, signature };
  });
  return { type: "evidence", first: first!, second: second! };
}

test("evidence that one member passes on is sealed as a violation, once, and the audit proves it", async (t) => {
  const cluster = await createCluster(4);
  t.after(() => cluster.close());
  const [first, second, , faulty] = cluster.nodes as [TestNode, TestNode, TestNode, TestNode];
  const evidence = equivocation(cluster, faulty, 1);
  const payload = encodeMessage(evidence);
  await first.chain.onFrame(second.id, { kind: "consensus", chain: SERVICE, payload });
  await cluster.until(() => cluster.nodes.every(({ chain }) => chain.head.counter === 1), "the violation");
  const [violation] = decodeResults(first.sealed[0]!.block.results).violations;
  assert.equal(violation?.kind, "equivocation");
  assert.deepEqual(violation.kind === "equivocation" && [toHex(violation.node), violation.height], [faulty.id, 1]);

  const again = readNotice(cluster.genesis.hash, evidenceNotice(evidence));
  assert.equal((await submit(second, again, SERVICE)).type, "refused");
  const meter = await cluster.meter();
  assert.equal(await second.chain.admit(meter.next(), undefined), "admitted");
  await cluster.until(() => cluster.nodes.every(({ chain }) => chain.head.records === 1), "a record");
  assert.equal(first.chain.head.counter, 1);

  const { genesis } = cluster;
  const report = await auditChain(genesis, genesis.chains[0]!, blocksOf(first, SERVICE));
  assert.deepEqual([report.firstProblem, report.violations.equivocation], [undefined, 1]);
  assert.deepEqual(report.equivocations, [{ block: 1, node: faulty.id, height: 1, round: 0, statement: "precommit" }]);
  const exported = Buffer.concat(first.sealed.map(({ block }) => encodeBlock(block)));
  assert.equal(verifyExport(cluster.genesisBytes, exported).counter, 1);
});

test("evidence proves nothing where its statements agree, are of two votes, or are signed by somebody else", async (t) => {
  const cluster = await createCluster(4);
  t.after(() => cluster.close());
  const [first, second, , faulty] = cluster.nodes as [TestNode, TestNode, TestNode, TestNode];
  const genuine = equivocation(cluster, faulty, 1);
  const foreign = { ...genuine.second, signature: second.signer.sign(new Uint8Array(1)) };
  const stranger = { ...equivocation(cluster, faulty, 1).first, node: "0000000000000000" };
  const cases: readonly (readonly [Evidence, RegExp])[] = [
    [{ ...genuine, second: genuine.first }, /no equivocation/],
    [{ ...genuine, second: { ...genuine.second, height: 2 } }, /no equivocation/],
    [{ ...genuine, second: foreign }, /not signed by node-4/],
    [{ ...genuine, first: stranger, second: { ...genuine.second, node: stranger.node } }, /no member of the chain/],
  ];
  const governance = first.governor.current;
  const check = (evidence: Evidence, chain = SERVICE) =>
    checkEvidence(governance, chain, evidenceNotice(evidence).bytes, { verify: nodeVerify, verifyAsync: nodeVerify });
  await check(genuine);
  for (const [evidence, message] of cases) await assert.rejects(check(evidence), message);
});
