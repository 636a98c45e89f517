// Whether two coordinates are a point of P-256 (SP 800-186, section 3.2.1.3): y² = x³ - 3x + b over the field, both below its prime. The
// curve's cofactor is 1, so that every point but the one at infinity, which has no coordinates, is a key.

import { toHex } from "./bytes.js";

const PRIME = "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff";
const B = "5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b";

export function isPoint(x: Uint8Array, y: Uint8Array): boolean {
  // Made here and not at the module's head: XS keeps no bigint in ROM.
  const prime = numberOf(PRIME);
  const [left, right] = [numberOf(toHex(x)), numberOf(toHex(y))];
  if (left >= prime || right >= prime) return false;
  const cubic = left * left * left - BigInt(3) * left + numberOf(B);
  return (right * right - cubic) % prime === BigInt(0);
}

function numberOf(hex: string): bigint {
  return BigInt(`0x${hex}`);
}
