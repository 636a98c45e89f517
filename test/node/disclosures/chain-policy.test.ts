// Which members may keep shares and which roles read a chain, by the parameters of the contract `access`.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { ContractInForce } from "../../../tools/ledger/contract-orders.js";
import { custodiansOf, readersOf } from "../../../tools/node/disclosures/chain-policy.js";

const members = ["aa00000000000001", "aa00000000000002", "aa00000000000003"];
const contract = (name: string, ...orders: readonly Readonly<Record<string, string | number>>[]) =>
  ({
    install: { name },
    parameters: orders.map((each) => ({ parameters: new Map(Object.entries(each)) })),
  }) as unknown as ContractInForce;

test("all members keep shares where no policy says where nodes stand", () => {
  assert.deepEqual(custodiansOf(members, []), members);
  assert.deepEqual(custodiansOf(members, [contract("access", { "rule-9-7": "consent 31 *" })]), members);
  assert.deepEqual(custodiansOf(members, [contract("other", { "nodes-AT": members[0]! })]), members);
});

test("a policy that names nodes lets these alone keep shares, whichever order names them", () => {
  const policy = contract(
    "access",
    { "nodes-AT": `${members[2]},${members[0]}`, "nodes-DE": 7 },
    { "nodes-DE-BY": "x" },
  );
  assert.deepEqual(custodiansOf(members, [policy]), [members[0], members[2]]);
});

test("a policy names the roles that read the chain, and others do not", () => {
  assert.equal(readersOf([]), undefined);
  assert.equal(readersOf([contract("other", { readers: "9" })]), undefined);
  assert.deepEqual(readersOf([contract("access", { readers: "10,9" })]), ["researcher", "regulator"]);
  assert.deepEqual(readersOf([contract("access", { readers: "99" })]), [], "what is no role reads nothing");
});
