// Ed25519 on the meter by noble's points (RFC 8032, section 5.1). The expanded key is kept, so that a signature costs one base
// multiplication instead of two. A chip's build puts hosts/libsodium/ed25519.ts in its place: the same signatures, the same verdicts.

import { ed25519 } from "@noble/curves/ed25519.js";
import { bytesToNumberLE } from "@noble/curves/utils.js";
import { sha512 } from "@noble/hashes/sha2.js";
import { concatBytes, equalBytes } from "../wire/bytes.js";
import { ED25519, type Signer, type Verify } from "../wire/key.js";
import { isSmallOrder } from "../wire/small-order.js";

const SIGNATURE_BYTES = 64;
const KEY_BYTES = 32;

/** A signer of a 32-byte seed whose signatures are those of RFC 8032, byte for byte. Throws a RangeError for another length. */
export function ed25519Signer(seed: Uint8Array): Signer {
  const { prefix, scalar, pointBytes } = ed25519.utils.getExtendedPublicKey(seed);
  const { BASE, Fn } = ed25519.Point;
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

/**
 * The predicate of PROTOCOL.md, section 2, for canonical keys; false for others and of other algorithms. noble's own `verify` multiplies
 * by the cofactor and takes points of small order, which the cluster does not.
 */
export const verifyEd25519: Verify = (key, message, signature) => {
  if (key.algorithm !== ED25519 || key.x.length !== KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false;
  if (isSmallOrder(key.x) || isSmallOrder(signature)) return false;
  const { Point } = ed25519;
  const R = signature.subarray(0, KEY_BYTES);
  try {
    const k = hashToScalar(R, key.x, message);
    // Throws where S is not below the group's order. The bytes are compared: so no R need be a canonical point.
    const SB = Point.BASE.multiplyUnsafe(bytesToNumberLE(signature.subarray(KEY_BYTES)));
    return equalBytes(SB.subtract(Point.fromBytes(key.x, false).multiplyUnsafe(k)).toBytes(), R);
  } catch {
    return false; // no point of the curve
  }
};

function hashToScalar(...parts: readonly Uint8Array[]): bigint {
  return ed25519.Point.Fn.create(bytesToNumberLE(sha512(concatBytes(...parts))));
}
