// The meter's ID key and credential. The seed is made on the device and never leaves it. Ed25519 as RFC 8032 section 5.1.6, with the
// expanded key kept, so that a signature costs one base multiplication instead of two.

import { ed25519 } from "@noble/curves/ed25519.js";
import { bytesToNumberLE } from "@noble/curves/utils.js";
import { sha512 } from "@noble/hashes/sha2.js";
import type { KeyValue } from "../host.js";
import { concatBytes, toHex } from "../wire/bytes.js";
import { parseCredential } from "../wire/credential.js";
import { ED25519, equalKeys, keyId, type PublicKey, type Signer, type Verify } from "../wire/key.js";

const SEED_BYTES = 32;

export interface Identity {
  readonly signer: Signer;
  /** first 8 bytes of the hash of the public key */
  readonly kid: Uint8Array;
  /** the kid as topics write it */
  readonly id: string;
}

/** The identity whose seed is under `seed`, made from the hardware's generator where there is none. Throws where the seed is damaged. */
export function openIdentity(keyValue: KeyValue, random: (length: number) => Uint8Array): Identity {
  let seed = keyValue.get("seed");
  if (seed === undefined) {
    seed = random(SEED_BYTES);
    if (seed.length !== SEED_BYTES)
      throw new RangeError(`generator gave ${seed.length} bytes instead of ${SEED_BYTES}`);
    keyValue.set("seed", seed);
  }
  if (seed.length !== SEED_BYTES) throw new RangeError(`seed has ${seed.length} bytes instead of ${SEED_BYTES}`);
  const signer = ed25519Signer(seed);
  const kid = keyId(signer.key);
  return { signer, kid, id: toHex(kid) };
}

/** The credential under `credential`, or why it cannot be used: the nodes accept nothing from a meter without one. */
export function openCredential(keyValue: KeyValue, key: PublicKey): Uint8Array | string {
  const bytes = keyValue.get("credential");
  if (bytes === undefined) return "no credential is stored: provision the meter";
  try {
    return equalKeys(parseCredential(bytes).key, key)
      ? bytes
      : "stored credential is for another key: provision the meter anew";
  } catch (thrown) {
    return `stored credential cannot be read: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
  }
}

/** A signer whose signatures are those of RFC 8032, byte for byte. */
export function ed25519Signer(seed: Uint8Array): Signer {
  const { prefix, scalar, pointBytes } = ed25519.utils.getExtendedPublicKey(seed);
  const { BASE, Fn } = ed25519.Point;
  const hashToScalar = (...parts: Uint8Array[]): bigint => Fn.create(bytesToNumberLE(sha512(concatBytes(...parts))));
  return {
    key: { algorithm: ED25519, x: pointBytes },
    sign(message) {
      const r = hashToScalar(prefix, message);
      const R = BASE.multiply(r).toBytes();
      const k = hashToScalar(R, pointBytes, message);
      return concatBytes(R, Fn.toBytes(Fn.create(r + k * scalar)));
    },
  };
}

/** Verification by noble, strict as FIPS 186-5 has it. A meter is not asked to check other algorithms. */
export const verifyEd25519: Verify = (key, message, signature) => {
  if (key.algorithm !== ED25519) return false;
  try {
    return ed25519.verify(signature, message, key.x, { zip215: false });
  } catch {
    return false; // noble throws for a signature or key of the wrong length
  }
};
