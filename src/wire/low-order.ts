// The points of Curve25519 with which no secret can be agreed: X25519 comes to zeros whatever the other's key (RFC 7748, section 6.1).

import { toHex } from "./bytes.js";

/** u coordinates, little-endian as hex, the highest bit clear: 0, 1, the two of order 8, p - 1, p, p + 1. */
export const lowOrderPoints: readonly string[] = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

/** Whether nothing can be sealed to the key of 32 bytes. The highest bit counts for nothing (section 5). */
export function isLowOrder(key: Uint8Array): boolean {
  const unsigned = Uint8Array.from(key);
  unsigned[31]! &= 0x7f;
  return lowOrderPoints.includes(toHex(unsigned));
}
