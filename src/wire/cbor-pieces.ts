// Pieces of what is encoded by hand where `encodeCbor` of the whole would cost too much: one buffer more, or a copy more, for each record.

import { type CborValue, encodeCbor } from "./cbor.js";

/** The encoded items one behind the other, at most 23 of them: an array of them without its head, which is one byte. */
export function encodeItems(items: readonly CborValue[]): Uint8Array {
  return encodeCbor(items).subarray(1);
}

/** Bytes of the head of a byte string of less than 2^32. */
export function byteStringHeadLength(length: number): number {
  return length < 24 ? 1 : length < 0x100 ? 2 : length < 0x10000 ? 3 : 5;
}

/** Writes the head of a byte string (RFC 8949 section 3, major type 2) and returns the offset behind it. */
export function writeByteStringHead(bytes: Uint8Array, offset: number, length: number): number {
  const headLength = byteStringHeadLength(length);
  bytes[offset] = headLength === 1 ? 0x40 | length : headLength === 2 ? 0x58 : headLength === 3 ? 0x59 : 0x5a;
  for (let index = 1; index < headLength; index += 1) bytes[offset + index] = length >>> (8 * (headLength - 1 - index));
  return offset + headLength;
}
