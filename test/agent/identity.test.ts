import assert from "node:assert/strict";
import { createPrivateKey, createPublicKey, randomBytes, sign, verify } from "node:crypto";
import { describe, test } from "node:test";
import fc from "fast-check";
import { ed25519Signer, verifyEd25519 } from "../../src/agent/ed25519.js";
import { openCredential, openIdentity } from "../../src/agent/identity.js";
import { issueCredential } from "../../src/wire/credential.js";
import { ED25519, ESP256, keyId } from "../../src/wire/key.js";
import { simulatedStores } from "./norFlash.js";

const random = (length: number): Uint8Array => new Uint8Array(randomBytes(length));

/** PKCS #8 of an Ed25519 seed (RFC 8410, section 7). */
function nodeKey(seed: Uint8Array) {
  const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]);
  return createPrivateKey({ key: der, format: "der", type: "pkcs8" });
}

describe("identity", () => {
  test("signs byte for byte as node:crypto does", () => {
    const message = fc.uint8Array({ maxLength: 400 });
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), message, (seed, bytes) => {
        const signer = ed25519Signer(seed);
        const key = nodeKey(seed);
        assert.deepEqual(signer.sign(bytes), new Uint8Array(sign(null, bytes, key)));
        assert.deepEqual(
          Buffer.from(signer.key.x).toString("base64url"),
          createPublicKey(key).export({ format: "jwk" }).x,
        );
      }),
      { numRuns: 40 },
    );
  });

  test("verifies what node:crypto signs, and nothing that is altered, of another key or of the wrong length", () => {
    const seed = random(32);
    const { key } = ed25519Signer(seed);
    const message = random(50);
    const signature = new Uint8Array(sign(null, message, nodeKey(seed)));
    assert.equal(verifyEd25519(key, message, signature), true);
    assert.equal(verifyEd25519(ed25519Signer(random(32)).key, message, signature), false);
    assert.equal(verifyEd25519(key, random(50), signature), false);
    assert.equal(verifyEd25519(key, message, signature.subarray(1)), false);
    assert.equal(verifyEd25519({ algorithm: ED25519, x: new Uint8Array(31) }, message, signature), false);
    const point = new Uint8Array(32);
    assert.equal(verifyEd25519({ algorithm: ESP256, x: point, y: point }, message, signature), false);
  });

  test("makes its seed once, from the generator, and keeps it", () => {
    const { keyValue, keys } = simulatedStores(2048, 1024);
    const first = openIdentity(keyValue, random);
    assert.equal(keys.get("seed")?.length, 32);
    const second = openIdentity(keyValue, () => assert.fail("a seed is there"));
    assert.equal(second.id, first.id);
    assert.deepEqual(first.kid, keyId(first.signer.key));
    const message = random(9);
    const spki = createPublicKey(nodeKey(keys.get("seed")!));
    assert.ok(verify(null, message, spki, second.signer.sign(message)));
  });

  test("refuses a damaged seed and a generator that gives too little, rather than become another meter", () => {
    const { keyValue, keys } = simulatedStores(2048, 1024);
    assert.throws(() => openIdentity(keyValue, () => new Uint8Array(16)), /16 bytes/);
    assert.equal(keys.has("seed"), false);
    keyValue.set("seed", new Uint8Array(31));
    assert.throws(() => openIdentity(keyValue, random), /seed has 31 bytes/);
  });

  test("takes the credential of its own key, and says why it takes no other", () => {
    const { keyValue } = simulatedStores(2048, 1024);
    const { key } = ed25519Signer(random(32));
    assert.match(openCredential(keyValue, key) as string, /no credential/);
    keyValue.set("credential", random(40));
    assert.match(openCredential(keyValue, key) as string, /cannot be read/);
    keyValue.set("credential", credentialOf(ed25519Signer(random(32)).key));
    assert.match(openCredential(keyValue, key) as string, /another key/);
    const own = credentialOf(key);
    keyValue.set("credential", own);
    assert.deepEqual(openCredential(keyValue, key), own);
  });
});

function credentialOf(key: Parameters<typeof keyId>[0]): Uint8Array {
  const credential = { issuer: "test/authority", subject: "meter 1", notBefore_s: 0, expires_s: 4_000_000_000 };
  const rest = { id: random(8), key, statusIndex: 0, services: [1], roles: ["meter" as const] };
  return issueCredential({ ...credential, ...rest }, ed25519Signer(random(32)));
}
