// Public keys as deterministic COSE_Key (RFC 9052 section 7, RFC 9053 section 7) and what verifies with them.
// The verifier is handed in: node:crypto on Node, noble on the meter and in a browser.

import { compareBytes, fromHex } from "./bytes.js";
import { type CborValue, decodeCbor, encodeCbor } from "./cbor.js";
import { WireError } from "./error.js";
import { sha256 } from "./hash.js";
import { isPoint } from "./p256.js";
import { asBytes, asMap, asUint } from "./shape.js";

/** COSE algorithm: Ed25519 (RFC 9864). */
export const ED25519 = -19;
/** COSE algorithm: ESP256, ECDSA with P-256 and SHA-256 (RFC 9864), for keys in secure elements. */
export const ESP256 = -9;

export type PublicKey =
  | { readonly algorithm: typeof ED25519; readonly x: Uint8Array }
  | { readonly algorithm: typeof ESP256; readonly x: Uint8Array; readonly y: Uint8Array };

/** Whether the 64-byte signature of the message is the key's. Never throws: what cannot be checked is false. */
export type Verify = (key: PublicKey, message: Uint8Array, signature: Uint8Array) => boolean;

/** A key that signs; Ed25519 gives the 64 bytes of RFC 8032, ESP256 r and s of 32 bytes each, s in the lower half. */
export interface Signer {
  readonly key: PublicKey;
  sign(message: Uint8Array): Uint8Array;
}

/** The COSE_Key of a key as a map, to stand inside another item. */
export function keyToMap(key: PublicKey): ReadonlyMap<number, CborValue> {
  return key.algorithm === ED25519
    ? new Map<number, CborValue>([
        [1, 1],
        [-1, 6],
        [-2, key.x],
      ])
    : new Map<number, CborValue>([
        [1, 2],
        [-1, 1],
        [-2, key.x],
        [-3, key.y],
      ]);
}

/** The key that a COSE_Key map holds: OKP with Ed25519, or EC2 with P-256. */
export function keyFromMap(value: CborValue | undefined): PublicKey {
  const map = asMap(value, "COSE_Key", [1, -1, -2, -3]);
  const type = asUint(map.get(1), "COSE_Key kty", 4);
  const curve = asUint(map.get(-1), "COSE_Key crv", 8);
  if (type === 1 && curve === 6 && map.size === 3) {
    return { algorithm: ED25519, x: asBytes(map.get(-2), "COSE_Key x", 32) };
  }
  if (type === 2 && curve === 1 && map.size === 4) {
    const [x, y] = [asBytes(map.get(-2), "COSE_Key x", 32), asBytes(map.get(-3), "COSE_Key y", 32)];
    if (!isPoint(x, y)) throw new WireError("shape", "COSE_Key is no point of P-256");
    return { algorithm: ESP256, x, y };
  }
  throw new WireError("unsupported", `COSE_Key of type ${type} and curve ${curve} is not supported`);
}

/** Deterministic COSE_Key bytes. */
export function encodeKey(key: PublicKey): Uint8Array {
  return encodeCbor(keyToMap(key));
}

export function decodeKey(bytes: Uint8Array): PublicKey {
  return keyFromMap(decodeCbor(bytes, { size: 128, items: 16 }));
}

/** Key id: the first 8 bytes of SHA-256 of the COSE_Key. A hint: the full key from the registry decides. */
export function keyId(key: PublicKey): Uint8Array {
  return sha256(encodeKey(key)).slice(0, 8);
}

export function equalKeys(left: PublicKey, right: PublicKey): boolean {
  return compareBytes(encodeKey(left), encodeKey(right)) === 0;
}

/** 8-byte id of a meter or node written as 16 lower-case hex digits; undefined where the text is not that. */
export function idFromText(text: string): Uint8Array | undefined {
  return /^[0-9a-f]{16}$/.test(text) ? fromHex(text) : undefined;
}
