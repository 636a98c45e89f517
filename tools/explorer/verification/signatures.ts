// The cluster's signature predicate in a browser: PROTOCOL.md, section 2, by noble's curves. WebCrypto is not asked: it has no synchronous
// answer, is not there on a page without TLS, and its predicate for Ed25519 differs between browsers.

import { p256 } from "@noble/curves/nist.js";
import { verifyEd25519 } from "../../../src/agent/ed25519.js";
import { concatBytes } from "../../../src/wire/bytes.js";
import { ED25519, type PublicKey, type Verify } from "../../../src/wire/key.js";

const SIGNATURE_BYTES = 64;
const COORDINATE_BYTES = 32;
const UNCOMPRESSED = Uint8Array.of(4);

export const browserVerify: Verify = (key, message, signature) =>
  key.algorithm === ED25519 ? verifyEd25519(key, message, signature) : verifyEsp256(key, message, signature);

/** Of the two s that verify only the lower is a signature, as at every node. */
function verifyEsp256(
  key: Exclude<PublicKey, { readonly algorithm: typeof ED25519 }>,
  ...[message, signature]: Signed
) {
  if (signature.length !== SIGNATURE_BYTES) return false;
  if (key.x.length !== COORDINATE_BYTES || key.y.length !== COORDINATE_BYTES) return false;
  try {
    return p256.verify(signature, message, concatBytes(UNCOMPRESSED, key.x, key.y), { lowS: true });
  } catch {
    return false; // no point of the curve
  }
}

type Signed = readonly [message: Uint8Array, signature: Uint8Array];
