// Whether the bytes of a capture look like those of a protocol though no frame of it is whole: what chance does not make. Random bytes, a
// picture or a program are of no protocol, whatever single bytes of them could begin.

import { crc16Modbus, crc16X25 } from "../../../src/meter/crc16.js";
import type { Protocol } from "../../../src/meter/reader.js";

const flag = 0x7e;
const mbusStart = 0x68;
const mbusStop = 0x16;
const generalGloCiphering = 0xdb;
const titleBytes = 8;
const smlStart = Buffer.from("1b1b1b1b01010101", "hex");
/** Format and length, two addresses of one to four bytes, control. */
const headerBytesMin = 5;
const headerBytesMax = 11;
/** Address, function, first register, count, CRC. */
const questionBytes = 8;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const tab = 0x09;
const space = 0x20;
const ticLinesMin = 3;
/** So much of a capture is characters where a line was disturbed. */
const textShare = 0.9;
/** A code and the group behind it, or a header's line. */
const object = /\d\.\d{1,3}(?:\.\d{1,3})?(?:\*\d{1,3})?\(/;
const header = /(?:^|[\r\n])\/[A-Za-z]{3}[0-9A-Za-z]/;

/** Whether what is broken in a capture may be frames of this protocol. */
export function hasTrace(protocol: Protocol, capture: Uint8Array): boolean {
  switch (protocol) {
    case "p1":
      return hasText(capture) || (capture[0] === generalGloCiphering && capture[1] === titleBytes);
    case "d0":
      return hasText(capture);
    case "sml":
      return Buffer.from(capture).includes(smlStart);
    case "hdlc":
      return hasHdlcFrame(capture);
    case "mbus":
      return hasMbusFrame(capture);
    case "modbus":
      return hasModbusQuestion(capture);
    case "tic":
      return hasTicLines(capture);
    case "push":
      // Nothing but whole messages is one.
      return false;
    default:
      return true;
  }
}

/** What share of the bytes are printable characters or control characters of a line. */
export function shareOfText(bytes: Uint8Array): number {
  let characters = 0;
  for (const byte of bytes) if ((byte >= 0x20 && byte < 0x7f) || isControl(byte)) characters++;
  return bytes.length === 0 ? 0 : characters / bytes.length;
}

/** STX, ETX, EOT, ACK, HT, LF, CR. */
function isControl(byte: number): boolean {
  return (byte >= 2 && byte <= 4) || byte === 6 || byte === 9 || byte === 10 || byte === 13;
}

function hasText(capture: Uint8Array): boolean {
  if (shareOfText(capture) < textShare) return false;
  const text = Buffer.from(capture).toString("latin1");
  return object.test(text) || header.test(text);
}

/** A header whose check holds, or frames from flag to flag that are a quarter of the capture. */
function hasHdlcFrame(capture: Uint8Array): boolean {
  let covered = 0;
  for (let start = 0; start + 2 < capture.length; start++) {
    if (capture[start] !== flag || (capture[start + 1]! & 0xf0) !== 0xa0) continue;
    for (let length = headerBytesMin; length <= headerBytesMax; length++) {
      const check = start + 1 + length;
      if (check + 1 >= capture.length) break;
      if (crc16X25(capture, start + 1, check) === capture[check]! + 256 * capture[check + 1]!) return true;
    }
    const length = ((capture[start + 1]! & 7) << 8) | capture[start + 2]!;
    if (capture[start + length + 1] === flag) covered += length;
  }
  return 4 * covered >= capture.length && covered > 0;
}

/** A question for registers whose CRC holds: by it alone a broken answer is told from any other bytes. */
function hasModbusQuestion(capture: Uint8Array): boolean {
  for (let start = 0; start + questionBytes <= capture.length; start++) {
    if (capture[start + 1] !== 3 && capture[start + 1] !== 4) continue;
    const check = start + questionBytes - 2;
    if (crc16Modbus(capture, start, check) === capture[check]! + 256 * capture[check + 1]!) return true;
  }
  return false;
}

/** A frame from start to stop, or one that is cut off by the end and a quarter of the capture. */
function hasMbusFrame(capture: Uint8Array): boolean {
  for (let start = 0; start + 3 < capture.length; start++) {
    const length = capture[start + 1]!;
    if (capture[start] !== mbusStart || capture[start + 3] !== mbusStart || capture[start + 2] !== length) continue;
    const end = start + (length < 3 ? length + 256 : length) + 5;
    if (capture[end] === mbusStop || (end >= capture.length && 4 * (capture.length - start) >= capture.length)) {
      return true;
    }
  }
  return false;
}

/** Lines of LF, label, value, check, CR whose check holds; it covers the last separator in standard mode alone. */
function hasTicLines(capture: Uint8Array): boolean {
  let lines = 0;
  for (let first = capture.indexOf(lineFeed); first >= 0; first = capture.indexOf(lineFeed, first + 1)) {
    const end = capture.indexOf(carriageReturn, first);
    if (end < 0) break;
    const separator = capture[end - 2];
    if (separator !== tab && separator !== space) continue;
    let sum = 0;
    for (let index = first + 1; index < (separator === tab ? end - 1 : end - 2); index++) sum += capture[index]!;
    if (capture[end - 1] === (sum & 0x3f) + space) lines++;
  }
  return lines >= ticLinesMin;
}
