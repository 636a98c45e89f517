// Signatures of the simulation: a keyed hash in place of Ed25519, a hundred times faster. Whoever
// holds a Signer signs for it, and the adversary holds those of faulty members alone.

import { concatBytes, equalBytes } from "../../../../src/wire/bytes.js";
import { sha256 } from "../../../../src/wire/hash.js";
import { ED25519, type PublicKey, type Signer, type Verify } from "../../../../src/wire/key.js";

/** The signer of a name; different names have different keys. */
export function simulatedSigner(name: string): Signer {
  const x = sha256(new TextEncoder().encode(name));
  return { key: { algorithm: ED25519, x }, sign: (message) => simulatedSignature({ algorithm: ED25519, x }, message) };
}

/**
 * What whoever has this key makes of the message, for those who judge; members are not given it.
 */
export function simulatedSignature(key: PublicKey, message: Uint8Array): Uint8Array {
  return keyedHash(key.x, message);
}

export const simulatedVerify: Verify = (key, message, signature) =>
  equalBytes(signature, simulatedSignature(key, message));

/** 64 bytes that depend on every byte of key and message: two lanes, mixed as in MurmurHash3. */
function keyedHash(key: Uint8Array, message: Uint8Array): Uint8Array {
  let first = 0x811c9dc5;
  let second = 0x01234567;
  for (const bytes of [key, message]) {
    for (let index = 0; index < bytes.length; index += 1) {
      first = Math.imul(first ^ bytes[index]!, 0x01000193);
      second = Math.imul((second ^ bytes[index]!) + (second >>> 15), 0xc2b2ae35);
    }
  }
  const lane = new Uint8Array(8);
  const view = new DataView(lane.buffer);
  view.setUint32(0, first >>> 0);
  view.setUint32(4, second >>> 0);
  return concatBytes(lane, lane, lane, lane, lane, lane, lane, lane);
}

/** A short digest for trace lines. */
export function digestOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < bytes.length; index += 1) hash = Math.imul(hash ^ bytes[index]!, 0x01000193);
  return hash >>> 0;
}
