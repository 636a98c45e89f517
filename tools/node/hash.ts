// SHA-256 by node:crypto. The build for Node puts this module in the place of src/wire/hash.ts: a record's hash costs a sixth.

import { hash } from "node:crypto";

const DIGEST_BYTES = 32;

/** 32-byte digest of the bytes. */
export function sha256(bytes: Uint8Array): Uint8Array {
  // A Buffer has memory outside the heap, which costs more than the hashing; an array as small as this has not.
  const text = hash("sha256", bytes, "binary");
  const digest = new Uint8Array(DIGEST_BYTES);
  for (let index = 0; index < DIGEST_BYTES; index += 1) digest[index] = text.charCodeAt(index);
  return digest;
}
