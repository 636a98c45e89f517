// Which public keys the authority may certify. Ed25519 libraries differ on odd keys, so by noble, which knows the points.

import { ed25519 } from "@noble/curves/ed25519.js";
import { p256 } from "@noble/curves/nist.js";
import { concatBytes } from "../../src/wire/bytes.js";
import { ED25519, type PublicKey } from "../../src/wire/key.js";

/**
 * Whether the authority may certify the key: one encoding, a point of the curve and, for Ed25519, neither of small order nor with
 * a torsion part. For such keys, what node:crypto accepts every other verifier accepts.
 */
export function isSafeKey(key: PublicKey): boolean {
  try {
    if (key.algorithm === ED25519) {
      const point = ed25519.Point.fromBytes(key.x, false);
      return !point.isSmallOrder() && point.isTorsionFree();
    }
    if (key.x.length !== 32 || key.y.length !== 32) return false;
    p256.Point.fromBytes(concatBytes(Uint8Array.of(4), key.x, key.y)).assertValidity();
    return true;
  } catch {
    return false;
  }
}
