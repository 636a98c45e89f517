// Ed25519 on the meter (RFC 8032, section 5.1), by noble's field and the points of edwards.ts. The expanded key is kept, so that a
// signature costs one base multiplication instead of two. A chip's build can put hosts/libsodium/ed25519.ts in its place: the same
// signatures, the same verdicts.

import { ed25519 } from "@noble/curves/ed25519.js";
import { bytesToNumberLE } from "@noble/curves/utils.js";
import { sha512 } from "@noble/hashes/sha2.js";
import { concatBytes, equalBytes } from "../wire/bytes.js";
import { ED25519, type Signer, type Verify } from "../wire/key.js";
import { isSmallOrder } from "../wire/small-order.js";
import { addBaseMultiple, encodePoint, multiplePublic, NEUTRAL, negate } from "./edwards.js";

const SIGNATURE_BYTES = 64;
const SEED_BYTES = 32;
const KEY_BYTES = 32;

/** A signer of a 32-byte seed whose signatures are those of RFC 8032, byte for byte. Throws a RangeError for another length. */
export function ed25519Signer(seed: Uint8Array): Signer {
  if (seed.length !== SEED_BYTES) throw new RangeError(`seed has ${seed.length} bytes instead of ${SEED_BYTES}`);
  const { Fn } = ed25519.Point;
  // Section 5.1.5.
  const hashed = sha512(seed);
  const prefix = hashed.slice(SEED_BYTES);
  const low = hashed.slice(0, SEED_BYTES);
  low[0]! &= 0xf8;
  low[SEED_BYTES - 1] = (low[SEED_BYTES - 1]! & 0x3f) | 0x40;
  const scalar = Fn.create(bytesToNumberLE(low));
  const x = encodePoint(addBaseMultiple(NEUTRAL, scalar));
  return {
    key: { algorithm: ED25519, x },
    sign(message) {
      const r = hashToScalar(prefix, message);
      const R = encodePoint(addBaseMultiple(NEUTRAL, r));
      const k = hashToScalar(R, x, message);
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
  const S = bytesToNumberLE(signature.subarray(KEY_BYTES));
  if (S >= Point.Fn.ORDER) return false;
  try {
    const A = Point.fromBytes(key.x, false);
    // The bytes are compared: so no R need be a canonical point.
    const kA = multiplePublic(negate(A), hashToScalar(R, key.x, message));
    return equalBytes(encodePoint(addBaseMultiple(kA, S)), R);
  } catch {
    return false; // no point of the curve
  }
};

function hashToScalar(...parts: readonly Uint8Array[]): bigint {
  return ed25519.Point.Fn.create(bytesToNumberLE(sha512(concatBytes(...parts))));
}
