// Stand-ins for signatures in tests: a fast keyed hash that only the harness can compute.

import { concatBytes, equalBytes } from "../../src/wire/bytes.js";

export const genesisHash = new Uint8Array(32).fill(7);
export const chain = 3;

/** 64 bytes that depend on the signer and on every byte (two lanes of FNV-1a, spread by a finaliser). */
export function fakeSign(node: string, bytes: Uint8Array): Uint8Array {
  let a = 0x811c9dc5;
  let b = 0x01234567;
  for (let index = 0; index < node.length; index += 1) {
    a = Math.imul(a ^ node.charCodeAt(index), 0x01000193);
    b = Math.imul(b ^ node.charCodeAt(index), 0x85ebca6b);
  }
  for (let index = 0; index < bytes.length; index += 1) {
    a = Math.imul(a ^ bytes[index]!, 0x01000193);
    b = Math.imul((b ^ bytes[index]!) + (b >>> 15), 0xc2b2ae35);
  }
  const lane = new Uint8Array(8);
  new DataView(lane.buffer).setUint32(0, a >>> 0);
  new DataView(lane.buffer).setUint32(4, b >>> 0);
  return concatBytes(lane, lane, lane, lane, lane, lane, lane, lane);
}

export function fakeVerify(node: string, bytes: Uint8Array, signature: Uint8Array): boolean {
  return equalBytes(signature, fakeSign(node, bytes));
}

/** The id of the n-th node of a test. */
export function nodeId(index: number): string {
  return (0xa000_0000 + index).toString(16).padStart(16, "0");
}
