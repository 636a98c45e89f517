// SHA-256 (FIPS 180-4), the only hash of the formats. Builds put the platform's own in the place of noble's: on the device the
// SDK's native digest, on Node this whole module by tools/crypto/hash.ts.

import { sha256 as nobleSha256 } from "@noble/hashes/sha2.js";

/** Length of a digest. */
export const HASH_BYTES = 32;

/** 32-byte digest of the bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return nobleSha256(bytes);
}

/** Writes the digest of the bytes into `target`, at the offset. */
export function writeSha256(bytes: Uint8Array, target: Uint8Array, offset: number): void {
  target.set(nobleSha256(bytes), offset);
}
