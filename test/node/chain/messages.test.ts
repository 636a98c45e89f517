// Messages and deadlines on chains of several nodes: carried by whoever has both, taken once and in order over kills and restarts, and
// refused by members where they are not proved.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { decodeBlock } from "../../../src/wire/block.js";
import { type InstallAction, sourceHash } from "../../../src/wire/contract-order.js";
import { issueCredential, issuerName } from "../../../src/wire/credential.js";
import { keyId } from "../../../src/wire/key.js";
import { encodeDue, type Notice } from "../../../src/wire/notice.js";
import { parseOperation, signOperation } from "../../../src/wire/operation.js";
import { type EntryOutcome, outcomesIn } from "../../../src/wire/outcome.js";
import type { Value } from "../../../src/wire/value.js";
import { generateSeed, nodeVerify, signerFromSeed } from "../../../tools/crypto/signatures.js";
import { newestEngine } from "../../../tools/ledger/engines.js";
import { readNotice } from "../../../tools/ledger/notices.js";
import { nextDue } from "../../../tools/ledger/reserved-keys.js";
import { stateOf } from "../../../tools/node/chain/stored-state.js";
import { blocks } from "../../../tools/node/chain/tables/blocks.js";
import { credentials } from "../../../tools/node/chain/tables/credentials.js";
import { outgoing } from "../../../tools/node/chain/tables/outgoing.js";
import { carriedFrom } from "../../../tools/node/parts/messages/carried.js";
import { type Carrier, createCarrier } from "../../../tools/node/parts/messages/carrier.js";
import { blockKey, idKey, outgoingRange } from "../../../tools/node/store/keys.js";
import { carriedMessage, type ToldMessage } from "../../wire/carried.js";
import { createCluster, type TestCluster, type TestNode } from "./cluster.js";

const [FIRST, SECOND] = [1, 3] as const;

/** Says each number on, until twelve. */
const source = `
export const reads = [];
export const writes = ["last", "due/"];
function say(context, number) {
  context.put("last", number);
  if (number < 12) context.message(context.parameters.to, "count", number + 1);
}
export function operation(context, { body }) {
  if (body === null) say(context, 0);
  else context.put("due/" + body.key, [context.time_s + body.after_s, body.key]);
}
export function message(context, { body }) { say(context, body); }
export function due(context, { body }) { context.effect("due", body); }
`;

const install = (service: number): InstallAction => ({
  ...({ type: "install", service, name: "counts", version: 1, source: sourceHash(source), ...newestEngine } as const),
  ...{
    budget: 200,
    pages: 64,
    output: 10_000,
    types: service === FIRST ? [1] : [],
    vectors: new Uint8Array(32),
    ready: [],
    fromHeight: 1,
  },
  messages: [{ service: 0, name: "count" }],
});

/** Four nodes with two chains, each of which tells the other. */
async function twoChains(
  t: TestContext,
): Promise<{ cluster: TestCluster; look: () => void; waiting: Map<string, number[]> }> {
  const cluster = await createCluster(4, 0, 4, [FIRST, SECOND]);
  t.after(() => cluster.close());
  for (const [service, to] of [
    [FIRST, SECOND],
    [SECOND, FIRST],
  ] as const) {
    await cluster.order(install(service), source);
    const parameters = new Map([["to", to]]);
    const set = { type: "parameters", service, contract: "counts", jurisdiction: undefined, parameters } as const;
    await cluster.order({ ...set, fromHeight: 1 });
  }
  const carriers = new Map<TestNode["store"], Carrier>();
  const waiting = new Map<string, number[]>();
  const carrierOf = (node: TestNode): Carrier => {
    const known = carriers.get(node.store);
    if (known !== undefined) return known;
    const made = createCarrier({
      ...{ self: node.id, genesisHash: cluster.genesis.hash, governor: node.governor, chains: node.chains },
      ...{ store: node.store, verify: nodeVerify, connected: () => [], send: () => false },
      now_ms: Date.now,
      monotonic_ms: () => performance.now(),
      onWaiting(from, to, count) {
        const lane = `${from}/${to}`;
        waiting.set(lane, [...(waiting.get(lane) ?? []), count]);
      },
      onFatal: (error) => assert.fail(String(error)),
    });
    carriers.set(node.store, made);
    return made;
  };
  const look = () => {
    for (const node of cluster.nodes) if (node.up) carrierOf(node).look();
  };
  return { cluster, look, waiting };
}

