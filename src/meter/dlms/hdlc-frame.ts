// Finds HDLC frames of format type 3 in a stream of bytes (IEC 62056-46, section 6.4; ISO/IEC 13239): `7E`, format and length, two
// addresses, control, a check of the header, information, a check of all, `7E`. Nothing is escaped: the length tells where it ends.

import { crc16X25 } from "../crc16.js";
import { hex4 } from "../hex.js";
import { createSlidingFramer, type SlidingFramer } from "../sliding.js";

/** One frame whose checks hold. */
export interface HdlcFrame {
  readonly kind: "frame";
  /** With both flags. */
  readonly bytes: Uint8Array;
  /** The information field; empty in a frame that has none. */
  readonly information: Uint8Array;
  /** More segments of the same information follow. */
  readonly segmented: boolean;
}

export type HdlcCut =
  | HdlcFrame
  | { readonly kind: "refused"; readonly reason: "crc" | "truncated"; readonly detail: string };

/** Eleven bits of length, and two flags. */
const frameBytesMax = 2047 + 2;
const flag = 0x7e;
const formatType3 = 0xa0;
const segmentation = 0x08;
/** Format, one byte each of the addresses, control, and the frame check. */
const lengthMin = 7;
const addressBytesMax = 4;

/** A framer with a buffer of 2 kB. */
export function createHdlcFramer(): SlidingFramer<HdlcCut> {
  return createSlidingFramer(frameBytesMax, examine, flag);
}

function examine(buffer: Uint8Array, length: number, cuts: HdlcCut[]): number {
  if (buffer[0] !== flag) return -1;
  if (length < 3) return length > 1 && (buffer[1]! & 0xf0) !== formatType3 ? -1 : length + 1;
  const stated = ((buffer[1]! & 7) << 8) | buffer[2]!;
  if ((buffer[1]! & 0xf0) !== formatType3 || stated < lengthMin) return -1;
  const control = controlAt(buffer, Math.min(length, stated - 1));
  if (control < 0) return length > 3 + 2 * addressBytesMax || length >= stated - 1 ? -1 : length + 1;
  const headerEnd = control + 1;
  const hasInformation = stated > headerEnd + 1;
  if (hasInformation) {
    if (length < headerEnd + 2) return headerEnd + 2;
    if (!holds(buffer, headerEnd)) return refuse(cuts, "the check of its header is wrong");
  }
  if (length < stated + 2) return stated + 2;
  if (buffer[stated + 1] !== flag) return refuse(cuts, `its length says ${stated}, and it does not end there`);
  if (!holds(buffer, stated - 1)) {
    const given = hex4(buffer[stated - 1]! | (buffer[stated]! << 8));
    return refuse(cuts, `its check is ${given}, its bytes give ${hex4(crc16X25(buffer, 1, stated - 1))}`);
  }
  const bytes = buffer.slice(0, stated + 2);
  const information = hasInformation ? bytes.subarray(headerEnd + 2, stated - 1) : bytes.subarray(0, 0);
  cuts.push({ kind: "frame", bytes, information, segmented: (bytes[1]! & segmentation) !== 0 });
  // The closing flag may be the next frame's opening one.
  return -(stated + 1);
}

function refuse(cuts: HdlcCut[], detail: string): number {
  cuts.push({ kind: "refused", reason: "crc", detail });
  return -1;
}

/** Index of the control field behind the two addresses, the last byte of each of which is odd; -1 while it is not known. */
function controlAt(buffer: Uint8Array, length: number): number {
  let position = 3;
  for (let address = 0; address < 2; address++) {
    const first = position;
    while (position < length && (buffer[position]! & 1) === 0 && position - first < addressBytesMax - 1) position++;
    if (position >= length || (buffer[position]! & 1) === 0) return -1;
    position++;
  }
  return position < length ? position : -1;
}

/** Whether the two bytes at `end` are the check of what is between the flag and them, low byte first. */
function holds(buffer: Uint8Array, end: number): boolean {
  return crc16X25(buffer, 1, end) === (buffer[end]! | (buffer[end + 1]! << 8));
}
