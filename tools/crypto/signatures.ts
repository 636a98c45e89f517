// The cluster's one signature predicate, node:crypto's verify, and its signers: Ed25519 (RFC 8032) and ESP256 (RFC 9864).
// Public keys are imported from JWK, which is twenty times faster than from SPKI DER, and kept.

import {
  createECDH,
  createPrivateKey,
  createPublicKey,
  verify as cryptoVerify,
  type KeyObject,
  randomBytes,
  sign,
  type VerifyKeyObjectInput,
} from "node:crypto";
import { compareBytes } from "../../src/wire/bytes.js";
import { ED25519, ESP256, type PublicKey, type Signer, type Verify } from "../../src/wire/key.js";
import { isSmallOrder } from "../../src/wire/small-order.js";
import { BoundedMap } from "../bounded-map.js";

/** Imported keys kept at most; the least recently used one goes first. */
const KEYS_CACHED_MAX = 16_384;
const SIGNATURE_BYTES = 64;
const SEED_BYTES = 32;
/** PrivateKeyInfo of an Ed25519 seed less the seed (RFC 8410 section 7). */
const seedPrefix = Buffer.from("302e020100300506032b657004220420", "hex");
/** The order of P-256 (SP 800-186 section 3.2.1.3), and half of it, rounded down. */
const order = BigInt("0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
const halfOrder = Buffer.from("7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8", "hex");

const imported = new BoundedMap<string, KeyObject>(KEYS_CACHED_MAX);

/** Whether the signature is the key's, by node:crypto. False for whatever cannot be checked; never throws. */
export const nodeVerify: Verify = (key, message, signature) => {
  if (!isWellFormed(key, signature)) return false;
  try {
    return cryptoVerify(digestOf(key), message, verifyInput(key), signature);
  } catch {
    return false; // no point on the curve
  }
};

/** An Ed25519 signer over node:crypto of a 32-byte seed (RFC 8032 section 5.1.5). Throws a RangeError for another length. */
export function signerFromSeed(seed: Uint8Array): Signer {
  if (seed.length !== SEED_BYTES) {
    throw new RangeError(`Ed25519 seed must have ${SEED_BYTES} bytes, not ${seed.length}`);
  }
  const der = Buffer.concat([seedPrefix, seed]);
  const privateKey = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  der.fill(0); // the key has it now, outside the heap
  const x = Buffer.from(createPublicKey(privateKey).export({ format: "jwk" }).x!, "base64url");
  return {
    key: { algorithm: ED25519, x: Uint8Array.from(x) },
    sign: (message) => Uint8Array.from(sign(null, message, privateKey)),
  };
}

/** An ESP256 signer over node:crypto of a secret scalar of P-256, 32 bytes. Throws a RangeError where it is none. */
export function signerFromScalar(scalar: Uint8Array): Signer {
  const pair = createECDH("prime256v1");
  try {
    pair.setPrivateKey(scalar);
  } catch {
    throw new RangeError("the secret of a P-256 key must have 32 bytes, from 1 up to below the curve's order");
  }
  const point = pair.getPublicKey();
  const [x, y] = [Uint8Array.from(point.subarray(1, 33)), Uint8Array.from(point.subarray(33))];
  const jwk = { kty: "EC", crv: "P-256", x: base64url(x), y: base64url(y), d: base64url(scalar) };
  const privateKey = createPrivateKey({ key: jwk, format: "jwk" });
  return {
    key: { algorithm: ESP256, x, y },
    sign: (message) => withLowerHalf(sign("sha256", message, { key: privateKey, dsaEncoding: "ieee-p1363" })),
  };
}

/** r and s, with the lower of the two s that verify. */
function withLowerHalf(signature: Buffer): Uint8Array {
  const bytes = Uint8Array.from(signature);
  if (compareBytes(bytes.subarray(32), halfOrder) <= 0) return bytes;
  const lower = order - BigInt(`0x${signature.toString("hex", 32)}`);
  bytes.set(Buffer.from(lower.toString(16).padStart(64, "0"), "hex"), 32);
  return bytes;
}

/** A secret scalar of P-256. */
export function generateScalar(): Uint8Array {
  const pair = createECDH("prime256v1");
  pair.generateKeys();
  // Leading zeros are left out of what it gives.
  const scalar = new Uint8Array(SEED_BYTES);
  const secret = pair.getPrivateKey();
  scalar.set(secret, SEED_BYTES - secret.length);
  return scalar;
}

/** 32 bytes from the operating system's generator. */
export function generateSeed(): Uint8Array {
  return Uint8Array.from(randomBytes(SEED_BYTES));
}

/** Whether lengths are right, no point of Ed25519 is of small order, and s of ESP256 is the lower of the two that verify. */
export function isWellFormed(key: PublicKey, signature: Uint8Array): boolean {
  if (signature.length !== SIGNATURE_BYTES || !isWholeKey(key)) return false;
  if (key.algorithm === ED25519) return !isSmallOrder(key.x) && !isSmallOrder(signature);
  // Of the two s that verify only the lower is a signature: a record's hash covers it, so it must have one form.
  return compareBytes(signature.subarray(32), halfOrder) <= 0;
}

/** Whether the key is of an algorithm that is verified here, with coordinates of their length. */
export function isWholeKey(key: PublicKey): boolean {
  if (key.x.length !== 32) return false;
  return key.algorithm === ED25519 || (key.algorithm === ESP256 && key.y.length === 32);
}

function digestOf(key: PublicKey): string | null {
  return key.algorithm === ED25519 ? null : "sha256";
}

function verifyInput(key: PublicKey): KeyObject | VerifyKeyObjectInput {
  const object = keyObject(key);
  return key.algorithm === ED25519 ? object : { key: object, dsaEncoding: "ieee-p1363" };
}

function keyObject(key: PublicKey): KeyObject {
  const name = key.algorithm === ED25519 ? latin1(key.x) : latin1(key.x) + latin1(key.y);
  const known = imported.get(name);
  if (known !== undefined) {
    imported.set(name, known); // used last
    return known;
  }
  const object = importKey(key);
  imported.set(name, object);
  return object;
}

function importKey(key: PublicKey): KeyObject {
  const x = base64url(key.x);
  return key.algorithm === ED25519
    ? createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" })
    : createPublicKey({ key: { kty: "EC", crv: "P-256", x, y: base64url(key.y) }, format: "jwk" });
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64url");
}
