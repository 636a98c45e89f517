import assert from "node:assert/strict";
import { test } from "node:test";
import { keyId } from "../../../src/wire/key.js";
import { createExchange } from "../../../tools/node/chain/exchange.js";
import { memberSetOf } from "../../../tools/node/chain/members.js";
import { createPool } from "../../../tools/node/chain/pool.js";
import type { ChainPorts } from "../../../tools/node/chain/ports.js";
import { simulatedSigner } from "../../../tools/simulation/keys.js";

const nodes = ["a", "b", "c", "d", "e"].map((name) => {
  const { key } = simulatedSigner(name);
  return { id: keyId(key), key, name };
});

test("who is a member no more asks for no temporary block and passes none on: nobody would answer", () => {
  const sent: string[] = [];
  let clock_ms = 0;
  const pool = createPool(memberSetOf(nodes));
  const ports = {
    genesis: { hash: new Uint8Array(32) },
    chain: { service: 1 },
    self: nodes[4],
    store: { write: () => Promise.resolve() },
    monotonic_ms: () => (clock_ms += 10_000),
    send: (node: string) => void sent.push(node),
  } as unknown as ChainPorts;
  const returned = { mayTake: () => true, onTaking() {}, onTaken() {} };
  const exchange = createExchange(ports, pool, () => {}, returned);
  const name = { origin: nodes[0]!.id, number: 0, id: new Uint8Array(32) };
  for (const { id } of nodes.slice(0, 4)) pool.acknowledge(name, { node: id, signature: new Uint8Array(64) });
  exchange.resend();
  assert.equal(sent.length, 4, "a member asks all others for what it lacks");
  exchange.onMembers(pool.changeMembers(memberSetOf(nodes.slice(0, 4))));
  exchange.resend();
  assert.equal(sent.length, 4);
});
