// A chain is named by name or number, and a height also by how far it is above the newest block.

import assert from "node:assert/strict";
import { test } from "node:test";
import { heightOn, heightOption, namedService } from "../../tools/cli/authority/order/named-chain.js";
import type { Governance } from "../../tools/ledger/governance.js";

const chains = [
  { service: 1, name: "trading" },
  { service: 7, name: "solar" },
].map((chain) => ({ chain, orders: [] }));
const governance = { chains } as unknown as Governance;

test("a chain is known by its name and by its number, and no other", () => {
  assert.deepEqual([namedService(governance, "solar"), namedService(governance, "1")], [7, 1]);
  assert.throws(() => namedService(governance, "heat"), /no chain heat is known here, but trading \(1\), solar \(7\)/);
});

test("a height is a number or so many blocks above the newest, which only a node knows", async () => {
  assert.deepEqual([heightOption("1200"), heightOption("+50")], [{ height: 1_200 }, { above: 50 }]);
  for (const text of ["1", "0", "+0", "-1", "+", "50+", "1e3"]) {
    assert.throws(() => heightOption(text), /must be a height/, text);
  }
  assert.equal(await heightOn(1, { height: 1_200 }, { network: "grid" }), 1_200);
  await assert.rejects(heightOn(1, { above: 50 }, { network: "grid" }), /name a node by --api or --data/);
});