function outcomesOf(node: TestNode, service: number): EntryOutcome[] {
  const { height } = node.chains.get(service)!.head;
  return Array.from({ length: height }, (_, index) =>
    outcomesIn(decodeBlock(node.store.get(blocks, blockKey(service, index + 1))!).results),
  ).flat();
}

const noticeOf = (cluster: TestCluster, notice: Notice) => readNotice(cluster.genesis.hash, notice);
const toldTo = (cluster: TestCluster, signers: readonly TestNode[], told: Partial<ToldMessage>) => {
  const by = signers.map(({ signer }) => signer);
  const bytes = carriedMessage(cluster.genesis, by, { from: SECOND, to: FIRST, number: 0, name: "count", ...told });
  return noticeOf(cluster, { kind: "message", bytes });
};

/** A participant whose operations any node of the cluster takes. */
async function participantOf(cluster: TestCluster) {
  const signer = signerFromSeed(generateSeed());
  const kid = keyId(signer.key);
  const issuer = issuerName({ network: "test", authority: cluster.authority.key });
  const credential = issueCredential(
    {
      ...{ issuer, subject: "customer", notBefore_s: 0, expires_s: 4_000_000_000, id: kid, key: signer.key },
      ...{ statusIndex: 0, services: [FIRST], roles: ["customer"] },
    },
    cluster.authority,
  );
  for (const { store } of cluster.nodes)
    await store.write((writer) => writer.put(credentials, idKey(0, kid), credential));
  let seq = 0;
  let previous: Uint8Array = new Uint8Array(0);
  return async (node: TestNode, body: Value) => {
    const claims = { service: FIRST, serviceId: 1, seq, previous, time_s: 1_700_000_000, quality: 2, type: 1, body };
    const operation = parseOperation(signOperation(claims, [], signer, kid));
    seq += 1;
    previous = operation.hash;
    assert.equal(await node.chain.admit(operation, undefined), "admitted");
    await cluster.until(() => node.chain.head.records === seq, `operation ${seq}`);
  };
}

test("two chains count against each other, each message once and in order, while nodes are killed and come back", async (t) => {
  const { cluster, look, waiting } = await twoChains(t);
  const [first, second] = cluster.nodes as [TestNode, TestNode];
  const ask = await participantOf(cluster);
  await ask(first, null);
  // By blocks up to the head: the store is ahead of it while a block is being taken over.
  const taken = () =>
    [FIRST, SECOND].flatMap((service) => outcomesOf(second, service)).filter(({ entry }) => entry.kind === "message")
      .length;
  const whenTaken = (count: number) =>
    cluster.until(() => {
      look();
      return taken() >= count;
    }, `${count} messages`);
  await whenTaken(3);
  await cluster.kill(3);
  await whenTaken(6);
  await cluster.kill(0);
  await cluster.restart(3);
  await whenTaken(9);
  await cluster.restart(0);
  await whenTaken(12);
  const areEqual = (service: number) =>
    cluster.nodes.every(({ chains }) => chains.get(service)!.head.height === second.chains.get(service)!.head.height);
  await cluster.until(() => areEqual(FIRST) && areEqual(SECOND), "catch-up");
  for (const node of cluster.nodes) {
    for (const [service, from] of [
      [FIRST, SECOND],
      [SECOND, FIRST],
    ] as const) {
      const told = outcomesOf(node, service).filter(({ entry }) => entry.kind === "message");
      assert.deepEqual(
        told.map(({ entry, type }) => [entry, type]),
        [0, 1, 2, 3, 4, 5].map((number) => [{ kind: "message", service: from, number }, "done"]),
      );
      const chain = node.chains.get(service)!;
      assert.deepEqual(chain.head.headerHash, second.chains.get(service)!.head.headerHash);
      assert.deepEqual(node.opposed, []);
    }
  }
  await cluster.until(() => {
    look();
    return second.store.range(outgoing, outgoingRange(FIRST, SECOND)).length === 0;
  }, "what is taken is let go of");
  assert.equal(
    carriedFrom(second.store, second.governor.current, { source: FIRST, target: SECOND, number: 0 }),
    undefined,
  );
  for (const [lane, counts] of waiting) {
    assert.deepEqual(
      [Math.max(...counts), counts.at(-1)],
      [1, 0],
      `${lane}: one message waits at a time, and none now`,
    );
  }
  assert.deepEqual([...waiting.keys()].sort(), [`${FIRST}/${SECOND}`, `${SECOND}/${FIRST}`].sort());
});

