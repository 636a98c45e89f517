// SHA-256 (FIPS 180-4), the only hash of the formats. On the device the build maps noble's module to the native digest.

import { sha256 as nobleSha256 } from "@noble/hashes/sha2.js";

/** 32-byte digest of the bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return nobleSha256(bytes);
}
