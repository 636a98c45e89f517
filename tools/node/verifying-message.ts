// Signatures on their way to a thread that verifies them: one buffer for many, so that they cross together and are copied once.
// An entry: algorithm (1 byte, two's complement), x (32), y (32, of ESP256 alone), signature (64), length (4), message.

import { ED25519, ESP256, type PublicKey } from "../../src/wire/key.js";

export interface Verification {
  readonly key: PublicKey;
  readonly message: Uint8Array;
  /** 64 bytes */
  readonly signature: Uint8Array;
}

const COORDINATE_BYTES = 32;
const SIGNATURE_BYTES = 64;
const LENGTH_BYTES = 4;

/** Keys and signatures must have their lengths. */
export function packVerifications(verifications: readonly Verification[]): Uint8Array {
  let length = 0;
  for (const { key, message } of verifications) length += headBytes(key.algorithm) + message.length;
  const packed = new Uint8Array(length);
  const view = new DataView(packed.buffer);
  let offset = 0;
  const put = (bytes: Uint8Array) => {
    packed.set(bytes, offset);
    offset += bytes.length;
  };
  for (const { key, message, signature } of verifications) {
    view.setInt8(offset, key.algorithm);
    offset += 1;
    put(key.x);
    if (key.algorithm === ESP256) put(key.y);
    put(signature);
    view.setUint32(offset, message.length);
    offset += LENGTH_BYTES;
    put(message);
  }
  return packed;
}

/** The verifications as views of what `packVerifications` made. */
export function* unpackVerifications(packed: Uint8Array): Generator<Verification, void> {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.length);
  let offset = 0;
  const take = (length: number) => {
    offset += length;
    return packed.subarray(offset - length, offset);
  };
  while (offset < packed.length) {
    const algorithm = view.getInt8(offset);
    offset += 1;
    const x = take(COORDINATE_BYTES);
    const key: PublicKey =
      algorithm === ESP256 ? { algorithm: ESP256, x, y: take(COORDINATE_BYTES) } : { algorithm: ED25519, x };
    const signature = take(SIGNATURE_BYTES);
    const length = view.getUint32(offset);
    offset += LENGTH_BYTES;
    yield { key, message: take(length), signature };
  }
}

function headBytes(algorithm: PublicKey["algorithm"]): number {
  const coordinates = algorithm === ESP256 ? 2 : 1;
  return 1 + coordinates * COORDINATE_BYTES + SIGNATURE_BYTES + LENGTH_BYTES;
}
