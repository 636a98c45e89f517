// Signatures on their way to a thread that verifies them: one buffer for many, so that they cross together.
// An entry: algorithm (1 byte, two's complement), x (32), y (32, of ESP256 alone), length (4), message, the signature as a byte string
// (2 + 64): so a record without disclosures ends itself.

import { ED25519, ESP256, type PublicKey } from "../../src/wire/key.js";
import { signedSize, writeSigned } from "../ledger/record-scan.js";

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
  /** What was added, as a view of its memory. */
  bytes(): Uint8Array;
}

const COORDINATE_BYTES = 32;
const SIGNATURE_BYTES = 64;
/** Of a byte string of so many (RFC 8949 section 3, major type 2). */
const SIGNATURE_HEAD = Uint8Array.of(0x58, SIGNATURE_BYTES);
const LENGTH_BYTES = 4;
/** Of a message. */
const ROOM_BYTES = 32_768;
const ROOMS_KEPT = 64;

/** Memory of messages that were answered. The threads share it: what crosses with each would be memory for the collector to look after. */
const rooms: Uint8Array[] = [];

/** Takes the memory of a message that nobody reads any more. */
export function reuseMessage({ buffer }: Uint8Array): void {
  if (buffer.byteLength === ROOM_BYTES && rooms.length < ROOMS_KEPT) rooms.push(new Uint8Array(buffer));
}

export function createVerifyingMessage(): VerifyingMessage {
  let packed = rooms.pop() ?? sharedBytes(ROOM_BYTES);
  let length = 0;
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
      if (length > 0 && needed > ROOM_BYTES) return false;
      if (needed > packed.length) packed = sharedBytes(needed);
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
    bytes: () => packed.subarray(0, length),
  };
}

function sharedBytes(length: number): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(length));
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
