// The meter signs with noble, the nodes with node:crypto: byte-equal signatures, and one opinion on what verifies.

import assert from "node:assert/strict";
import { createHash, createPrivateKey, createPublicKey, sign } from "node:crypto";
import { test } from "node:test";
import { ed25519 } from "@noble/curves/ed25519.js";
import { p256 } from "@noble/curves/nist.js";
import fc from "fast-check";
import { verifyEd25519 } from "../../src/agent/ed25519.js";
import { ED25519, ESP256, type PublicKey } from "../../src/wire/key.js";
import { isSafeKey } from "../../tools/crypto/safe-key.js";
import { generateSeed, nodeVerify, signerFromSeed } from "../../tools/crypto/signatures.js";
import { verifyAsync } from "../../tools/crypto/verifying.js";
import { byteStrings, fixedBytes } from "./arbitraries.js";

test("noble and node:crypto make the same Ed25519 keys and signatures and agree on what verifies", () => {
  fc.assert(
    fc.property(fixedBytes(32), byteStrings(300), fc.nat(511), (seed, message, bit) => {
      const signer = signerFromSeed(seed);
      const signature = signer.sign(message);
      assert.deepEqual(signer.key.x, ed25519.getPublicKey(seed));
      assert.deepEqual(signature, ed25519.sign(message, seed));
      assert.equal(nodeVerify(signer.key, message, signature), true);
      assert.equal(ed25519.verify(signature, message, signer.key.x), true);
      assert.equal(isSafeKey(signer.key), true);
      signature[bit >> 3]! ^= 1 << (bit & 7);
      assert.equal(nodeVerify(signer.key, message, signature), false);
      assert.equal(ed25519.verify(signature, message, signer.key.x), false);
    }),
    { numRuns: 12 },
  );
});

test("verifies in the thread pool as on the event loop", async () => {
  const signer = signerFromSeed(generateSeed());
  const message = new TextEncoder().encode("a record");
  const signature = signer.sign(message);
  const wrong = signature.map((byte, index) => (index === 5 ? byte ^ 1 : byte));
  assert.deepEqual(
    await Promise.all([
      verifyAsync(signer.key, message, signature),
      verifyAsync(signer.key, message, wrong),
      verifyAsync(signer.key, message, signature.subarray(1)),
      verifyAsync({ algorithm: ED25519, x: new Uint8Array(31) }, message, signature),
    ]),
    [true, false, false, false],
  );
});

test("accepts an ESP256 signature with s in the lower half alone", async () => {
  const secret = p256.utils.randomSecretKey();
  const point = p256.getPublicKey(secret, false);
  const key: PublicKey = { algorithm: ESP256, x: point.slice(1, 33), y: point.slice(33) };
  const message = new TextEncoder().encode("a record");
  const privateKey = createPrivateKey({
    key: {
      kty: "EC",
      crv: "P-256",
      d: Buffer.from(secret).toString("base64url"),
      x: Buffer.from(key.x).toString("base64url"),
      y: Buffer.from(key.y).toString("base64url"),
    },
    format: "jwk",
  });
  const made = p256.Signature.fromBytes(
    Uint8Array.from(sign("sha256", message, { key: privateKey, dsaEncoding: "ieee-p1363" })),
  );
  const high = new p256.Signature(made.r, p256.Point.CURVE().n - made.s).toBytes();
  for (const signature of [made.toBytes(), high]) {
    const lower = !p256.Signature.fromBytes(signature).hasHighS();
    assert.equal(nodeVerify(key, message, signature), lower);
    assert.equal(await verifyAsync(key, message, signature), lower);
  }
  assert.equal(isSafeKey(key), true);
});

test("refuses keys that are no point, not canonical, of small order or with a torsion part", () => {
  const { Point } = ed25519;
  const torsion = Point.fromBytes(
    Uint8Array.from(Buffer.from("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", "hex")),
  );
  const mixed = Point.BASE.multiply(12_345n).add(torsion).toBytes();
  const zero = new Uint8Array(32); // y = 0, of order 4
  const one = Uint8Array.of(1, ...new Uint8Array(31)); // the neutral element
  const wrapped = Uint8Array.of(0xee, ...new Uint8Array(30).fill(0xff), 0x7f); // y = p + 1
  const none = Uint8Array.of(2, ...new Uint8Array(31)); // x² has no root
  for (const x of [mixed, torsion.toBytes(), zero, one, wrapped, none, new Uint8Array(31)]) {
    assert.equal(isSafeKey({ algorithm: ED25519, x }), false, Buffer.from(x).toString("hex"));
  }
  assert.equal(isSafeKey({ algorithm: ESP256, x: zero, y: zero }), false);
  assert.equal(isSafeKey({ algorithm: ESP256, x: new Uint8Array(32).fill(0xff), y: one }), false);
});

test("refuses a signature whose R is of small order though the key is safe, in the thread pool and on a meter too", async () => {
  const { head, scalar, pointBytes } = ed25519.utils.getExtendedPublicKey(generateSeed());
  assert.equal(head.length, 32);
  const key: PublicKey = { algorithm: ED25519, x: pointBytes };
  const message = new TextEncoder().encode("a record");
  const R = Uint8Array.of(1, ...new Uint8Array(31)); // the neutral element, as if the secret nonce were 0
  const { Fn } = ed25519.Point;
  const k = Fn.create(littleEndian(createHash("sha512").update(R).update(pointBytes).update(message).digest()));
  const signature = Uint8Array.from([...R, ...Fn.toBytes(Fn.mul(k, scalar))]);
  assert.equal(isSafeKey(key), true);
  assert.equal(ed25519.verify(signature, message, pointBytes), true, "the equation holds");
  assert.equal(nodeVerify(key, message, signature), false);
  assert.equal(await verifyAsync(key, message, signature), false);
  assert.equal(verifyEd25519(key, message, signature), false);
});

test("finds false, not an exception, for a key that is no point", async () => {
  const signature = new Uint8Array(64);
  const message = new Uint8Array(3);
  for (const key of [
    { algorithm: ED25519, x: new Uint8Array(32).fill(0xff) },
    { algorithm: ESP256, x: new Uint8Array(32), y: new Uint8Array(32) },
  ] as const) {
    assert.equal(nodeVerify(key, message, signature), false);
    assert.equal(await verifyAsync(key, message, signature), false);
  }
});

test("refuses a seed of another length", () => {
  assert.throws(() => signerFromSeed(new Uint8Array(31)), RangeError);
  assert.equal(generateSeed().length, 32);
  assert.notDeepEqual(generateSeed(), generateSeed());
});

test("signs with a key that node:crypto exports as the same public key", () => {
  const seed = generateSeed();
  const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]);
  const exported = createPublicKey(createPrivateKey({ key: der, format: "der", type: "pkcs8" })).export({
    format: "jwk",
  });
  assert.equal(exported.x, Buffer.from(signerFromSeed(seed).key.x).toString("base64url"));
});

function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((number, byte) => (number << 8n) | BigInt(byte), 0n);
}
