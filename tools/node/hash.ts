// SHA-256 by node:crypto. The build for Node puts this module in the place of src/wire/hash.ts: a record's hash costs a sixth.

import { hash } from "node:crypto";

const DIGEST_BYTES = 32;

/** 32-byte digest of the bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  const digest = new Uint8Array(DIGEST_BYTES);
  writeSha256(bytes, digest);
  return digest;
}

/** Writes the digest of the bytes into the 32 of `digest`. */
export function writeSha256(bytes: Uint8Array, digest: Uint8Array): void {
  // A Buffer has memory outside the heap, which costs more than the hashing; a string has not.
  const text = hash("sha256", bytes, "binary");
  for (let index = 0; index < DIGEST_BYTES; index += 1) digest[index] = text.charCodeAt(index);
}
