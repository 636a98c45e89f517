// The order of a map's keys in deterministic CBOR (RFC 8949 section 4.2.1), which either codec writes them in.

import { compareBytes } from "./bytes.js";

const textEncoder = new TextEncoder();

/** Bytewise order of the encoded keys: unsigned integers, then negative ones from -1 down, then text, shorter text first. */
export function compareKeys(left: number | string, right: number | string): number {
  if (typeof left === "number" && typeof right === "number") {
    if (left < 0 !== right < 0) return left < 0 ? 1 : -1;
    return left < 0 ? right - left : left - right;
  }
  if (typeof left === "number") return -1;
  if (typeof right === "number") return 1;
  const leftBytes = textEncoder.encode(left);
  const rightBytes = textEncoder.encode(right);
  return leftBytes.length - rightBytes.length || compareBytes(leftBytes, rightBytes);
}
