// Finds M-Bus frames in a stream of bytes (EN 13757-2, section 5.6): long ones, `68 L L 68`, control, address, CI, user data, a sum,
// `16`; short ones, `10`, control, address, a sum, `16`; and `E5`, which acknowledges. Customer ports in Austria send up to 258 bytes in one
// frame, more than the standard's 255: their length is stated less 256.

import { createSlidingFramer, type SlidingFramer } from "../sliding.js";

/** One long frame whose sum holds. */
export interface MbusFrame {
  readonly kind: "frame";
  readonly bytes: Uint8Array;
  readonly address: number;
  /** The CI field, and what follows it up to the sum. */
  readonly control: number;
  readonly information: Uint8Array;
}

export type MbusCut =
  | MbusFrame
  /** A short frame: somebody asks. */
  | { readonly kind: "short"; readonly control: number; readonly address: number }
  | { readonly kind: "acknowledged" }
  | { readonly kind: "refused"; readonly reason: "crc" | "truncated"; readonly detail: string };

const lengthModulus = 256;
const start = 0x68;
const shortStart = 0x10;
const shortBytes = 5;
/** Reset, status, alarms and data, the last three with and without the bit that changes. */
const shortControls: readonly number[] = [0x40, 0x49, 0x5a, 0x7a, 0x5b, 0x7b];
const stop = 0x16;
const acknowledgement = 0xe5;
/** Control, address, CI: what states fewer bytes has 256 more. */
const lengthMin = 3;
const frameBytesMax = lengthModulus + lengthMin - 1 + 6;

/** A framer with a buffer of one frame. */
export function createMbusFramer(): SlidingFramer<MbusCut> {
  return createSlidingFramer(frameBytesMax, examine, acknowledgement);
}

function examine(buffer: Uint8Array, length: number, cuts: MbusCut[]): number {
  if (buffer[0] === acknowledgement) {
    cuts.push({ kind: "acknowledged" });
    return -1;
  }
  if (buffer[0] === shortStart) return examineShort(buffer, length, cuts);
  if (buffer[0] !== start) return -1;
  if (length < 4) return 4;
  const stated = buffer[1]!;
  if (buffer[2] !== stated || buffer[3] !== start) return -1;
  const end = (stated < lengthMin ? stated + lengthModulus : stated) + 4;
  if (length < end + 2) return end + 2;
  let sum = 0;
  for (let index = 4; index < end; index++) sum += buffer[index]!;
  if (buffer[end] !== (sum & 0xff) || buffer[end + 1] !== stop) {
    const detail =
      buffer[end + 1] === stop ? "its sum is wrong" : `its length says ${stated}, and it does not end there`;
    cuts.push({ kind: "refused", reason: "crc", detail });
    return -1;
  }
  const bytes = buffer.slice(0, end + 2);
  cuts.push({ kind: "frame", bytes, address: bytes[5]!, control: bytes[6]!, information: bytes.subarray(7, end) });
  return -(end + 2);
}

function examineShort(buffer: Uint8Array, length: number, cuts: MbusCut[]): number {
  if (length < 2) return 2;
  if (!shortControls.includes(buffer[1]!)) return -1;
  if (length < shortBytes) return shortBytes;
  const sum = (buffer[1]! + buffer[2]!) & 0xff;
  if (buffer[3] !== sum || buffer[4] !== stop) return -1;
  cuts.push({ kind: "short", control: buffer[1]!, address: buffer[2]! });
  return -shortBytes;
}
