// SHA-256 (FIPS 180-4) of ASCII text, for contracts, which have neither typed arrays nor a library. Words are integers of 32 bits.

import { must } from "./amounts.js";

const WORDS = 16;
const MASK = 0xffff_ffff;

/** The digest as 64 hex digits. Throws a RangeError where a character is beyond ASCII. */
export function sha256OfText(text: string): string {
  const bytes: number[] = [];
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    must(code < 0x80, "a text that is hashed is ASCII");
    bytes.push(code);
  }
  const bits = 8 * bytes.length;
  bytes.push(0x80);
  while (bytes.length % 64 !== 56) bytes.push(0);
  for (let shift = 56; shift >= 0; shift -= 8) bytes.push(shift > 24 ? 0 : (bits >>> shift) & 0xff);
  const hash = [...initial];
  for (let at = 0; at < bytes.length; at += 64) compress(hash, blockOf(bytes, at));
  return hash.map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}

function blockOf(bytes: readonly number[], at: number): number[] {
  const words: number[] = [];
  for (let index = 0; index < WORDS; index += 1) {
    const [a, b, c, d] = bytes.slice(at + 4 * index, at + 4 * index + 4);
    words.push((a! << 24) | (b! << 16) | (c! << 8) | d!);
  }
  return words;
}

function compress(hash: number[], words: number[]): void {
  for (let index = WORDS; index < 64; index += 1) {
    const [near, far] = [words[index - 2]!, words[index - 15]!];
    const small0 = rotated(far, 7) ^ rotated(far, 18) ^ (far >>> 3);
    const small1 = rotated(near, 17) ^ rotated(near, 19) ^ (near >>> 10);
    words.push((words[index - 16]! + small0 + words[index - 7]! + small1) | 0);
  }
  let [a, b, c, d, e, f, g, h] = hash as [number, number, number, number, number, number, number, number];
  for (const [index, word] of words.entries()) {
    const big1 = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25);
    const first = (h + big1 + ((e & f) ^ (~e & g)) + rounds[index]! + word) | 0;
    const big0 = rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22);
    const second = (big0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0];
  }
  for (const [index, word] of [a, b, c, d, e, f, g, h].entries()) hash[index] = (hash[index]! + word) | 0;
}

function rotated(word: number, by: number): number {
  return (word >>> by) | (word << (32 - by));
}

/** The first 64 primes' roots: fractions of square roots to begin with, of cube roots a round each. */
const primes = firstPrimes(64);
const initial = primes.slice(0, 8).map((prime) => fractionOfRoot(prime, 2n));
const rounds = primes.map((prime) => fractionOfRoot(prime, 3n));

function firstPrimes(count: number): bigint[] {
  const found: bigint[] = [];
  for (let candidate = 2n; found.length < count; candidate += 1n) {
    if (found.every((prime) => candidate % prime !== 0n)) found.push(candidate);
  }
  return found;
}

/** The first 32 bits behind the point of a root, by halving: floor(root(prime * 2^(32 * degree))) without its whole part. */
function fractionOfRoot(prime: bigint, degree: bigint): number {
  const scaled = prime << (32n * degree);
  let [low, high] = [0n, 1n << 40n];
  while (high - low > 1n) {
    const middle = (low + high) >> 1n;
    const power = degree === 2n ? middle * middle : middle * middle * middle;
    if (power <= scaled) low = middle;
    else high = middle;
  }
  return Number(low & BigInt(MASK)) | 0;
}
