// Ids read out of longer bytes as hex. Node's build puts tools/crypto/hex.ts in its place, which is twice as fast.

import { toHex } from "./bytes.js";

/** The bytes from `from` to before `to`, in lower case. */
export function hexAt(bytes: Uint8Array, from: number, to: number): string {
  return toHex(bytes.subarray(from, to));
}
