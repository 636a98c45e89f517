// What a capture is that no reader reads, where it can be told: a protocol that is known and not supported, or bytes that a log has
// changed on their way. Each answer rests on something that chance does not make: checks that hold, parity that holds.

import { crc16Modbus } from "../../../src/meter/crc16.js";
import { hasTrace, shareOfText } from "./capture-trace.js";

/** What it is, and whether a reader would be needed (`unsupported`) or another capture (`no-frame`). */
export interface Foreign {
  readonly reason: "unsupported" | "no-frame";
  readonly detail: string;
}

/** What some editors put before UTF-8. */
const byteOrderMark = [0xef, 0xbb, 0xbf];
/** The beginning is enough. */
const examinedBytes = 64 * 1024;

/** What the capture is; undefined where it cannot be told. */
export function foreignCapture(capture: Uint8Array): Foreign | undefined {
  const bytes = capture.subarray(0, examinedBytes);
  const spoiled = parityOf(bytes) ?? otherText(bytes) ?? linkyOf(bytes);
  if (spoiled !== undefined) return { reason: "no-frame", detail: spoiled };
  const protocol = wideModbusOf(bytes) ?? shortFramesOf(bytes) ?? radioOf(bytes);
  return protocol === undefined ? undefined : { reason: "unsupported", detail: `unsupported protocol: ${protocol}` };
}

/** The bytes without the mark before them, where they have one. */
export function withoutByteOrderMark(bytes: Uint8Array): Uint8Array {
  return byteOrderMark.every((byte, index) => bytes[index] === byte) ? bytes.subarray(byteOrderMark.length) : bytes;
}

/** Characters of seven bits whose eighth is their parity, or always set. */
function parityOf(bytes: Uint8Array): string | undefined {
  let marked = 0;
  let even = 0;
  for (const byte of bytes) {
    if (byte >= 0x80) marked++;
    if (onesOf(byte) % 2 === 0) even++;
  }
  // Some bytes may have been changed, or hold a check.
  const most = bytes.length - Math.floor(bytes.length / 20) - 2;
  if (bytes.length < 16 || 8 * marked < bytes.length) return undefined;
  if (shareOfText(bytes.map((byte) => byte & 0x7f)) < 0.95) return undefined;
  const parity = even >= most ? "even" : bytes.length - even >= most ? "odd" : marked >= most ? "mark" : undefined;
  if (parity === undefined) return undefined;
  return (
    `its bytes are characters of seven bits with a parity bit (${parity}): a line of 7 data bits that was logged with 8; ` +
    "read the port with 7 data bits and that parity, or clear the highest bit of each byte"
  );
}

function onesOf(byte: number): number {
  let ones = 0;
  for (let rest = byte; rest > 0; rest &= rest - 1) ones++;
  return ones;
}

/** UTF-16, or hex that is not spelled as `readCapture` reads it. */
function otherText(bytes: Uint8Array): string | undefined {
  const order = bytes[0]! * 256 + bytes[1]!;
  if (order === 0xfffe || order === 0xfeff) {
    return "it is text in UTF-16, as some editors and shells write it: save it as plain text, or as bytes";
  }
  const characters = withoutByteOrderMark(bytes);
  if (shareOfText(characters) < 1) return undefined;
  const text = Buffer.from(characters).toString("latin1");
  // A pair stands by itself, whatever is put before or behind it: `1bh`, `\x1b`, `$1b`, `1b|1b`, `0000: 1b1b 1b1b`.
  const pairs = text.match(/(?<![0-9a-z])(?:0?x|\$|#|&h)?(?:[0-9a-f]{2}){1,4}h?(?![0-9a-z])/gi) ?? [];
  // The letter that says "hex" may stand by itself: `1b h`.
  const words = (text.match(/[0-9a-z]+/gi) ?? []).filter((word) => !/^h$/i.test(word));
  const runs = text.match(/(?:[0-9a-f]{2}){16,}/gi) ?? [];
  const inRuns = runs.reduce((sum, run) => sum + run.length, 0);
  if ((pairs.length >= 8 && 4 * pairs.length >= 3 * words.length) || (inRuns >= 64 && 2 * inRuns >= text.length)) {
    return (
      "it is text that looks like hex digits in another spelling: pairs of hex digits alone are read, " +
      "with spaces, line ends, commas, colons or 0x between them"
    );
  }
  return undefined;
}

const stx = 0x02;

/** Lines of TIC without the characters between which their frames are. */
function linkyOf(bytes: Uint8Array): string | undefined {
  if (bytes.includes(stx) || !hasTrace("tic", bytes)) return undefined;
  return (
    "its lines are those of a French meter's customer port (TIC) without STX and ETX, between which each frame is: " +
    "keep the bytes as they come"
  );
}

/** A question for n registers, and an answer of another length than 2n bytes; the CRC of both holds. */
function wideModbusOf(bytes: Uint8Array): string | undefined {
  for (let start = 0; start + 8 < bytes.length; start++) {
    const operation = bytes[start + 1]!;
    if ((operation !== 3 && operation !== 4) || !holds(bytes, start, start + 6)) continue;
    const count = bytes[start + 4]! * 256 + bytes[start + 5]!;
    const answer = start + 8;
    const length = bytes[answer + 2]!;
    if (bytes[answer] !== bytes[start] || bytes[answer + 1] !== operation || length === 2 * count) continue;
    if (holds(bytes, answer, answer + 3 + length)) {
      return "Modbus RTU with registers of four bytes or other widths that the Portuguese EMI has not";
    }
  }
  return undefined;
}

function holds(bytes: Uint8Array, start: number, end: number): boolean {
  return end + 1 < bytes.length && crc16Modbus(bytes, start, end) === bytes[end]! + 256 * bytes[end + 1]!;
}

const shortStart = 0x10;
const shortStop = 0x16;
const shortBytes = 5;
const acknowledgement = 0xe5;

/** Nothing but short frames of M-Bus, `10 C A sum 16`: a meter that waits for an answer before it says more. */
function shortFramesOf(bytes: Uint8Array): string | undefined {
  let frames = 0;
  for (let start = 0; start < bytes.length; ) {
    if (bytes[start] === acknowledgement) {
      start++;
      continue;
    }
    const sum = (bytes[start + 1]! + bytes[start + 2]!) & 0xff;
    if (bytes[start] !== shortStart || bytes[start + 3] !== sum || bytes[start + 4] !== shortStop) return undefined;
    frames++;
    start += shortBytes;
  }
  if (frames === 0) return undefined;
  return "wired M-Bus, of which only short frames came: who sends them waits for an answer, as AMIS meters do";
}

const sendNoReply = 0x44;
const firstBlockBytes = 10;
const blockBytes = 16;

/** One telegram that says how long it is, with or without the CRC of each of its blocks (EN 13757-4, frame format A). */
function radioOf(bytes: Uint8Array): string | undefined {
  const body = bytes[0]! + 1;
  if (bytes[1] !== sendNoReply || body <= firstBlockBytes) return undefined;
  const blocks = 1 + Math.ceil((body - firstBlockBytes) / blockBytes);
  if (bytes.length !== body && bytes.length !== body + 2 * blocks) return undefined;
  return "wireless M-Bus of EN 13757-4";
}
