// Ed25519 by libsodium, in the place of src/agent/ed25519.ts: the same signatures, the same verdicts, with no BigInt. The agent sees no
// difference but the time that it takes.

import { ED25519, type Signer, type Verify } from "../../src/wire/key.js";
import { isSmallOrder } from "../../src/wire/small-order.js";

const SIGNATURE_BYTES = 64;
const KEY_BYTES = 32;

function expand(this: unknown, seed: Uint8Array): ArrayBuffer {
  return native("sodium_expand").call(this, seed) as ArrayBuffer;
}

function signMessage(this: unknown, secret: ArrayBuffer, message: Uint8Array): ArrayBuffer {
  return native("sodium_signMessage").call(this, secret, message) as ArrayBuffer;
}

function isSigned(this: unknown, key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  return native("sodium_isSigned").call(this, key, message, signature) as boolean;
}

/** A signer of a 32-byte seed whose signatures are those of RFC 8032, byte for byte. Throws a RangeError for another length. */
export function ed25519Signer(seed: Uint8Array): Signer {
  const secret = expand(seed);
  return {
    key: { algorithm: ED25519, x: new Uint8Array(secret.slice(KEY_BYTES)) },
    sign: (message) => new Uint8Array(signMessage(secret, message)),
  };
}

/** The predicate of PROTOCOL.md, section 2. Of other algorithms false. */
export const verifyEd25519: Verify = (key, message, signature) => {
  if (key.algorithm !== ED25519 || key.x.length !== KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false;
  if (isSmallOrder(key.x) || isSmallOrder(signature)) return false;
  return isSigned(key.x, message, signature);
};
