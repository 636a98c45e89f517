import assert from "node:assert/strict";
import { test } from "node:test";
import { AEAD_AES_256_GCM, CipherSuite, KDF_HKDF_SHA256, KEM_DHKEM_X25519_HKDF_SHA256 } from "hpke";
import { deliveryKeysOf, generateDeliveryKeys, openWith, sealTo } from "../../tools/crypto/hpke.js";

/** An implementation of RFC 9180 that shares no code with ours, on another library of primitives. */
const oracle = new CipherSuite(KEM_DHKEM_X25519_HKDF_SHA256, KDF_HKDF_SHA256, AEAD_AES_256_GCM);
const lengths = [0, 1, 15, 16, 17, 33, 1_000];
const bytesOf = (length: number) => Uint8Array.from({ length }, (_, index) => index);

test("what we seal, another implementation opens", async () => {
  for (const length of lengths) {
    const pair = await oracle.GenerateKeyPair(true);
    const key = new Uint8Array(await oracle.SerializePublicKey(pair.publicKey));
    const [info, plaintext] = [bytesOf(length), bytesOf(length + 1)];
    const { enc, ciphertext } = sealTo(key, info, plaintext);
    const opened = await oracle.Open(pair, enc, ciphertext, { info });
    assert.deepEqual(new Uint8Array(opened), plaintext, `${length} bytes of info`);
  }
});

test("what another implementation seals, we open", async () => {
  for (const length of lengths) {
    const keys = generateDeliveryKeys();
    const [info, plaintext] = [bytesOf(length), bytesOf(length + 1)];
    const publicKey = await oracle.DeserializePublicKey(keys.key);
    const { encapsulatedSecret, ciphertext } = await oracle.Seal(publicKey, plaintext, { info });
    const enc = new Uint8Array(encapsulatedSecret);
    const opened = openWith(keys, info, { enc, ciphertext: new Uint8Array(ciphertext) });
    assert.deepEqual(opened, plaintext, `${length} bytes of info`);
  }
});

test("nobody else opens it, nor for another purpose, nor changed", () => {
  const keys = generateDeliveryKeys();
  const info = Uint8Array.of(1);
  const sealed = sealTo(keys.key, info, Uint8Array.of(2, 3));
  assert.deepEqual(openWith(keys, info, sealed), Uint8Array.of(2, 3));
  assert.equal(openWith(generateDeliveryKeys(), info, sealed), undefined, "other keys");
  assert.equal(openWith(keys, Uint8Array.of(2), sealed), undefined, "another purpose");
  const changed = Uint8Array.from(sealed.ciphertext, (byte, index) => (index === 0 ? byte ^ 1 : byte));
  assert.equal(openWith(keys, info, { ...sealed, ciphertext: changed }), undefined, "changed");
  assert.equal(openWith(keys, info, { ...sealed, ciphertext: new Uint8Array(15) }), undefined, "shorter than a tag");
  assert.equal(openWith(keys, info, { ...sealed, enc: new Uint8Array(32) }), undefined, "a key of small order");
});

test("nothing is sealed to a key of small order", () => {
  assert.throws(() => sealTo(new Uint8Array(32), new Uint8Array(0), new Uint8Array(1)), /none that anything/);
});

test("a pair follows from its secret", () => {
  const made = generateDeliveryKeys();
  assert.deepEqual(deliveryKeysOf(made.secret), made);
});
