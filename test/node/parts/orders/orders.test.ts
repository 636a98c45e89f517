// Orders at nodes that are members of the contracts chain and at one that is none: passed on once, to as many as it takes.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Action, issueOrder } from "../../../../src/wire/order.js";
import { nodeVerify } from "../../../../tools/crypto/signatures.js";
import { CONTRACTS_SERVICE } from "../../../../tools/ledger/governance.js";
import { payloadOf } from "../../../../tools/node/chain/frame.js";
import { createOrders, type Orders } from "../../../../tools/node/parts/orders/orders.js";
import { createCluster, SERVICE } from "../../chain/cluster.js";

const revoke = (byte: number): Action => ({ type: "revoke", meters: [new Uint8Array(8).fill(byte)] });

/** Five nodes, of which four are members of the contracts chain, and the orders of each. */
async function createOffices(t: { after(undo: () => unknown): void }) {
  const cluster = await createCluster(5, 0, 4, [SERVICE, CONTRACTS_SERVICE]);
  t.after(() => cluster.close());
  const sent: { readonly from: string; readonly to: string; readonly bytes: Uint8Array }[] = [];
  const clock = { now_ms: 0 };
  let reachable: readonly string[] = cluster.nodes.map(({ id }) => id);
  const offices = cluster.nodes.map((node) =>
    createOrders({
      self: node.id,
      genesis: cluster.genesis,
      governor: node.governor,
      chains: node.chains,
      verify: nodeVerify,
      connected: () => reachable,
      send: (to, frame) => {
        sent.push({ from: node.id, to, bytes: payloadOf(frame) });
        return true;
      },
      monotonic_ms: () => clock.now_ms,
    }),
  );
  const order = (number: number, by = cluster.authority) =>
    issueOrder({ number, time_s: 1, action: revoke(number) }, cluster.genesis, by);
  const reach = (ids: readonly string[]) => {
    reachable = ids;
  };
  return { cluster, sent, clock, order, reach, outside: offices[4] as Orders, member: offices[0] as Orders };
}

test("a node that is no member passes an order on to f + 1 members, which seal it", async (t) => {
  const { cluster, sent, order, outside, member } = await createOffices(t);
  const bytes = order(1);
  assert.deepEqual(await outside.submit(bytes), { type: "passed-on", number: 1, to: ["node-1", "node-2"] });
  assert.deepEqual(
    sent.map(({ to }) => to),
    cluster.nodes.slice(0, 2).map(({ id }) => id),
  );
  await member.onPassedOn(cluster.nodes[4]!.id, sent[0]!.bytes);
  await cluster.until(() => cluster.nodes.every(({ governor }) => governor.current.lastOrder === 1), "order 1");
  assert.equal((await outside.submit(bytes)).type, "refused");
});

/** An order that its sender may have passed on in good faith. */
const untimely = (message: RegExp) => ({ code: "untimely", message });

test("what was passed on is not passed on again, and what is no order goes nowhere", async (t) => {
  const { cluster, sent, clock, order, outside, member } = await createOffices(t);
  const from = cluster.nodes[3]!.id;
  await assert.rejects(outside.onPassedOn(from, order(1)), untimely(/no member of the chain/));
  clock.now_ms += 100;
  await assert.rejects(member.onPassedOn(from, order(2)), untimely(/order 2 does not follow order 0/));
  clock.now_ms += 100;
  const forged = order(1, cluster.nodes[0]!.signer);
  await assert.rejects(member.onPassedOn(from, forged), { code: "unproven", message: /not signed by the authority/ });
  clock.now_ms += 100;
  await assert.rejects(member.onPassedOn(from, new Uint8Array(100_000)), { code: "limit", message: /100000 bytes/ });
  assert.equal((await outside.submit(order(1, cluster.nodes[0]!.signer))).type, "malformed");
  assert.deepEqual(sent, []);
});

test("a node that floods with orders costs one verification in a while, and holds no other up", async (t) => {
  const { cluster, clock, order, member } = await createOffices(t);
  const [, , , flooding, other] = cluster.nodes.map(({ id }) => id) as [string, string, string, string, string];
  await assert.rejects(member.onPassedOn(flooding, order(7)), untimely(/does not follow/));
  for (let index = 0; index < 50; index += 1) {
    await assert.rejects(member.onPassedOn(flooding, order(7)), untimely(/too fast/));
  }
  await member.onPassedOn(other, order(1));
  clock.now_ms += 100;
  await assert.rejects(member.onPassedOn(flooding, order(7)), untimely(/does not follow/));
});

test("a node that reaches no member says which nodes to ask", async (t) => {
  const { sent, order, reach, outside } = await createOffices(t);
  reach([]);
  const answer = await outside.submit(order(1));
  assert.equal(answer.type, "unreachable");
  assert.match("reason" in answer ? answer.reason : "", /submit it to node-1, node-2, node-3, node-4$/);
  assert.deepEqual(sent, []);
});
