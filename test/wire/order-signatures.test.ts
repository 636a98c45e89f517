// Orders that several keys of the authority sign: so many as the genesis asks for, each once, by keys that it names, in their order.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeSign, parseSign } from "../../src/wire/cose.js";
import { issueGenesis, verifyGenesis } from "../../src/wire/genesis.js";
import { splitLineage } from "../../src/wire/lineage.js";
import { issueOrder, ORDER_BYTES_MAX, type Order, readOrder, verifyOrder } from "../../src/wire/order.js";
import { addOrderSignature, orderSignatures } from "../../src/wire/order-signatures.js";
import { nodeVerify } from "../../tools/crypto/signatures.js";
import { signerNamed, startTime_s, testNetwork } from "./network.js";
import { readGenesis } from "./stranger-genesis.js";
import { readFoundingOrder } from "./stranger-orders.js";

const keys = Array.from({ length: 5 }, (_, index) => signerNamed(`order key ${index}`));
const { genesis: plain, nodes, authority } = testNetwork("alpha");

function jointly(signatures: number, count: number) {
  const ordering = { signatures, keys: keys.slice(0, count).map(({ key }) => key) };
  const bytes = issueGenesis({ ...plain, ordering }, authority);
  return { bytes, genesis: verifyGenesis(bytes, nodeVerify), ordering };
}

const order: Order = {
  number: 1,
  time_s: startTime_s,
  action: {
    type: "chain",
    service: 7,
    name: "solar",
    members: [nodes[0]!].map(({ id, key, name }) => ({ id, key, name })),
    target: 0,
    verifiers: 1,
  },
};

/** The order with the signatures of these keys, added in this sequence. */
function signedBy(network: ReturnType<typeof jointly>, places: readonly number[]): Uint8Array {
  const [first, ...others] = places;
  const more = { ordering: network.ordering, size: ORDER_BYTES_MAX };
  return others.reduce(
    (bytes, place) => addOrderSignature(bytes, more, keys[place]!),
    issueOrder(order, network.genesis, keys[first!]!),
  );
}

test("whichever k of the n keys sign, in whatever sequence, makes one order, which the stranger takes too", () => {
  const shapes = fc.integer({ min: 1, max: 5 }).chain((count) =>
    fc.record({
      count: fc.constant(count),
      places: fc.shuffledSubarray([0, 1, 2, 3, 4].slice(0, count), { minLength: 1 }),
    }),
  );
  fc.assert(
    fc.property(shapes, ({ count, places }) => {
      const network = jointly(places.length, count);
      const bytes = signedBy(network, places);
      assert.deepEqual(verifyOrder(bytes, network.genesis, nodeVerify), order);
      assert.deepEqual(bytes, signedBy(network, [...places].sort()));
      assert.equal(readFoundingOrder(readGenesis(network.bytes), bytes).service, 7);
      assert.deepEqual(splitLineage(bytes), [bytes]);
    }),
    { numRuns: 30 },
  );
});

test("one signature too few is an order that waits, and no node's nor the stranger's", () => {
  const network = jointly(3, 5);
  const bytes = signedBy(network, [4, 2]);
  assert.deepEqual(orderSignatures(bytes, network.genesis, nodeVerify), { signed: 2, needed: 3 });
  assert.deepEqual(readOrder(bytes, network.genesis), order);
  assert.throws(() => verifyOrder(bytes, network.genesis, nodeVerify), /order has 2 of 3 signatures of the authority/);
  assert.throws(() => readFoundingOrder(readGenesis(network.bytes), bytes));
});

test("refuses a second signature of one key, one too many, and one of a key that does not order", () => {
  const network = jointly(2, 3);
  const more = { ordering: network.ordering, size: ORDER_BYTES_MAX };
  const one = signedBy(network, [1]);
  assert.throws(() => addOrderSignature(one, more, keys[1]!), /signed by this key already/);
  assert.throws(() => addOrderSignature(one, more, keys[4]!), /none that orders/);
  assert.throws(() => issueOrder(order, network.genesis, keys[4]!), /none that orders/);
  assert.throws(() => addOrderSignature(signedBy(network, [0, 1]), more, keys[2]!), /its signatures already/);
});

test("refuses signatures that are doubled, out of order, changed, or of the authority's key alone", () => {
  const network = jointly(2, 3);
  const good = signedBy(network, [0, 1]);
  const { payload, signatures } = parseSign(good, ORDER_BYTES_MAX);
  const [first, second] = signatures as [(typeof signatures)[0], (typeof signatures)[0]];
  const stranger = readGenesis(network.bytes);
  const bad = (bytes: Uint8Array, message: RegExp) => {
    assert.throws(() => verifyOrder(bytes, network.genesis, nodeVerify), message);
    assert.throws(() => readFoundingOrder(stranger, bytes));
  };
  bad(encodeSign(payload, [first, first]), /in their order/);
  bad(encodeSign(payload, [second, first]), /in their order/);
  bad(encodeSign(payload, [first, { ...second, signature: first.signature }]), /not good/);
  bad(encodeSign(payload, []), /0 of 2/);
  const three = signedBy(jointly(3, 3), [0, 1, 2]);
  bad(three, /another network/);
  bad(issueOrder(order, { hash: network.genesis.hash }, authority), /tag 98/);
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), (place, change) => {
      const bytes = Uint8Array.from(good);
      bytes[place]! ^= change;
      assert.throws(() => verifyOrder(bytes, network.genesis, nodeVerify), { name: "WireError" });
    }),
  );
});

test("an order of several signatures is none of a network where one key orders", () => {
  const network = jointly(1, 1);
  const bytes = signedBy(network, [0]);
  assert.throws(() => verifyOrder(bytes, { ...network.genesis, ordering: undefined! }, nodeVerify), /tag 18/);
});

test("refuses a genesis that asks for no signature, for more than it has keys, for too many keys, or names one twice", () => {
  const found = (signatures: number, named: readonly number[]) =>
    issueGenesis(
      { ...plain, ordering: { signatures, keys: named.map((place) => signerNamed(`order key ${place}`).key) } },
      authority,
    );
  found(
    16,
    Array.from({ length: 16 }, (_, place) => place),
  );
  assert.throws(() => found(0, [0]), /without a signature/);
  assert.throws(() => found(3, [0, 1]), /ordering signatures/);
  assert.throws(() => found(1, []), /signature/);
  assert.throws(() => found(1, [0, 0]), /names a key that orders twice/);
  assert.throws(
    () =>
      found(
        1,
        Array.from({ length: 17 }, (_, place) => place),
      ),
    /at most 16/,
  );
});

test("a node's location is a code of ISO 3166, in the genesis and in orders", () => {
  const at = (location: string) =>
    issueGenesis({ ...plain, nodes: plain.nodes.map((node) => ({ ...node, location })) }, authority);
  assert.equal(verifyGenesis(at("AT-9"), nodeVerify).nodes[0]!.location, "AT-9");
  assert.equal(readGenesis(at("DE")).nodes.length, 4);
  for (const location of ["", "de", "Germany", "DE-", "DE-ABCD"]) assert.throws(() => at(location), /location/);
});
