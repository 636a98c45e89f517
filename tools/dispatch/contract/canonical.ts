// The text that a network's hash is of: its JSON with keys in order and no blanks, as `jq -cS` prints it; and SHA-256 (FIPS 180-4) of
// such a text by integers alone, as contracts have no bytes.

import type { Value } from "../../contracts/author.js";
import { must } from "../../market/amounts.js";

/** Throws a RangeError where a text has other characters than ASCII's visible ones and blank, or a quotation mark or backslash. */
export function canonicalText(value: Value): string {
  if (typeof value === "string") {
    for (const character of value) {
      const isPlain = character >= " " && character <= "~" && character !== '"' && character !== "\\";
      must(isPlain, `a text of a network has plain characters: ${value}`);
    }
    return `"${value}"`;
  }
  if (typeof value !== "object" || value === null) return String(value);
  if (Array.isArray(value)) return `[${(value as readonly Value[]).map(canonicalText).join(",")}]`;
  const fields = value as { readonly [name: string]: Value };
  const names = Object.keys(fields).sort();
  return `{${names.map((name) => `${canonicalText(name)}:${canonicalText(fields[name]!)}`).join(",")}}`;
}

/** First 32 bits of the fractional parts of the cube roots of the first 64 primes (FIPS 180-4, 4.2.2). */
const rounds = [
  ...[0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5],
  ...[0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174],
  ...[0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da],
  ...[0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967],
  ...[0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85],
  ...[0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070],
  ...[0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3],
  ...[0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2],
];
const initial = [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];
const WORDS = 16;

/** In hex, of a text of ASCII. */
export function sha256OfText(text: string): string {
  const state = [...initial];
  const length = text.length;
  const blocks = Math.floor((length + 8) / 64) + 1;
  const byteAt = (at: number) => (at < length ? text.charCodeAt(at) : at === length ? 0x80 : 0);
  for (let block = 0; block < blocks; block += 1) {
    const words: number[] = [];
    for (let word = 0; word < WORDS; word += 1) {
      const at = 64 * block + 4 * word;
      words.push((byteAt(at) << 24) | (byteAt(at + 1) << 16) | (byteAt(at + 2) << 8) | byteAt(at + 3));
    }
    if (block === blocks - 1) {
      words[14] = Math.floor(length / 0x20000000);
      words[15] = (8 * length) | 0;
    }
    compress(state, words);
  }
  return state.map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}

function turned(word: number, by: number): number {
  return (word >>> by) | (word << (32 - by));
}

/** Section 6.2.2; `words` has the first sixteen of the schedule. */
function compress(state: number[], words: number[]): void {
  for (let at = WORDS; at < 64; at += 1) {
    const [near, far] = [words[at - 2]!, words[at - 15]!];
    const one = turned(near, 17) ^ turned(near, 19) ^ (near >>> 10);
    const other = turned(far, 7) ^ turned(far, 18) ^ (far >>> 3);
    words.push((one + words[at - 7]! + other + words[at - 16]!) | 0);
  }
  let [a, b, c, d, e, f, g, h] = state as [number, number, number, number, number, number, number, number];
  for (let at = 0; at < 64; at += 1) {
    const chosen = (e & f) ^ (~e & g);
    const first = (h + (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) + chosen + rounds[at]! + words[at]!) | 0;
    const second = ((turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + first) | 0;
    d = c;
    c = b;
    b = a;
    a = (first + second) | 0;
  }
  for (const [place, word] of [a, b, c, d, e, f, g, h].entries()) state[place] = (state[place]! + word) | 0;
}
