// What an authority knows of the chains that it has added: credentials and node folders that are made after an order have them.

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Action } from "../../src/wire/order.js";
import { issuedChains, issuedGovernance } from "../../tools/authority/issued-orders.js";
import { nextOrder, writeOrder } from "../../tools/authority/orders.js";
import { readGenesisFile } from "../../tools/files/genesis-file.js";
import { readKeyFile } from "../../tools/files/key-file.js";
import { type Governance, initialGovernance } from "../../tools/ledger/governance.js";
import { createNetwork } from "../../tools/provisioning/network.js";
import { createNodeFolder } from "../../tools/provisioning/node-folder.js";
import { provisionMeter } from "../../tools/provisioning/provision.js";

const now = new Date("2026-09-21T00:00:00Z");

async function networkIn(t: TestContext, chains: readonly number[] = [1, 5]) {
  const folder = await mkdtemp(join(tmpdir(), "gridseal-orders-"));
  t.after(() => rm(folder, { recursive: true }));
  const network = join(folder, "grid");
  const plan = {
    network: "street",
    nodes: 2,
    chains: chains.map((service) => ({ service, name: `service-${service}`, nodes: [1, 2] })),
    meters: 0,
    host: "127.0.0.1",
    basePort: 9000,
    target: 0,
  };
  await createNetwork(network, plan, now);
  const { genesis } = await readGenesisFile(join(network, "genesis.cbor"));
  const authority = join(network, "authority");
  const own = await readKeyFile(join(authority, "key.json"));
  const sign = (action: Action, governance: Governance, out: string, number?: number) =>
    writeOrder(
      { folder: authority, own },
      governance,
      nextOrder(governance, action, { number, now }),
      join(folder, out),
    );
  const order = (service: number, name: string, out: string, number?: number) =>
    sign(
      { type: "chain", service, name, members: genesis.nodes, target: 0, verifiers: 1 },
      initialGovernance(genesis),
      out,
      number,
    );
  const issue = (
    id: string,
    more: { readonly services?: readonly number[]; readonly known?: readonly number[] } = {},
  ) => provisionMeter({ network, id, days: 10, force: false, ...more }, now);
  return { network, authority, genesis, order, sign, issue };
}

test("a credential is issued for a chain that an order of this authority has added, by name and by default", async (t) => {
  const { order, issue } = await networkIn(t);
  await order(7, "solar", "solar.order");
  assert.deepEqual((await issue("roof", { services: [7] })).row.services, [7]);
  assert.deepEqual((await issue("house")).row.services, [1, 5, 7]);
});

test("a service that no order here has added is refused, with the way to name a node, and taken where a node has it", async (t) => {
  const { issue } = await networkIn(t);
  await assert.rejects(issue("roof", { services: [7] }), (error: Error & { code?: string }) => {
    assert.equal(error.code, "NOT_FOUND");
    assert.match(error.message, /has no service 7: it has 1, 5; .* --api or --data/);
    return true;
  });
  assert.deepEqual((await issue("roof", { services: [7], known: [1, 5, 7] })).row.services, [7]);
  await assert.rejects(issue("barn", { services: [8], known: [1, 5, 7] }), /has no service 8: it has 1, 5, 7$/);
});

test("a node's folder that is made after an order follows the added chain too", async (t) => {
  const { network, order } = await networkIn(t);
  await order(7, "solar", "solar.order");
  const ports = { peers: 9003, mqtt: 9103, api: 9203 };
  const { path } = await createNodeFolder({ network, name: "node-3", host: "127.0.0.1", ports }, now);
  const { follow } = JSON.parse(await readFile(join(path, "node.json"), "utf8")) as { readonly follow: unknown };
  assert.deepEqual(follow, [1, 5, 7]);
});

test("an order that is signed anew under its number takes the place of the one before, and a damaged one is refused", async (t) => {
  const { network, genesis, order } = await networkIn(t);
  await order(7, "solar", "first.order");
  await order(8, "wind", "second.order", 1);
  const chains = await issuedChains(join(network, "authority"), genesis);
  assert.deepEqual(
    chains.map(({ service, name }) => [service, name]),
    [
      [1, "service-1"],
      [5, "service-5"],
      [8, "wind"],
    ],
  );
  const path = join(network, "authority/orders/1.cose");
  await writeFile(path, (await readFile(path)).fill(0, 20, 22));
  await assert.rejects(issuedChains(join(network, "authority"), genesis), { code: "ORDER_REFUSED" });
});

test("what this authority has ordered is enough to order upon it: a meter that was suspended here is resumed without a node", async (t) => {
  const { authority, genesis, sign } = await networkIn(t);
  const meters = [new Uint8Array(8).fill(7)];
  await sign({ type: "suspend", meters }, initialGovernance(genesis), "suspend.order");
  const governance = await issuedGovernance(authority, genesis);
  assert.equal(governance.lastOrder, 1);
  await sign({ type: "resume", meters }, governance, "resume.order");
  const resumed = await issuedGovernance(authority, genesis);
  assert.equal(resumed.lastOrder, 2);
  assert.throws(() => nextOrder(resumed, { type: "resume", meters }, { number: undefined, now }), /is not suspended/);
  // The number says that the second was never sealed: it is made anew upon the first.
  assert.equal((await issuedGovernance(authority, genesis, 2)).lastOrder, 1);
});
