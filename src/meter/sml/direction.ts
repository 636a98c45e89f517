// Which way power flows by the status word of an SML meter (FNN Lastenheft Basiszaehler, status word of EDL meters): bit 8 is set above
// the starting current, bit 11 where the sum is fed in, bits 12 to 14 where a phase is. Meters differ in what they write beside it: a
// signed power, its magnitude, or a magnitude in a signed field that is too short for it (DZG). The word tells them apart.

import type { SmlNumber } from "./cursor.js";

/** What the status word says of a stated power. */
export type Direction =
  /** Value and word agree, or the word does not say. */
  | { readonly kind: "agrees" }
  /** The number's sign is not the power's: `value` has the right one. */
  | { readonly kind: "mended"; readonly value: number }
  /** Fed in by the number, drawn by the word, and nothing explains it. */
  | { readonly kind: "contradicts" };

const agrees: Direction = { kind: "agrees" };
const contradicts: Direction = { kind: "contradicts" };
/** The lowest byte of every word of this layout, and the highest word there is. */
const pattern = 0x04;
const wordMax = 0xffffff;
const aboveStart = 0x0100;
/** An older layout, of EMH and Iskraemeco: bit 7 always set, bit 5 where power is fed in. */
const olderPattern = 0x80;
const olderFeedIn = 0x20;
/** Value group C of a power with a sign, and the bit of its direction. */
const feedInBits: readonly (readonly [quantity: number, bit: number])[] = [
  [16, 0x0800],
  [36, 0x1000],
  [56, 0x2000],
  [76, 0x4000],
];
/** DZG: its powers of up to three bytes are magnitudes in a signed field. */
const shortBytesMax = 3;
const dzg = "445a47";

/** What `status` says of the power `obis` that the meter of this server id states. */
export function directionOf(status: number, obis: Uint8Array, stated: SmlNumber, meter: string): Direction {
  const feedIn = feedInBitOf(obis);
  const { value, width, signed } = stated;
  if (feedIn === 0 || typeof value !== "number" || value === 0) return agrees;
  if (status > wordMax || (status & 0xff) !== pattern) return olderDirectionOf(status, obis, value);
  if ((status & feedIn) !== 0) return value > 0 ? { kind: "mended", value: -value } : agrees;
  if (value > 0) return agrees;
  const isShort = signed && width <= shortBytesMax && (status & aboveStart) !== 0;
  return isShort && meter.includes(dzg) ? { kind: "mended", value: value + 256 ** width } : contradicts;
}

/** Of the older layout two meters alone are known: it raises doubts and mends nothing. */
function olderDirectionOf(status: number, obis: Uint8Array, value: number): Direction {
  if (obis[2] !== 16 || status > wordMax || (status & olderPattern) === 0) return agrees;
  return (status & olderFeedIn) !== 0 && value > 0 ? contradicts : agrees;
}

function feedInBitOf(obis: Uint8Array): number {
  if (obis[0] !== 1 || obis[3] !== 7) return 0;
  for (let index = 0; index < feedInBits.length; index++) {
    const pair = feedInBits[index]!;
    if (pair[0] === obis[2]) return pair[1];
  }
  return 0;
}
