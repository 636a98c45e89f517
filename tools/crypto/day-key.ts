// The key of an envelope: made by the original node, split for custodians by Shamir's scheme over GF(256), put together again by who
// holds a grant. Each record's disclosures have a key of their own that follows from it.

import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { combine, split } from "shamir-secret-sharing";
import { encodeCbor } from "../../src/wire/cbor.js";
import type { SealedDisclosures } from "../../src/wire/sealed-disclosure.js";
import { NONCE_BYTES } from "../../src/wire/sealed-disclosure.js";

const KEY_BYTES = 32;
const TAG_BYTES = 16;
/** What tells a record's key from others of the same day key. */
const recordInfo = (kid: Uint8Array, seq: number) => encodeCbor(["gs1/record-key", kid, seq]);

export function generateDayKey(): Uint8Array {
  return Uint8Array.from(randomBytes(KEY_BYTES));
}

/** So many shares of the key, of which `threshold` open it. With a threshold of one each share is the key. */
export async function splitKey(key: Uint8Array, shares: number, threshold: number): Promise<readonly Uint8Array[]> {
  return threshold === 1 ? Array.from({ length: shares }, () => Uint8Array.from(key)) : split(key, shares, threshold);
}

/** The key of as many shares as its envelope's threshold says; of fewer, or of others, something else. */
export async function combineShares(shares: readonly Uint8Array[]): Promise<Uint8Array> {
  return shares.length === 1 ? shares[0]! : combine([...shares]);
}

type Place = Pick<SealedDisclosures, "kid" | "seq" | "recordHash">;

/** Encrypts under the record's own key, with its hash as associated data. */
export function sealDisclosures(
  key: Uint8Array,
  { kid, seq, recordHash }: Place,
  plaintext: Uint8Array,
): Pick<SealedDisclosures, "nonce" | "ciphertext"> {
  const nonce = Uint8Array.from(randomBytes(NONCE_BYTES));
  return { nonce, ciphertext: encryptDisclosures(key, { kid, seq, recordHash, nonce }, plaintext) };
}

/** With a nonce that is given. No nonce may serve twice under one record's key. */
export function encryptDisclosures(
  key: Uint8Array,
  { kid, seq, recordHash, nonce }: Place & Pick<SealedDisclosures, "nonce">,
  plaintext: Uint8Array,
): Uint8Array {
  const cipher = createCipheriv("aes-256-gcm", recordKey(key, kid, seq), nonce);
  cipher.setAAD(recordHash);
  return Uint8Array.from(Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]));
}

/** What was encrypted; undefined where the key is another or the bytes are not what was made. */
export function openDisclosures(key: Uint8Array, sealed: SealedDisclosures): Uint8Array | undefined {
  const { kid, seq, recordHash, nonce, ciphertext } = sealed;
  if (ciphertext.length < TAG_BYTES) return undefined;
  try {
    const decipher = createDecipheriv("aes-256-gcm", recordKey(key, kid, seq), nonce);
    decipher.setAAD(recordHash);
    decipher.setAuthTag(ciphertext.subarray(-TAG_BYTES));
    return Uint8Array.from(Buffer.concat([decipher.update(ciphertext.subarray(0, -TAG_BYTES)), decipher.final()]));
  } catch {
    return undefined;
  }
}

function recordKey(key: Uint8Array, kid: Uint8Array, seq: number): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", key, new Uint8Array(0), recordInfo(kid, seq), KEY_BYTES));
}
