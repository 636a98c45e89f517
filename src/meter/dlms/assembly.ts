// Puts one APDU together from the frames that carry it: HDLC segments behind one LLC header (IEC 62056-46, section 6.4.4.6), M-Bus
// segments numbered in the CI field (EN 13757-1, section 12.3), and blocks of general block transfer (IEC 62056-5-3, tag 224) in either.

import { joined } from "../joined.js";
import type { MbusFrame } from "../mbus/frame.js";
import { scanLength } from "./axdr.js";
import type { HdlcFrame } from "./hdlc-frame.js";

/** An APDU, and the frames that it came in, one after the other. */
export interface Assembled {
  readonly kind: "apdu";
  readonly apdu: Uint8Array;
  readonly frames: Uint8Array;
}

export type Assembly =
  | Assembled
  /** More frames are to come. */
  | { readonly kind: "pending" }
  | {
      readonly kind: "refused";
      readonly reason: "truncated" | "oversized" | "malformed" | "unsupported";
      readonly detail: string;
    };

export interface Assembler<Frame> {
  take(frame: Frame): Assembly[];
  /** A frame was refused, or nothing more comes: what is pending is not completed any more. */
  abandon(): Assembly[];
}

/** A notification of forty objects has 1 kB. */
const apduBytesMax = 4096;
const framesBytesMax = 5120;
const generalBlockTransfer = 0xe0;
const lastBlock = 0x80;
const finalSegment = 0x10;
const segmentMask = 0x0f;
/** Destination and source LSAP, quality (IEC 62056-46, section 6.3). */
const llcBytes = 3;
const applicationError = 0x70;
const recordsControls = [0x69, 0x7b] as const;

/** For HDLC. */
export function createHdlcAssembler(): Assembler<HdlcFrame> {
  const blocks = createBlocks();
  const segments = createPile();
  return {
    take({ bytes, information, segmented }) {
      if (information.length === 0) return [];
      const first = startsWithLlc(information);
      const lost = first && segments.length > 0 ? [...segments.abandon(), ...blocks.abandon()] : [];
      // Some meters send the LLC header before the first block of a transfer alone.
      if (!first && segments.length === 0 && information[0] !== generalBlockTransfer) {
        return [malformed("it begins with no LLC header and continues nothing")];
      }
      const overflow = segments.add(first ? information.subarray(llcBytes) : information, bytes);
      if (overflow !== undefined) return [...lost, overflow];
      return [...lost, ...(segmented ? [pending] : blocks.take(segments.done()))];
    },
    abandon: () => [...segments.abandon(), ...blocks.abandon()].slice(0, 1),
  };
}

/** For M-Bus. */
export function createMbusAssembler(): Assembler<MbusFrame> {
  const blocks = createBlocks();
  const segments = createPile();
  let expected = 0;
  return {
    take({ bytes, control, information }) {
      if (control > (finalSegment | segmentMask)) {
        return [otherApplication(control)];
      }
      const number = control & segmentMask;
      const lost = number === 0 && segments.length > 0 ? [...segments.abandon(), ...blocks.abandon()] : [];
      if (number === 0) expected = 0;
      if (number !== expected) {
        const before = segments.abandon();
        expected = 0;
        return before.length > 0 ? before : [truncated(`segment ${number} came, and none before it`)];
      }
      expected = (number + 1) & segmentMask;
      // Source and destination of the transport come before the data.
      const overflow = segments.add(information.subarray(2), bytes);
      if (overflow !== undefined) return [...lost, overflow];
      if ((control & finalSegment) === 0) return [...lost, pending];
      expected = 0;
      return [...lost, ...blocks.take(segments.done())];
    },
    abandon() {
      expected = 0;
      return [...segments.abandon(), ...blocks.abandon()].slice(0, 1);
    },
  };
}

const pending: Assembly = { kind: "pending" };

/** Collects the blocks of general block transfer; every other APDU passes through. */
function createBlocks(): { take(assembled: Assembled): Assembly[]; abandon(): Assembly[] } {
  const pile = createPile();
  let expected = 1;
  const abandon = (): Assembly[] => {
    expected = 1;
    return pile.abandon();
  };
  return {
    abandon,
    take(assembled) {
      const { apdu, frames } = assembled;
      if (apdu[0] !== generalBlockTransfer) return [...abandon(), assembled];
      // Tag, control, number, number acknowledged, length.
      const length = apdu.length < 6 ? undefined : scanLength(apdu, 6);
      if (length === undefined || length.end + length.value > apdu.length)
        return [...abandon(), malformed("a block is cut off")];
      const number = apdu[2]! * 256 + apdu[3]!;
      const lost = number === 1 ? abandon() : [];
      if (number !== expected) {
        const before = abandon();
        return before.length > 0 ? before : [truncated(`block ${number} came, and none before it`)];
      }
      expected++;
      const overflow = pile.add(apdu.subarray(length.end, length.end + length.value), frames);
      if (overflow !== undefined) {
        expected = 1;
        return [...lost, overflow];
      }
      if ((apdu[1]! & lastBlock) === 0) return [...lost, pending];
      expected = 1;
      return [...lost, pile.done()];
    },
  };
}

interface Pile {
  readonly length: number;
  /** Adds a part and its frame; a refusal, and an empty pile, where they are too many. */
  add(part: Uint8Array, frame: Uint8Array): Assembly | undefined;
  done(): Assembled;
  /** A refusal where something was pending. */
  abandon(): Assembly[];
}

function createPile(): Pile {
  let parts: Uint8Array[] = [];
  let frames: Uint8Array[] = [];
  let bytes = 0;
  let framesBytes = 0;
  const clear = (): void => {
    parts = [];
    frames = [];
    bytes = 0;
    framesBytes = 0;
  };
  return {
    get length() {
      return parts.length;
    },
    add(part, frame) {
      parts.push(part);
      frames.push(frame);
      bytes += part.length;
      framesBytes += frame.length;
      if (bytes <= apduBytesMax && framesBytes <= framesBytesMax) return undefined;
      clear();
      return { kind: "refused", reason: "oversized", detail: `more than ${apduBytesMax} bytes in one message` };
    },
    done() {
      const assembled: Assembled = { kind: "apdu", apdu: joined(parts), frames: joined(frames) };
      clear();
      return assembled;
    },
    abandon() {
      if (parts.length === 0) return [];
      const detail = `only the first ${parts.length} of its parts came, ${bytes} bytes`;
      clear();
      return [truncated(detail)];
    },
  };
}

/** `E6 E7 00`, or `E6 E6 00` in a command. */
function startsWithLlc(information: Uint8Array): boolean {
  return information[0] === 0xe6 && (information[1] === 0xe7 || information[1] === 0xe6) && information[2] === 0;
}

/** What else M-Bus frames carry (EN 13757-3, table of CI fields): of the data of meters what is not read here is said. */
function otherApplication(control: number): Assembly {
  const field = `CI field 0x${control.toString(16)}`;
  if (control === applicationError) return malformed("the meter answers with an application error (CI field 0x70)");
  if (control < recordsControls[0] || control > recordsControls[1])
    return malformed(`its ${field} is none of a DLMS transport and none of data records`);
  return unsupported(`unsupported M-Bus data: an application that is not read (${field})`);
}

function unsupported(detail: string): Assembly {
  return { kind: "refused", reason: "unsupported", detail };
}

function truncated(detail: string): Assembly {
  return { kind: "refused", reason: "truncated", detail };
}

function malformed(detail: string): Assembly {
  return { kind: "refused", reason: "malformed", detail };
}
