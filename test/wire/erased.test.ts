import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { equalBytes } from "../../src/wire/bytes.js";
import { type Erased, signErased, verifyErased } from "../../src/wire/erased.js";
import { keyId } from "../../src/wire/key.js";
import { generateSeed, nodeVerify, signerFromSeed } from "../../tools/crypto/signatures.js";

const genesisHash = new Uint8Array(32).fill(7);
const signer = signerFromSeed(generateSeed());
const node = keyId(signer.key);
const keyOf = (id: Uint8Array) => (equalBytes(id, node) ? signer.key : undefined);
const statements = fc
  .record({
    chain: fc.integer({ min: 1, max: 65_535 }),
    meter: fc.uint8Array({ minLength: 8, maxLength: 8 }),
    from: fc.nat(50_000),
    days: fc.integer({ min: 1, max: 50_000 }),
    erasure: fc.constantFrom("cc00000000000001-4", "cc00000000000001-4294967294"),
    envelopes: fc.nat(),
    disclosures: fc.nat(),
    time_s: fc.nat(),
  })
  .map(({ days, ...rest }): Erased => ({ node, ...rest, until: rest.from + days }));

test("a node's statement of an erasure is read as it was signed, in its network alone", () => {
  fc.assert(
    fc.property(statements, (erased) => {
      const bytes = signErased(genesisHash, erased, signer);
      assert.deepEqual(verifyErased(genesisHash, bytes, keyOf, nodeVerify), erased);
      assert.throws(() => verifyErased(new Uint8Array(32), bytes, keyOf, nodeVerify), /not signed by its node/);
      assert.throws(() => verifyErased(genesisHash, bytes, () => undefined, nodeVerify), /of no node/);
    }),
    { numRuns: 25 },
  );
});

test("no bit of such a statement can be changed", () => {
  const [erased] = fc.sample(statements, 1) as [Erased];
  const bytes = signErased(genesisHash, erased, signer);
  for (let bit = 0; bit < 8 * bytes.length; bit += 5) {
    const changed = Uint8Array.from(bytes);
    changed[bit >> 3]! ^= 1 << (bit & 7);
    assert.throws(() => verifyErased(genesisHash, changed, keyOf, nodeVerify), `bit ${bit}`);
  }
});

test("an erasure is of a chain and of one day at least", () => {
  const [erased] = fc.sample(statements, 1) as [Erased];
  const bytes = signErased(genesisHash, { ...erased, chain: 0 }, signer);
  assert.throws(() => verifyErased(genesisHash, bytes, keyOf, nodeVerify), /erasure's chain/);
  const empty = signErased(genesisHash, { ...erased, until: erased.from }, signer);
  assert.throws(() => verifyErased(genesisHash, empty, keyOf, nodeVerify), /not behind its first/);
});
