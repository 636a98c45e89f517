import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { verifyEd25519 } from "../../src/agent/ed25519.js";
import { createMembers } from "../../src/agent/members.js";
import { type Block, blockTree, metadataEntry } from "../../src/wire/block.js";
import { toHex } from "../../src/wire/bytes.js";
import type { MemberKey } from "../../src/wire/genesis.js";
import { encodeHandover } from "../../src/wire/handover.js";
import type { Verify } from "../../src/wire/key.js";
import { inclusionPath, leafCount } from "../../src/wire/merkle.js";
import { issueOrder } from "../../src/wire/order.js";
import { sealBlock, type TestNode, testBatch, testMeter, testNetwork, testRecords } from "../wire/network.js";
import { simulatedStores } from "./norFlash.js";

const network = testNetwork("members", 6);
const { genesis, nodes } = network;
const meter = testMeter(network, "meter");
/** who seals heights 1, 2, 3 and 4: each block hands over to one fewer, or to one more */
const sets = [nodes.slice(0, 6), nodes.slice(1, 6), nodes.slice(1, 5), nodes.slice(0, 5)];

function handover(previous: Block | undefined, members: readonly TestNode[], nextMembers: readonly TestNode[]) {
  const records = testRecords(meter, 1, 1, previous?.height ?? 0);
  const batch = testBatch(network, 1, members[1]!, previous?.height ?? 0, [], records);
  const block = sealBlock(network, 1, previous, { batches: [batch], members, nextMembers });
  const tree = blockTree(block);
  const place = { metadata: metadataEntry(block), size: leafCount(tree), path: inclusionPath(tree, 0) };
  return { block, bytes: encodeHandover({ ...block, ...place, members: nextMembers }) };
}

const items: Uint8Array[] = [];
for (let height = 1, previous: Block | undefined; height <= 3; height += 1) {
  const { block, bytes } = handover(previous, sets[height - 1]!, sets[height]!);
  items.push(bytes);
  previous = block;
}

const ids = (members: readonly MemberKey[] | undefined) => members?.map(({ id }) => toHex(id));
const expected = (height: number) => ids(sets[height - 1]);

function counting() {
  const stores = simulatedStores(0, 1);
  const checks = { signatures: 0 };
  const verify: Verify = (key, message, signature) => {
    checks.signatures += 1;
    return verifyEd25519(key, message, signature);
  };
  return { checks, stores, open: () => createMembers(genesis, [1, 7], verify, stores.keyValue) };
}

describe("members of a chain, as a meter knows them", () => {
  test("are those of the genesis until a handover proves others", () => {
    const { open } = counting();
    const members = open();
    assert.deepEqual(ids(members.at(1, 9)), expected(1));
    members.take(1, items[0]!);
    assert.deepEqual(
      [1, 2, 9].map((height) => ids(members.at(1, height))),
      [1, 2, 2].map(expected),
    );
    assert.throws(() => members.take(1, items[2]!), /not for these members/);
    assert.deepEqual(ids(members.at(1, 9)), expected(2));
  });

  test("before the newest stay known, for receipts of a lower height that come behind a handover", () => {
    const { open } = counting();
    const members = open();
    for (const [index, item] of items.entries()) {
      members.take(1, item);
      for (const height of [index + 1, index + 2]) assert.deepEqual(ids(members.at(1, height)), expected(height));
    }
  });

  test("are known again after a restart, and what leads to them costs no signature check", () => {
    const { open, checks } = counting();
    const before = open();
    for (const item of items) before.take(1, item);
    const after = open();
    const { signatures } = checks;
    assert.deepEqual(
      [1, 4, 9].map((height) => ids(after.at(1, height))),
      [1, 4, 4].map(expected),
    );
    for (const item of items) after.take(1, item);
    assert.equal(checks.signatures, signatures);
  });

  test("between the first and the newest are looked at again where a receipt lacks them", () => {
    const { open } = counting();
    const members = open();
    for (const item of items) members.take(1, item);
    members.lack(1);
    for (const [index, item] of items.slice(0, 2).entries()) {
      members.take(1, item);
      assert.deepEqual(ids(members.at(1, index + 2)), expected(index + 2));
      assert.deepEqual(ids(members.at(1, 4)), expected(4), "the newest stay");
    }
  });

  test("that are shown before those that lead to them prove nothing, until they are shown again from the first on", () => {
    const { open } = counting();
    const before = open();
    for (const item of items) before.take(1, item);
    const members = open();
    members.take(1, items[0]!); // passed over: it leads to what is known
    members.lack(1);
    assert.throws(() => members.take(1, items[1]!), /not for these members/);
    assert.deepEqual(ids(members.at(1, 4)), expected(4));
    for (const item of items) members.take(1, item);
    assert.deepEqual(
      [3, 4].map((height) => ids(members.at(1, height))),
      [3, 4].map(expected),
    );
  });

  test("of a chain that was added are those of the authority's order, and of no other order", () => {
    const { open, stores } = counting();
    const members = open();
    assert.equal(members.at(7, 1), undefined);
    const action = {
      type: "chain" as const,
      service: 7,
      name: "heat",
      members: nodes.slice(2, 6),
      target: 0,
      verifiers: 2,
    };
    const by = (signer: Parameters<typeof issueOrder>[2], given = action) =>
      issueOrder({ number: 1, time_s: 1, action: given }, genesis, signer);
    assert.throws(() => members.take(7, by(nodes[0]!.signer)), /not signed by the authority/);
    assert.throws(() => members.take(7, by(network.authority, { ...action, service: 8 })), /does not add chain 7/);
    members.take(7, by(network.authority));
    assert.deepEqual(ids(members.at(7, 3)), ids(nodes.slice(2, 6)));
    assert.deepEqual(ids(open().at(7, 3)), ids(nodes.slice(2, 6)));
    assert.ok([...stores.keys.keys()].every((key) => key.length <= 15));
  });

  test("of services that the meter has no records of take no room", () => {
    const { open, stores } = counting();
    const members = open();
    members.take(3, items[0]!);
    members.lack(3);
    assert.equal(members.at(3, 1), undefined);
    assert.equal(stores.keys.size, 0);
  });

  test("that were stored for another network, or damaged, are passed over", () => {
    const { open, stores } = counting();
    open().take(1, items[0]!);
    const other = createMembers({ ...genesis, hash: new Uint8Array(32) }, [1], verifyEd25519, stores.keyValue);
    assert.deepEqual(ids(other.at(1, 9)), expected(1));
    stores.keyValue.set("members1", Uint8Array.of(1, 2, 3));
    assert.deepEqual(ids(open().at(1, 9)), expected(1));
  });
});
