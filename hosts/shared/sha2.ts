// SHA-256 and SHA-512 (FIPS 180-4) by the SDK's native digest, in the place of @noble/hashes/sha2.js: most of a signature's time is
// hashing, and a library's scratch memory is no use in ROM. Only what src and noble's Ed25519 call is here.

import { Digest } from "crypt";

interface Hash {
  (bytes: Uint8Array): Uint8Array;
  /** of the digest, in bytes */
  readonly outputLen: number;
  /** of a block, in bytes */
  readonly blockLen: number;
}

export const sha256 = hash("SHA256", 32, 64);
export const sha512 = hash("SHA512", 64, 128);

function hash(type: "SHA256" | "SHA512", outputLen: number, blockLen: number): Hash {
  const digest = (bytes: Uint8Array): Uint8Array => {
    const state = new Digest(type);
    state.write(bytes);
    return new Uint8Array(state.close());
  };
  return Object.assign(digest, { outputLen, blockLen });
}
