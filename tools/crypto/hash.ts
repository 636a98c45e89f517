// SHA-256 by node:crypto. The build for Node puts this module in the place of src/wire/hash.ts: a record's hash costs a sixth.

import { hash } from "node:crypto";

/** Length of a digest. */
export const HASH_BYTES = 32;

/** 32-byte digest of the bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  const digest = new Uint8Array(HASH_BYTES);
  writeSha256(bytes, digest, 0);
  return digest;
}

/** Writes the digest of the bytes into `target`, at the offset. */
export function writeSha256(bytes: Uint8Array, target: Uint8Array, offset: number): void {
  // A Buffer has memory outside the heap, which costs more than the hashing; a string has not.
  const text = hash("sha256", bytes, "binary");
  for (let index = 0; index < HASH_BYTES; index += 1) target[offset + index] = text.charCodeAt(index);
}
