// Ciphers of the simulation: what a seed draws in the place of chance, and a keyed stream in the place of HPKE. Readings are encrypted
// as a node does it, and shares are Shamir's: what fewer than the threshold have opens nothing here either.

import { concatBytes, equalBytes } from "../../../../src/wire/bytes.js";
import { sha256 } from "../../../../src/wire/hash.js";
import type { Ciphers } from "../../../crypto/ciphers.js";
import { encryptDisclosures } from "../../../crypto/day-key.js";
import type { DeliveryKeys } from "../../../crypto/hpke.js";
import type { Random } from "../../rig/random.js";

/** What every salt and every day key begins with: found outside a meter, or outside a node's memory, it is what nobody may see. */
export const HIDDEN_MARK = new TextEncoder().encode("unseen:/");
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** x^8 + x^4 + x^3 + x + 1, less its highest term */
const POLYNOMIAL = 0x1b;

/** So many bytes that nobody may see. */
export function markedBytes(random: Random, length: number): Uint8Array {
  return concatBytes(HIDDEN_MARK, random.bytes(length - HIDDEN_MARK.length));
}

/** The X25519 pair of a name, which is none: the simulation's `sealTo` seals to it. */
export function simulatedCustody(name: string): DeliveryKeys {
  const secret = sha256(new TextEncoder().encode(`custody of ${name}`));
  return { secret, key: sha256(secret) };
}

export function createSimulatedCiphers(random: Random): Ciphers {
  return {
    randomBytes: random.bytes,
    generateDayKey: () => markedBytes(random, KEY_BYTES),
    splitKey: async (key, shares, threshold) =>
      threshold === 1
        ? Array.from({ length: shares }, () => Uint8Array.from(key))
        : split(random, key, shares, threshold),
    sealDisclosures(key, place, plaintext) {
      const nonce = random.bytes(NONCE_BYTES);
      return { nonce, ciphertext: encryptDisclosures(key, { ...place, nonce }, plaintext) };
    },
    sealTo(key, info, plaintext) {
      const enc = random.bytes(KEY_BYTES);
      const hidden = xored(plaintext, concatBytes(key, enc, info));
      return { enc, ciphertext: concatBytes(hidden, tagOf(hidden, concatBytes(key, enc, info))) };
    },
    openWith({ secret, key }, info, { enc, ciphertext }) {
      if (ciphertext.length < TAG_BYTES || !equalBytes(key, sha256(secret))) return undefined;
      const hidden = ciphertext.subarray(0, -TAG_BYTES);
      const context = concatBytes(key, enc, info);
      return equalBytes(ciphertext.subarray(-TAG_BYTES), tagOf(hidden, context)) ? xored(hidden, context) : undefined;
    },
  };
}

function tagOf(hidden: Uint8Array, context: Uint8Array): Uint8Array {
  return sha256(concatBytes(context, hidden)).subarray(0, TAG_BYTES);
}

function xored(bytes: Uint8Array, context: Uint8Array): Uint8Array {
  const blocks = Array.from({ length: Math.ceil(bytes.length / 32) }, (_, block) =>
    sha256(concatBytes(Uint8Array.of(block), context)),
  );
  const stream = concatBytes(...blocks);
  return bytes.map((byte, index) => byte ^ stream[index]!);
}

/** The values of a polynomial for each byte at 1, 2, 3 and so on, and behind them the place. */
function split(random: Random, key: Uint8Array, shares: number, threshold: number): Uint8Array[] {
  const polynomials = [...key].map((byte) => [byte, ...random.bytes(threshold - 1)]);
  return Array.from({ length: shares }, (_, index) => {
    const place = index + 1;
    const values = polynomials.map((coefficients) =>
      coefficients.reduceRight((sum, each) => times(sum, place) ^ each, 0),
    );
    return Uint8Array.from([...values, place]);
  });
}

/** In GF(2^8). */
function times(left: number, right: number): number {
  let product = 0;
  for (let [factor, rest] = [left, right]; rest > 0; rest >>= 1) {
    if (rest & 1) product ^= factor;
    factor = ((factor << 1) & 0xff) ^ (factor & 0x80 ? POLYNOMIAL : 0);
  }
  return product;
}
