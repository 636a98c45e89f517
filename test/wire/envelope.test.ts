import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compareBytes, toHex } from "../../src/wire/bytes.js";
import { encodeCbor } from "../../src/wire/cbor.js";
import {
  DAY_MAX,
  type Envelope,
  isShareOf,
  isSignedBy,
  openingThreshold,
  parseEnvelope,
  shareCommitment,
  signCustodyKey,
  signEnvelope,
  verifyCustodyKey,
} from "../../src/wire/envelope.js";
import { keyId } from "../../src/wire/key.js";
import {
  CIPHERTEXT_BYTES_MAX,
  decodeSealed,
  decodeSealedList,
  encodeSealed,
  encodeSealedList,
  type SealedDisclosures,
} from "../../src/wire/sealed-disclosure.js";
import { generateSeed, nodeVerify, signerFromSeed } from "../../tools/crypto/signatures.js";

const genesisHash = new Uint8Array(32).fill(7);
const signer = signerFromSeed(generateSeed());
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

const envelopes = fc
  .record({
    chain: fc.integer({ min: 1, max: 65_535 }),
    origin: bytes(8),
    meter: bytes(8),
    day: fc.integer({ min: 0, max: DAY_MAX }),
    salt: bytes(16),
    shares: fc.uniqueArray(fc.tuple(bytes(8), bytes(33)), {
      minLength: 1,
      maxLength: 9,
      selector: ([node]) => toHex(node),
    }),
    opening: fc.nat(),
  })
  .map(({ shares, opening, ...rest }) => {
    const sorted = [...shares].sort(([one], [other]) => compareBytes(one, other));
    const envelope: Envelope = {
      ...rest,
      threshold: 1 + (opening % sorted.length),
      custodians: sorted.map(([node, share]) => ({ node, commitment: shareCommitment(share) })),
    };
    return { envelope, shares: sorted };
  });

test("an envelope is read as it was signed, and says whose share is whose", () => {
  fc.assert(
    fc.property(envelopes, ({ envelope, shares }) => {
      const signed = signEnvelope(genesisHash, envelope, signer);
      const read = parseEnvelope(genesisHash, signed.bytes);
      assert.deepEqual(read, signed);
      assert.ok(isSignedBy(genesisHash, read, { key: signer.key, verify: nodeVerify }), "signed by its origin");
      const elsewhere = parseEnvelope(new Uint8Array(32), signed.bytes);
      assert.ok(!isSignedBy(new Uint8Array(32), elsewhere, { key: signer.key, verify: nodeVerify }), "of one network");
      for (const [node, share] of shares) {
        assert.ok(isShareOf(read, node, share), "its share");
        assert.ok(!isShareOf(read, node, new Uint8Array(33)), "another share");
      }
      if (shares.length > 1) assert.ok(!isShareOf(read, shares[0]![0], shares[1]![1]), "another's share");
    }),
  );
});

test("refuses an envelope that more shares open than it has, or whose custodians are out of order", () => {
  const custodians = [1, 2].map((id) => [new Uint8Array(8).fill(id), new Uint8Array(32)]);
  const of = (threshold: number, listed: typeof custodians) =>
    encodeCbor([1, new Uint8Array(8), new Uint8Array(8), 1, new Uint8Array(16), threshold, listed, new Uint8Array(64)]);
  assert.equal(parseEnvelope(genesisHash, of(2, custodians)).threshold, 2);
  assert.throws(() => parseEnvelope(genesisHash, of(3, custodians)), /opens with 3 of 2/);
  assert.throws(() => parseEnvelope(genesisHash, of(0, custodians)), /opens with 0 of 2/);
  assert.throws(() => parseEnvelope(genesisHash, of(1, [...custodians].reverse())), /ascending/);
  assert.throws(() => parseEnvelope(genesisHash, of(1, [custodians[0]!, custodians[0]!])), /ascending/);
});

test("a share has 33 bytes at most, and a part of one 34; chain 0 is none", () => {
  const node = new Uint8Array(8).fill(1);
  const stated = (length: number) => [{ node, commitment: shareCommitment(new Uint8Array(length)) }];
  for (const length of [32, 33, 34, 35]) {
    const custodians = stated(length);
    assert.equal(isShareOf({ custodians }, node, new Uint8Array(length)), length <= 33, `a share of ${length} bytes`);
    const isPart = isShareOf({ custodians, dealer: node }, node, new Uint8Array(length));
    assert.equal(isPart, length <= 34, `a part of ${length} bytes`);
  }
  const terms = { origin: node, meter: node, day: 1, salt: new Uint8Array(16), threshold: 1, custodians: stated(33) };
  const signed = signEnvelope(genesisHash, { chain: 0, ...terms }, signer);
  assert.throws(() => parseEnvelope(genesisHash, signed.bytes), /envelope chain/);
});

test("no f custodians open an envelope, and no single one where there are two", () => {
  const rows = [1, 2, 3, 4, 7, 10].map((n) => [n, openingThreshold(n, Math.floor((n - 1) / 3))]);
  assert.deepEqual(rows, [
    [1, 1],
    [2, 2],
    [3, 2],
    [4, 2],
    [7, 3],
    [10, 4],
  ]);
});

test("a custody key is its node's own statement", () => {
  const node = keyId(signer.key);
  const key = new Uint8Array(32).fill(3);
  const bytes = signCustodyKey(genesisHash, { node, key }, signer);
  const keyOf = () => signer.key;
  assert.deepEqual(verifyCustodyKey(genesisHash, bytes, keyOf, nodeVerify), { node, key });
  assert.throws(() => verifyCustodyKey(genesisHash, bytes, () => undefined, nodeVerify), /no node that is known/);
  const other = signerFromSeed(generateSeed());
  assert.throws(() => verifyCustodyKey(genesisHash, bytes, () => other.key, nodeVerify), /not signed by its node/);
});

const sealedOnes: fc.Arbitrary<SealedDisclosures> = fc.record(
  {
    kid: bytes(8),
    seq: fc.integer({ min: 0, max: 2 ** 32 - 2 }),
    recordHash: bytes(32),
    envelope: bytes(32),
    nonce: bytes(12),
    ciphertext: fc.uint8Array({ minLength: 16, maxLength: 300 }),
  },
  { noNullPrototype: true },
);

test("sealed disclosures are read as they were written, one and many", () => {
  fc.assert(
    fc.property(fc.array(sealedOnes), (sealed) => {
      for (const each of sealed) assert.deepEqual(decodeSealed(encodeSealed(each)), each);
      assert.deepEqual(decodeSealedList(encodeSealedList(sealed)), sealed);
    }),
  );
});

test("what could be stored and not be read again is refused in a list as well", () => {
  const place = { kid: new Uint8Array(8), seq: 1, recordHash: new Uint8Array(32), envelope: new Uint8Array(32) };
  const sealed = (length: number) => ({ ...place, nonce: new Uint8Array(12), ciphertext: new Uint8Array(length) });
  const largest = sealed(CIPHERTEXT_BYTES_MAX);
  assert.deepEqual(decodeSealed(encodeSealed(largest)), largest);
  assert.deepEqual(decodeSealedList(encodeSealedList([largest])), [largest]);
  assert.throws(() => decodeSealedList(encodeSealedList([sealed(CIPHERTEXT_BYTES_MAX + 1)])), /more than 16448 bytes/);
});
