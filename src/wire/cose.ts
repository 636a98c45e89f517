// COSE_Sign1 (RFC 9052 section 4.2) as Gridseal uses it: tag 18 required, the algorithm in the protected header alone, which is
// never empty; and COSE_Sign, for what several keys sign. Received bytes are verified as they came, never encoded again.

import { equalBytes } from "./bytes.js";
import { type CborValue, decodeCbor, decodeCborViews, encodeCbor } from "./cbor.js";
import { byteStringHeadLength, writeByteStringHead } from "./cbor-pieces.js";
import { WireError } from "./error.js";
import { ED25519, ESP256, type PublicKey, type Signer, type Verify } from "./key.js";
import { asArray, asBytes, asMap } from "./shape.js";

const TAG_18 = 0xd2;
const PROTECTED_BYTES_MAX = 128;
const empty = new Uint8Array(0);

export interface Sign1 {
  readonly algorithm: number;
  /** protected header 4; absent where the key is known from elsewhere */
  readonly kid: Uint8Array | undefined;
  readonly protected: Uint8Array;
  readonly unprotected: ReadonlyMap<number | string, CborValue>;
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
}

/** Parses a tagged COSE_Sign1 of at most `size` bytes, its parts being views of them; the signature is not checked. */
export function parseSign1(bytes: Uint8Array, size: number): Sign1 {
  if (bytes[0] !== TAG_18) throw new WireError("shape", "COSE_Sign1 must begin with tag 18");
  if (bytes.length > size) throw new WireError("limit", `COSE_Sign1 of ${bytes.length} bytes is larger than ${size}`);
  const parts = asArray(decodeCborViews(bytes.subarray(1), { size, items: 4096 }), "COSE_Sign1", 4);
  const protectedBytes = asBytes(parts[0], "COSE_Sign1 protected header");
  const { algorithm, kid } = readHeader(protectedBytes);
  const unprotected = parts[1];
  if (!(unprotected instanceof Map)) throw new WireError("shape", "COSE_Sign1 unprotected header must be a map");
  if (unprotected.has(1)) throw new WireError("shape", "COSE_Sign1 algorithm stands outside the protected header");
  return {
    algorithm,
    kid,
    protected: protectedBytes,
    unprotected,
    payload: asBytes(parts[2], "COSE_Sign1 payload"),
    signature: asBytes(parts[3], "COSE_Sign1 signature", 64),
  };
}

function readHeader(bytes: Uint8Array): Pick<Sign1, "algorithm" | "kid"> {
  if (isUsualHeader(bytes)) return { algorithm: -1 - (bytes[2]! & 0x1f), kid: bytes.subarray(5) };
  const header = decodeCbor(bytes, { size: PROTECTED_BYTES_MAX, items: 16 });
  if (!(header instanceof Map)) throw new WireError("shape", "COSE_Sign1 protected header must be a map");
  const algorithm = header.get(1);
  if (typeof algorithm !== "number") throw new WireError("shape", "COSE_Sign1 protected header must name an algorithm");
  for (const key of header.keys()) {
    if (key !== 1 && key !== 4)
      throw new WireError("unsupported", `COSE_Sign1 protected header ${String(key)} is not understood`);
  }
  const kid = header.get(4);
  return { algorithm, kid: kid === undefined ? undefined : asBytes(kid, "COSE_Sign1 kid") };
}

/** Whether the header is { 1: -19 / -9, 4: 8 bytes }, as it is in every record: there is one encoding of that. */
function isUsualHeader(bytes: Uint8Array): boolean {
  const isKnown = bytes[2] === 0x32 || bytes[2] === 0x28;
  return bytes.length === 13 && bytes[0] === 0xa2 && bytes[1] === 1 && isKnown && bytes[3] === 4 && bytes[4] === 0x48;
}

/** One of the signatures of a COSE_Sign. */
export interface CoseSignature {
  readonly protected: Uint8Array;
  readonly signature: Uint8Array;
}

/** The parts of a tagged COSE_Sign (RFC 9052 section 4.1) of at most `size` bytes, whose own headers are empty. */
export function parseSign(
  bytes: Uint8Array,
  size: number,
): { readonly payload: Uint8Array; readonly signatures: readonly CoseSignature[] } {
  if (!isSign(bytes)) throw new WireError("shape", "COSE_Sign must begin with tag 98");
  if (bytes.length > size) throw new WireError("limit", `COSE_Sign of ${bytes.length} bytes is larger than ${size}`);
  const [header, unprotected, payload, items] = asArray(
    decodeCborViews(bytes.subarray(2), { size, items: 256 }),
    "COSE_Sign",
    4,
  );
  asBytes(header, "COSE_Sign protected header", 0);
  asMap(unprotected, "COSE_Sign unprotected header", []);
  const signatures = asArray(items, "COSE_Sign signatures").map((item) => {
    const [own, beside, signature] = asArray(item, "COSE_Signature", 3);
    asMap(beside, "COSE_Signature unprotected header", []);
    return {
      protected: asBytes(own, "COSE_Signature protected header"),
      signature: asBytes(signature, "COSE_Signature", 64),
    };
  });
  return { payload: asBytes(payload, "COSE_Sign payload"), signatures };
}

