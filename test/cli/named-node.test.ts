import assert from "node:assert/strict";
import { test } from "node:test";
import { namedNode, namedNodeId } from "../../tools/cli/authority/order/named-node.js";
import { createSealer } from "../../tools/firmware/sealer.js";
import { initialGovernance } from "../../tools/ledger/governance.js";

const { genesis } = createSealer("named");
const governance = initialGovernance(genesis);
const [first, second] = genesis.nodes;
const hexOf = (id: Uint8Array): string => Buffer.from(id).toString("hex");

test("a node is known by its name and by its id", () => {
  for (const node of [first!, second!]) {
    assert.equal(namedNode(governance, node.name), node);
    assert.equal(namedNode(governance, hexOf(node.id)), node);
    assert.deepEqual(namedNodeId(governance, node.name), node.id);
  }
});

test("an id is taken of whichever node where no member is wanted, and a name of none is refused with those there are", () => {
  assert.deepEqual(hexOf(namedNodeId(governance, "00112233aabbccdd")), "00112233aabbccdd");
  const known = new RegExp(`^no-such-node is no name or key id of a node of the network, which has .*${first!.name} `);
  assert.throws(() => namedNodeId(governance, "no-such-node"), { code: "NOT_FOUND", message: known });
  assert.throws(() => namedNode(governance, "00112233aabbccdd"), { code: "NOT_FOUND" });
});

test("a name that several nodes have names none of them", () => {
  const nodes = new Map(genesis.nodes.map((node) => [hexOf(node.id), { ...node, name: "twin" }]));
  const message = /^twin is the name of \d nodes, say which by its id: twin [0-9a-f]{16}, twin /;
  assert.throws(() => namedNode({ ...governance, nodes }, "twin"), { code: "NOT_FOUND", message });
});