test("deadlines fall due by themselves, in their order and each once, also where the node that began is killed", async (t) => {
  const { cluster, look } = await twoChains(t);
  const [first, second] = cluster.nodes as [TestNode, TestNode];
  const ask = await participantOf(cluster);
  await ask(first, { key: "late", after_s: 3 });
  await ask(first, { key: "early", after_s: 1 });
  await ask(first, { key: "soon", after_s: 2 });
  const due = () => outcomesOf(second, FIRST).filter(({ entry }) => entry.kind === "due");
  await cluster.kill(0);
  await cluster.until(() => {
    look();
    return due().length >= 3;
  }, "three deadlines");
  const passed = due().flatMap(({ entry }) => (entry.kind === "due" ? [entry] : []));
  assert.deepEqual(passed.map(({ key }) => key).toSorted(), ["early", "late", "soon"]);
  const times = passed.map(({ time_s }) => time_s);
  assert.deepEqual(times, times.toSorted());
  for (let height = 1; height <= second.chain.head.height; height += 1) {
    const block = decodeBlock(second.store.get(blocks, blockKey(FIRST, height))!);
    for (const { entry } of outcomesIn(block.results)) {
      if (entry.kind === "due") assert.ok(block.time_ms >= entry.time_s * 1_000, "none before its time");
    }
  }
  assert.deepEqual(nextDue(stateOf(second.store, FIRST)), undefined);
});

test("what is not due yet begins no block, whoever says that it is", async (t) => {
  const { cluster } = await twoChains(t);
  const [first] = cluster.nodes as [TestNode];
  const ask = await participantOf(cluster);
  await ask(first, { key: "later", after_s: 1_000 });
  const { height } = first.chain.head;
  const time_s = nextDue(stateOf(first.store, FIRST))!;
  for (const said of [time_s, time_s - 1_000, 0]) {
    first.chain.offer("due", [noticeOf(cluster, { kind: "due", bytes: encodeDue(said) })]);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.equal(first.chain.head.height, height);
});

test("a message that is not proved finds no quorum that acknowledges it, and the chain goes on", async (t) => {
  const { cluster } = await twoChains(t);
  const [liar, honest] = cluster.nodes as [TestNode, TestNode];
  liar.chain.offer("test", [toldTo(cluster, cluster.nodes.slice(0, 2), { body: 12 })]);
  await new Promise((resolve) => setTimeout(resolve, 400));
  assert.equal(honest.chain.head.height, 0, "two of four are no quorum");
  honest.chain.offer("test", [toldTo(cluster, cluster.nodes.slice(1), { body: 12 })]);
  await cluster.until(() => cluster.nodes.every(({ chain }) => chain.head.height === 1), "one that is proved");
  honest.chain.offer("test", [toldTo(cluster, cluster.nodes.slice(1), { body: 7 })]);
  honest.chain.offer("test", [toldTo(cluster, cluster.nodes.slice(1), { body: 7, number: 5 })]);
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal(outcomesOf(honest, FIRST).length, 1, "neither twice nor ahead");
});
