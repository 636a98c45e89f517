// Signed sums over a group: what is written is read, what is not signed is refused, and two are alike but for who has signed them.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  AGGREGATE_BYTES_MAX,
  AGGREGATE_METERS_MAX,
  AGGREGATE_SLOTS_MAX,
  AGGREGATE_SUM_MAX,
  type Aggregate,
  decodeAggregate,
  isSameAggregate,
  signAggregate,
  verifyAggregate,
} from "../../src/wire/aggregate.js";
import { keyId } from "../../src/wire/key.js";
import { generateSeed, nodeVerify, signerFromSeed } from "../../tools/crypto/signatures.js";

const genesisHash = new Uint8Array(32).fill(7);
const signers = [1, 2].map(() => signerFromSeed(generateSeed()));
const nodes = signers.map(({ key }) => keyId(key));
const keyOf = (node: Uint8Array) => signers[nodes.findIndex((id) => Buffer.from(id).equals(node))]?.key;
const sums: Aggregate = {
  ...{ node: nodes[0]!, chain: 3, request: "0011223344556677-4", from_s: 1_790_000_100, slot_s: 900 },
  slots: [
    { count: 120, sum: 4_321_000n },
    { count: 3, sum: null },
    { count: 120, sum: -12n },
  ],
};
const slot = fc
  .tuple(
    fc.integer({ min: 0, max: AGGREGATE_METERS_MAX }),
    fc.option(fc.bigInt({ min: -AGGREGATE_SUM_MAX, max: AGGREGATE_SUM_MAX })),
  )
  .map(([count, sum]) => ({ count, sum }));

test("what a custodian signs is what is read, whatever its sums", () => {
  fc.assert(
    fc.property(fc.array(slot, { maxLength: 40 }), fc.integer({ min: 1, max: 86_400 }), (slots, slot_s) => {
      const one = { ...sums, slots, slot_s, from_s: 20_000 * slot_s };
      const bytes = signAggregate(genesisHash, one, signers[0]!);
      assert.deepEqual(verifyAggregate(genesisHash, bytes, keyOf, nodeVerify), one);
    }),
  );
});

test("the longest one has room", () => {
  const slots = Array.from({ length: AGGREGATE_SLOTS_MAX }, () => ({
    count: AGGREGATE_METERS_MAX,
    sum: -AGGREGATE_SUM_MAX,
  }));
  const longest = { ...sums, request: "0011223344556677-9007199254740991", from_s: 0, slot_s: 60, slots };
  const bytes = signAggregate(genesisHash, { ...longest, request: longest.request.slice(0, 32) }, signers[0]!);
  assert.ok(bytes.length <= AGGREGATE_BYTES_MAX, `${bytes.length} bytes`);
  assert.equal(decodeAggregate(bytes).slots.length, AGGREGATE_SLOTS_MAX);
});

test("two custodians that come to the same differ in name and signature alone", () => {
  const [one, other] = signers.map((signer, index) =>
    decodeAggregate(signAggregate(genesisHash, { ...sums, node: nodes[index]! }, signer)),
  );
  assert.ok(isSameAggregate(one!, other!));
  const [first, ...rest] = sums.slots;
  assert.ok(!isSameAggregate(one!, { ...other!, slots: [{ ...first!, sum: 4_321_001n }, ...rest] }));
  assert.ok(!isSameAggregate(one!, { ...other!, request: "0011223344556677-5" }));
});

test("what its node has not signed is refused, and so is a node that is no member", () => {
  const bytes = signAggregate(genesisHash, sums, signers[0]!);
  const foreign = signAggregate(genesisHash, { ...sums, node: nodes[1]! }, signers[0]!);
  assert.throws(() => verifyAggregate(genesisHash, foreign, keyOf, nodeVerify), /not signed by its node/);
  assert.throws(() => verifyAggregate(new Uint8Array(32), bytes, keyOf, nodeVerify), /not signed by its node/);
  assert.throws(() => verifyAggregate(genesisHash, bytes, () => undefined, nodeVerify), /no member/);
});

test("sums beyond 63 bits, too many slots and a begin within a slot are refused", () => {
  const written = (changed: Partial<Aggregate>) => signAggregate(genesisHash, { ...sums, ...changed }, signers[0]!);
  assert.throws(() => decodeAggregate(written({ slots: [{ count: 1, sum: -AGGREGATE_SUM_MAX - 1n }] })), /63 bits/);
  assert.throws(() => decodeAggregate(written({ slots: [{ count: AGGREGATE_METERS_MAX + 1, sum: 1n }] })), /count/);
  const many = Array.from({ length: AGGREGATE_SLOTS_MAX + 1 }, () => ({ count: 0, sum: null }));
  assert.throws(() => decodeAggregate(written({ slots: many })), /at most 1440/);
  assert.throws(() => decodeAggregate(written({ from_s: 1 })), /no multiple/);
  assert.throws(() => decodeAggregate(written({ slot_s: 0, from_s: 0 })), /no multiple/);
});
