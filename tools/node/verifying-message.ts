// Signatures on their way to a thread that verifies them: one buffer for many, so that they cross together.
// An entry: algorithm (1 byte, two's complement), x (32), y (32, of ESP256 alone), length (4), message, the signature as a byte string
// (2 + 64): so a record without disclosures ends itself.

import { ED25519, ESP256, type PublicKey } from "../../src/wire/key.js";
import { signedSize, writeSigned } from "./chain/record-scan.js";

export interface Verification {
  readonly key: PublicKey;
  readonly message: Uint8Array;
  /** 64 bytes */
  readonly signature: Uint8Array;
}

/** A record without disclosures and the key that must have signed it. */
export interface RecordVerification {
  readonly key: PublicKey;
  readonly record: Uint8Array;
}

export interface VerifyingMessage {
  /** False, and nothing added, where it has no room; an empty one has room for anything. Key and signature must have their lengths. */
  add(verification: Verification | RecordVerification): boolean;
  /** A copy. */
  bytes(): Uint8Array;
}

const COORDINATE_BYTES = 32;
const SIGNATURE_BYTES = 64;
/** Of a byte string of so many (RFC 8949 section 3, major type 2). */
const SIGNATURE_HEAD = Uint8Array.of(0x58, SIGNATURE_BYTES);
const LENGTH_BYTES = 4;
/** Records are a few hundred bytes: of so much at first, a message grows to so much. */
const ROOM_BYTES_MIN = 1_024;
const ROOM_BYTES_MAX = 32_768;

export function createVerifyingMessage(): VerifyingMessage {
  let packed = new Uint8Array(ROOM_BYTES_MIN);
  let length = 0;
  const makeRoom = (needed: number) => {
    const larger = new Uint8Array(Math.max(needed, Math.min(2 * packed.length, ROOM_BYTES_MAX)));
    larger.set(packed.subarray(0, length));
    packed = larger;
  };
  const put = (bytes: Uint8Array) => {
    packed.set(bytes, length);
    length += bytes.length;
  };
  return {
    add(verification) {
      const { key } = verification;
      const isRecord = "record" in verification;
      const signed_bytes = isRecord
        ? signedSize(verification.record)
        : verification.message.length + SIGNATURE_HEAD.length + SIGNATURE_BYTES;
      const needed = length + headBytes(key.algorithm) + signed_bytes;
      if (length > 0 && needed > ROOM_BYTES_MAX) return false;
      if (needed > packed.length) makeRoom(needed);
      packed[length] = key.algorithm & 0xff;
      length += 1;
      put(key.x);
      if (key.algorithm === ESP256) put(key.y);
      const message_bytes = signed_bytes - SIGNATURE_HEAD.length - SIGNATURE_BYTES;
      for (let shift = 24; shift >= 0; shift -= 8) {
        packed[length] = message_bytes >>> shift;
        length += 1;
      }
      if (isRecord) {
        writeSigned(verification.record, packed, length);
        length += signed_bytes;
      } else {
        put(verification.message);
        put(SIGNATURE_HEAD);
        put(verification.signature);
      }
      return true;
    },
    bytes: () => packed.slice(0, length),
  };
}

/** What was added, as views of the message. */
export function* verificationsIn(packed: Uint8Array): Generator<Verification, void> {
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
    const length = view.getUint32(offset);
    offset += LENGTH_BYTES;
    const message = take(length);
    offset += SIGNATURE_HEAD.length;
    yield { key, message, signature: take(SIGNATURE_BYTES) };
  }
}

function headBytes(algorithm: PublicKey["algorithm"]): number {
  const coordinates = algorithm === ESP256 ? 2 : 1;
  return 1 + coordinates * COORDINATE_BYTES + LENGTH_BYTES;
}
