// The points of Ed25519 whose order divides 8, by their bytes. With one of them as key or as R the equation of RFC 8032 holds for
// signatures that say nothing of a secret. Node 24 refuses both, Node 20 and 22, and noble, take them: nobody's predicate may differ.

import { fromHex } from "./bytes.js";

const POINT_BYTES = 32;
/** y coordinates, little-endian: 0, 1, p - 1, p, p + 1, and the two of order 8. */
const coordinates = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
].map((hex) => fromHex(hex)!);

/** Whether the first 32 bytes encode such a point, canonically or not, with either sign. */
export function isSmallOrder(bytes: Uint8Array): boolean {
  for (const coordinate of coordinates) if (startsWithPoint(bytes, coordinate)) return true;
  return false;
}

function startsWithPoint(bytes: Uint8Array, coordinate: Uint8Array): boolean {
  const last = POINT_BYTES - 1;
  for (let index = 0; index < last; index += 1) if (bytes[index] !== coordinate[index]) return false;
  return (bytes[last]! & 0x7f) === coordinate[last];
}
