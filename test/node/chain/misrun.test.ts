// A member that proposes blocks whose contracts came to something else: all others vote against each, say why, and the chain goes on.

import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "../../../src/wire/bytes.js";
import { type InstallAction, sourceHash } from "../../../src/wire/contract-order.js";
import { issueCredential, issuerName } from "../../../src/wire/credential.js";
import { keyId } from "../../../src/wire/key.js";
import { parseOperation, signOperation } from "../../../src/wire/operation.js";
import { outcomesIn } from "../../../src/wire/outcome.js";
import { decodeValue } from "../../../src/wire/value.js";
import { generateSeed, signerFromSeed } from "../../../tools/crypto/signatures.js";
import { newestEngine } from "../../../tools/ledger/engines.js";
import type { Done, Outcome } from "../../../tools/ledger/outcome.js";
import { credentials } from "../../../tools/node/chain/tables/credentials.js";
import { idKey } from "../../../tools/node/store/keys.js";
import { createCluster, SERVICE, type TestCluster } from "./cluster.js";

const source = `
export const reads = [];
export const writes = ["seen/"];
export function operation(context, { participant, seq }) {
  context.put("seen/" + participant, seq);
  context.effect("first", seq);
  context.effect("second", seq);
  context.violation("late", participant, seq);
}
`;

const install: InstallAction = {
  ...{ type: "install", service: SERVICE, name: "seen", version: 1, source: sourceHash(source) },
  ...newestEngine,
  ...{
    budget: 200,
    pages: 64,
    output: 10_000,
    types: [1],
    messages: [],
    vectors: new Uint8Array(32),
    ready: [],
    fromHeight: 1,
  },
};

const lies: Readonly<Record<string, (honest: Done) => Outcome>> = {
  "a failure": ({ used }) => ({ type: "failed", reason: "threw", used, detail: "" }),
  "another use of the budget": (honest) => ({ ...honest, used: honest.used + 1 }),
  "another value": (honest) => ({ ...honest, writes: honest.writes.map(([key]) => [key, Uint8Array.of(24, 99)]) }),
  "no value": (honest) => ({ ...honest, writes: [] }),
  "effects in another order": (honest) => ({ ...honest, emissions: honest.emissions.toReversed() }),
  "an effect more": (honest) => ({ ...honest, emissions: [...honest.emissions, honest.emissions[0]!] }),
  "a violation less": (honest) => ({
    ...honest,
    emissions: honest.emissions.filter(({ type }) => type !== "violation"),
  }),
};

async function participantOf(cluster: TestCluster) {
  const signer = signerFromSeed(generateSeed());
  const kid = keyId(signer.key);
  const credential = issueCredential(
    {
      ...{ issuer: issuerName({ network: "test", authority: cluster.authority.key }), subject: "customer" },
      ...{ notBefore_s: 0, expires_s: 4_000_000_000, id: kid, key: signer.key, statusIndex: 0 },
      ...{ services: [SERVICE], roles: ["customer"] },
    },
    cluster.authority,
  );
  for (const { store } of cluster.nodes) {
    await store.write((writer) => writer.put(credentials, idKey(0, kid), credential));
  }
  let previous: Uint8Array = new Uint8Array(0);
  return (seq: number) => {
    const claims = { service: SERVICE, serviceId: 1, seq, previous, time_s: 1_700_000_000, quality: 2 };
    const operation = parseOperation(signOperation({ ...claims, type: 1, body: null }, [], signer, kid));
    previous = operation.hash;
    return operation;
  };
}

test("a proposer whose contracts came to something else is voted down with a reason, and the chain goes on", {
  timeout: 120_000,
}, async (t) => {
  const cluster = await createCluster(4);
  t.after(() => cluster.close());
  await cluster.order(install, source);
  const next = await participantOf(cluster);
  const seal = async (seq: number) => {
    assert.equal(await cluster.nodes[0]!.chain.admit(next(seq), undefined), "admitted");
    const isSealed = () => cluster.nodes.every(({ chain }) => chain.head.records === seq + 1);
    await cluster.until(isSealed, `operation ${seq} sealed`);
  };
  await seal(0); // the engine starts, which takes longer than a round
  for (const [place, [name, lie]] of Object.entries(lies).entries()) {
    const seq = place + 1;
    await t.test(`with ${name}`, async () => {
      // The first to run a height's contracts is its proposer: the others have nothing to run before.
      let liar: number | undefined;
      cluster.runContracts = async (node, run) => {
        const outcomes = await run();
        if (liar !== undefined) return outcomes;
        liar = node;
        return outcomes.map((outcome) => lie(outcome as Done));
      };
      const before = cluster.nodes.map(({ opposed }) => opposed.length);
      await seal(seq);
      const honest = cluster.nodes.filter((_, index) => index !== liar);
      const reasons = honest.map((node) => node.opposed.slice(before[cluster.nodes.indexOf(node)]));
      // Without two of the three no quorum takes it. Who is slow may learn of the next round first.
      assert.ok(reasons.filter(({ length }) => length > 0).length >= 2, "too few voted against it");
      assert.deepEqual([...new Set(reasons.flat())], ["its Merkle root is not that of what it names"]);
      const [head, ...others] = cluster.nodes.map(({ chain }) => toHex(chain.head.headerHash));
      assert.deepEqual(others, [head, head, head]);
      const [outcome] = outcomesIn(honest[0]!.sealed.at(-1)!.block.results);
      assert.ok(outcome?.type === "done", "what is sealed is what it came to");
      assert.deepEqual(
        outcome.effects.map(({ name: effect, body }) => [effect, decodeValue(body)]),
        [
          ["first", seq],
          ["second", seq],
        ],
      );
    });
  }
  assert.equal(cluster.nodes[0]!.chain.head.counter, Object.keys(lies).length + 1);
});

test("a node whose engine counts otherwise than the others' stands still and says why; the others go on, and it follows once it is mended", {
  timeout: 120_000,
}, async (t) => {
  const cluster = await createCluster(4);
  t.after(() => cluster.close());
  await cluster.order(install, source);
  const next = await participantOf(cluster);
  const others = cluster.nodes.slice(0, 3);
  const altered = cluster.nodes[3]!;
  const said: string[] = [];
  cluster.onDisagreement = (node, { code, message }) => said.push(`${node} ${code} ${message}`);
  cluster.runContracts = async (node, run) => {
    const results = await run();
    return node === 3 ? results.map((result) => ({ ...(result as Done), used: (result as Done).used + 1 })) : results;
  };
  for (let seq = 0; seq < 3; seq += 1) {
    assert.equal(await cluster.nodes[0]!.chain.admit(next(seq), undefined), "admitted");
    await cluster.until(() => others.every(({ chain }) => chain.head.records === seq + 1), `operation ${seq} sealed`);
  }
  await cluster.until(() => said.length > 0, "it says that it cannot go on");
  assert.equal(altered.chain.head.records, 0, "it stores nothing that it does not come to");
  assert.equal(said.length, 1, said.join("\n"));
  assert.match(
    said[0]!,
    /^3 ENGINE_DIFFERS chain \d+: block 1 .*is sealed by a quorum and comes to something else here: /,
  );
  assert.match(altered.chain.standing.disagreement!, /^block 1 /);
  cluster.runContracts = (_node, run) => run();
  await cluster.kill(3);
  await cluster.restart(3);
  await cluster.until(() => cluster.nodes[3]!.chain.head.records === 3, "it has fetched what it missed");
});
