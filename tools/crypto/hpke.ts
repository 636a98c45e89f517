// HPKE (RFC 9180), base mode, one message a context: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM, by Node's own means.

import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
} from "node:crypto";
import type { SealedShare } from "../../src/wire/envelope.js";
import { WireError } from "../../src/wire/error.js";

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Suite identifiers (RFC 9180 sections 4.1 and 5.1): KEM 0x0020, KDF 0x0001, AEAD 0x0002. */
const KEM_SUITE = Buffer.from("4b454d0020", "hex");
const HPKE_SUITE = Buffer.from("48504b45002000010002", "hex");
/** What stands before a raw X25519 key in PKCS #8 and SubjectPublicKeyInfo (RFC 8410). */
const PRIVATE_PREFIX = Buffer.from("302e020100300506032b656e04220420", "hex");
const PUBLIC_PREFIX = Buffer.from("302a300506032b656e032100", "hex");
const empty = Buffer.alloc(0);

/** An X25519 key pair (RFC 7748), 32 bytes each. */
export interface DeliveryKeys {
  readonly secret: Uint8Array;
  readonly key: Uint8Array;
}

export function generateDeliveryKeys(): DeliveryKeys {
  const { privateKey, publicKey } = generateKeyPairSync("x25519");
  return { secret: rawSecret(privateKey), key: rawKey(publicKey) };
}

/** The pair of a secret of 32 bytes. */
export function deliveryKeysOf(secret: Uint8Array): DeliveryKeys {
  return { secret, key: rawKey(createPublicKey(privateKeyOf(secret))) };
}

/** Seals to the key's holder alone. Throws a WireError where it is no key. */
export function sealTo(key: Uint8Array, info: Uint8Array, plaintext: Uint8Array): SealedShare {
  const { privateKey, publicKey } = generateKeyPairSync("x25519");
  const enc = rawKey(publicKey);
  const context = contextOf(agree(privateKey, key), { enc, key, info });
  const cipher = createCipheriv("aes-256-gcm", context.key, context.nonce);
  return { enc, ciphertext: concat(cipher.update(plaintext), cipher.final(), cipher.getAuthTag()) };
}

/** Undefined where it was not sealed to these keys with this info. */
export function openWith(keys: DeliveryKeys, info: Uint8Array, sealed: SealedShare): Uint8Array | undefined {
  const { enc, ciphertext } = sealed;
  if (ciphertext.length < TAG_BYTES) return undefined;
  try {
    const context = contextOf(agree(privateKeyOf(keys.secret), enc), { enc, key: keys.key, info });
    const decipher = createDecipheriv("aes-256-gcm", context.key, context.nonce);
    decipher.setAuthTag(ciphertext.subarray(-TAG_BYTES));
    return concat(decipher.update(ciphertext.subarray(0, -TAG_BYTES)), decipher.final());
  } catch {
    return undefined;
  }
}

interface Exchange {
  readonly enc: Uint8Array;
  /** the receiver's */
  readonly key: Uint8Array;
  readonly info: Uint8Array;
}

/** ExtractAndExpand of the DHKEM (section 4.1), then the key schedule of mode 0 (section 5.1). */
function contextOf(agreed: Uint8Array, { enc, key, info }: Exchange) {
  const extracted = labeledExtract(KEM_SUITE, empty, "eae_prk", agreed);
  const shared = labeledExpand(KEM_SUITE, extracted, ["shared_secret", concat(enc, key)], KEY_BYTES);
  const pskId = labeledExtract(HPKE_SUITE, empty, "psk_id_hash", empty);
  const schedule = concat(Uint8Array.of(0), pskId, labeledExtract(HPKE_SUITE, empty, "info_hash", info));
  const secret = labeledExtract(HPKE_SUITE, shared, "secret", empty);
  return {
    key: labeledExpand(HPKE_SUITE, secret, ["key", schedule], KEY_BYTES),
    nonce: labeledExpand(HPKE_SUITE, secret, ["base_nonce", schedule], NONCE_BYTES),
  };
}

function labeledExtract(suite: Uint8Array, salt: Uint8Array, label: string, material: Uint8Array): Uint8Array {
  return createHmac("sha256", salt)
    .update(concat(Buffer.from("HPKE-v1"), suite, Buffer.from(label), material))
    .digest();
}

/** HKDF-Expand (RFC 5869) of at most one hash's length. */
function labeledExpand(
  suite: Uint8Array,
  secret: Uint8Array,
  [label, info]: readonly [label: string, info: Uint8Array],
  length: number,
): Uint8Array {
  const labeled = concat(Uint8Array.of(0, length), Buffer.from("HPKE-v1"), suite, Buffer.from(label), info);
  return createHmac("sha256", secret)
    .update(concat(labeled, Uint8Array.of(1)))
    .digest()
    .subarray(0, length);
}

function agree(privateKey: KeyObject, key: Uint8Array): Uint8Array {
  try {
    return diffieHellman({ privateKey, publicKey: publicKeyOf(key) });
  } catch {
    throw new WireError("unproven", "X25519 key is none that anything can be sealed to");
  }
}

function privateKeyOf(secret: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PRIVATE_PREFIX, secret]), format: "der", type: "pkcs8" });
}

function publicKeyOf(key: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([PUBLIC_PREFIX, key]), format: "der", type: "spki" });
}

function rawSecret(key: KeyObject): Uint8Array {
  return Uint8Array.from(key.export({ format: "der", type: "pkcs8" }).subarray(PRIVATE_PREFIX.length));
}

function rawKey(key: KeyObject): Uint8Array {
  return Uint8Array.from(key.export({ format: "der", type: "spki" }).subarray(PUBLIC_PREFIX.length));
}

function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}
