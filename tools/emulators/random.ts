// Numbers that depend on a seed and a place alone, so that an emulator's hour can be computed without the hours before it.

/** A whole number from 0 to 2^32 - 1 for a seed and up to two coordinates (the finalizer of MurmurHash3 after each). */
export function randomAt(seed: number, first: number, second = 0): number {
  return mix(mix(mix(seed | 0) ^ (first | 0)) ^ (second | 0)) >>> 0;
}

/** From 0 to before 1. */
export function fractionAt(seed: number, first: number, second = 0): number {
  return randomAt(seed, first, second) / 2 ** 32;
}

/** A generator of such numbers in sequence. */
export function createRandom(seed: number): () => number {
  let index = 0;
  return () => fractionAt(seed, index++, 0x52414e44);
}

function mix(value: number): number {
  let bits = (value + 0x9e3779b9) | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}
