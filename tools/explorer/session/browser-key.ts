// A key of this browser's own key store (WebCrypto), which no page can read out: it signs here, and nowhere else.

import { ED25519, ESP256, type PublicKey, type Signer } from "../../../src/wire/key.js";

export type Algorithm = "Ed25519" | "ESP256";

/** As it is kept: the private key is a handle. */
export interface BrowserKey {
  readonly algorithm: Algorithm;
  readonly pair: CryptoKeyPair;
}

const COORDINATE_BYTES = 32;
/** Order of P-256 (SEC 2, section 2.4.2). */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const creating = { Ed25519: { name: "Ed25519" }, ESP256: { name: "ECDSA", namedCurve: "P-256" } } as const;
const signing = { Ed25519: { name: "Ed25519" }, ESP256: { name: "ECDSA", hash: "SHA-256" } } as const;

/** Whether this page may have keys: browsers give them to pages that came by TLS or from this machine. */
export function hasKeys(): boolean {
  return globalThis.isSecureContext && crypto.subtle !== undefined;
}

/** Rejects where the browser does not know the algorithm. */
export async function createKey(algorithm: Algorithm): Promise<BrowserKey> {
  const pair = await crypto.subtle.generateKey(creating[algorithm], false, ["sign", "verify"]);
  return { algorithm, pair: pair as CryptoKeyPair };
}

export async function publicKeyOf({ algorithm, pair }: BrowserKey): Promise<PublicKey> {
  const raw = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  if (algorithm === "Ed25519") return { algorithm: ED25519, x: raw };
  // An uncompressed point: 4, x, y.
  return { algorithm: ESP256, x: raw.slice(1, 1 + COORDINATE_BYTES), y: raw.slice(1 + COORDINATE_BYTES) };
}

/**
 * What `make` makes with a signature of this key. The forms of the wire sign at once and a key store does not: `make` runs twice, first to
 * say what is to be signed, then with its signature.
 */
export async function signedBy<Made>(key: BrowserKey, make: (signer: Signer) => Made): Promise<Made> {
  const publicKey = await publicKeyOf(key);
  let message: Uint8Array | undefined;
  const asking: Signer = {
    key: publicKey,
    sign(bytes) {
      message = Uint8Array.from(bytes);
      return new Uint8Array(2 * COORDINATE_BYTES);
    },
  };
  make(asking);
  if (message === undefined) throw new Error("nothing was to be signed");
  const signed = await crypto.subtle.sign(signing[key.algorithm], key.pair.privateKey, Uint8Array.from(message));
  const signature = new Uint8Array(signed);
  if (key.algorithm === "ESP256") makeLow(signature);
  return make({ key: publicKey, sign: () => signature });
}

/** Of the two s that verify the cluster takes the lower (PROTOCOL.md, section 2). */
function makeLow(signature: Uint8Array): void {
  let s = 0n;
  for (const byte of signature.subarray(COORDINATE_BYTES)) s = s * 256n + BigInt(byte);
  if (2n * s <= ORDER) return;
  let low = ORDER - s;
  for (let at = signature.length - 1; at >= COORDINATE_BYTES; at -= 1) {
    signature[at] = Number(low & 255n);
    low >>= 8n;
  }
}