/** Whether bytes begin as a COSE_Sign does: tag 98. */
export function isSign(bytes: Uint8Array): boolean {
  return bytes[0] === 0xd8 && bytes[1] === 98;
}

/** The tagged COSE_Sign. */
export function encodeSign(payload: Uint8Array, signatures: readonly CoseSignature[]): Uint8Array {
  const items = signatures.map((each): CborValue => [each.protected, new Map(), each.signature]);
  const untagged = encodeCbor([empty, new Map(), payload, items]);
  const bytes = new Uint8Array(untagged.length + 2);
  bytes[0] = 0xd8;
  bytes[1] = 98;
  bytes.set(untagged, 2);
  return bytes;
}

/** A signature to stand in a COSE_Sign over the payload, with the key's id in its header. */
export function coseSignature(payload: Uint8Array, signer: Signer, kid: Uint8Array): CoseSignature {
  const header = protectedHeader(signer.key.algorithm, kid);
  return { protected: header, signature: signer.sign(signBytes(header, payload)) };
}

/** Whether it is the key's over the payload: its header names this key and its algorithm, and nothing else. */
export function verifyCoseSignature(
  payload: Uint8Array,
  { protected: header, signature }: CoseSignature,
  { key, kid }: { readonly key: PublicKey; readonly kid: Uint8Array },
  verify: Verify,
): boolean {
  return equalBytes(header, protectedHeader(key.algorithm, kid)) && verify(key, signBytes(header, payload), signature);
}

/** Sig_structure of one of several signatures (RFC 9052 section 4.4). */
function signBytes(header: Uint8Array, payload: Uint8Array): Uint8Array {
  return encodeCbor(["Signature", empty, header, empty, payload]);
}

/** How every Sig_structure of a COSE_Sign1 begins: an array of four, the text "Signature1". */
export const SIGN1_CONTEXT = Uint8Array.of(0x84, 0x6a, 0x53, 0x69, 0x67, 0x6e, 0x61, 0x74, 0x75, 0x72, 0x65, 0x31);

/** Sig_structure (RFC 9052 section 4.4): the bytes that are signed. Put together by hand, as every node does it for every record. */
export function sign1Bytes(
  protectedBytes: Uint8Array,
  payload: Uint8Array,
  externalAad: Uint8Array = empty,
): Uint8Array {
  const parts = [protectedBytes, externalAad, payload];
  let length = SIGN1_CONTEXT.length;
  for (const part of parts) length += byteStringHeadLength(part.length) + part.length;
  const bytes = new Uint8Array(length);
  bytes.set(SIGN1_CONTEXT);
  let offset = SIGN1_CONTEXT.length;
  for (const part of parts) {
    offset = writeByteStringHead(bytes, offset, part.length);
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

/** The tagged COSE_Sign1. */
export function encodeSign1(
  protectedBytes: Uint8Array,
  unprotected: ReadonlyMap<number, CborValue>,
  payload: Uint8Array,
  signature: Uint8Array,
): Uint8Array {
  const untagged = encodeCbor([protectedBytes, unprotected, payload, signature]);
  const bytes = new Uint8Array(untagged.length + 1);
  bytes[0] = TAG_18;
  bytes.set(untagged, 1);
  return bytes;
}

/** Protected header { 1: algorithm, ? 4: kid }. */
export function protectedHeader(algorithm: number, kid?: Uint8Array): Uint8Array {
  const header = new Map<number, CborValue>([[1, algorithm]]);
  if (kid !== undefined) header.set(4, kid);
  return encodeCbor(header);
}

/** Signs a payload; `kid` goes into the protected header where it is given. */
export function sign1(payload: Uint8Array, signer: Signer, kid?: Uint8Array, externalAad?: Uint8Array): Uint8Array {
  const header = protectedHeader(signer.key.algorithm, kid);
  return encodeSign1(header, new Map(), payload, signer.sign(sign1Bytes(header, payload, externalAad)));
}

/** Whether the message is signed by the key, with the algorithm that belongs to the key. */
export function verifySign1(message: Sign1, key: PublicKey, verify: Verify, externalAad?: Uint8Array): boolean {
  if (message.algorithm !== key.algorithm) return false;
  if (key.algorithm !== ED25519 && key.algorithm !== ESP256) return false;
  return verify(key, sign1Bytes(message.protected, message.payload, externalAad), message.signature);
}
