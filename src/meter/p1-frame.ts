// Finds P1 telegrams in a stream of bytes: `/` header, lines, `!`, up to four CRC digits, line end (DSMR P1 5.0.2, section 6.2;
// without the CRC in DSMR 2.2, 3.0 and IEC 62056-21 mode D). One buffer of fixed size; what does not fit is refused.

import { crc16Arc } from "./crc16.js";
import { hex4 } from "./hex.js";

/** A telegram of 13 monthly peaks and four M-Bus channels stays below 4 kB. */
export const telegramBytesMax = 8192;

/** Bytes of one telegram that passed its CRC, or that carries none. */
export interface P1Frame {
  readonly kind: "frame";
  /** From `/` to the line end after the CRC. */
  readonly bytes: Uint8Array;
  /** Index of `!` in `bytes`. */
  readonly end: number;
  /** False where the telegram carries no CRC. */
  readonly checked: boolean;
}

export type P1Cut =
  | P1Frame
  | { readonly kind: "refused"; readonly reason: "crc" | "truncated" | "oversized"; readonly detail: string };

export interface P1Framer {
  push(bytes: Uint8Array): P1Cut[];
  /** Completes or refuses what is pending. */
  end(): P1Cut[];
  /** Bytes outside telegrams so far, line ends not counted. */
  readonly noiseBytes: number;
}

const slash = 0x2f;
const exclamation = 0x21;
const carriageReturn = 0x0d;
const lineFeed = 0x0a;
const crcDigits = 4;

/** Where in a telegram the stream is: before it, in its lines, in its CRC digits, or after the carriage return behind them. */
type Place = "outside" | "lines" | "crc" | "lineEnd";

/** A framer with an empty buffer. It never throws, and holds at most one telegram. */
export function createP1Framer(): P1Framer {
  const buffer = new Uint8Array(telegramBytesMax);
  let length = 0;
  let place: Place = "outside";
  let exclamationAt = 0;
  /** The last `/` within a line: there a second telegram may begin where the first was cut off. */
  let slashAt = 0;
  let noiseBytes = 0;

  const begin = (): void => {
    buffer[0] = slash;
    length = 1;
    slashAt = 0;
    place = "lines";
  };

  const complete = (cuts: P1Cut[]): void => {
    place = "outside";
    const first = cut(buffer, 0, exclamationAt, length);
    if (slashAt > 0) {
      const second = cut(buffer, slashAt, exclamationAt, length);
      if (second.kind === "frame" && (first.kind === "refused" || !first.checked)) {
        cuts.push(truncated(slashAt), second);
        return;
      }
    }
    cuts.push(first);
  };

  const outside = (byte: number): void => {
    if (byte === slash) begin();
    else if (byte !== carriageReturn && byte !== lineFeed) noiseBytes++;
  };

  const withinLines = (byte: number, cuts: P1Cut[]): void => {
    if (byte === slash) {
      if (buffer[length - 1] === lineFeed) {
        cuts.push(truncated(length));
        begin();
        return;
      }
      slashAt = length;
    }
    if (byte === exclamation) {
      exclamationAt = length;
      place = "crc";
    }
    buffer[length++] = byte;
  };

  const afterExclamation = (byte: number, cuts: P1Cut[]): void => {
    const digits = length - exclamationAt - 1;
    if (place === "crc" && digits < crcDigits && hexDigit(byte) >= 0) buffer[length++] = byte;
    else if (place === "crc" && byte === carriageReturn) {
      buffer[length++] = byte;
      place = "lineEnd";
    } else if (byte === lineFeed) {
      buffer[length++] = byte;
      complete(cuts);
    } else {
      complete(cuts);
      outside(byte);
    }
  };

  const take = (byte: number, cuts: P1Cut[]): void => {
    if (place === "outside") outside(byte);
    else if (length === telegramBytesMax) {
      place = "outside";
      cuts.push({ kind: "refused", reason: "oversized", detail: `no end within ${telegramBytesMax} bytes` });
      outside(byte);
    } else if (place === "lines") withinLines(byte, cuts);
    else afterExclamation(byte, cuts);
  };

  return {
    push(bytes) {
      const cuts: P1Cut[] = [];
      for (let index = 0; index < bytes.length; index++) take(bytes[index]!, cuts);
      return cuts;
    },
    end() {
      const cuts: P1Cut[] = [];
      if (place === "lines") cuts.push(truncated(length));
      else if (place !== "outside") complete(cuts);
      place = "outside";
      return cuts;
    },
    get noiseBytes() {
      return noiseBytes;
    },
  };
}

function truncated(length: number): P1Cut {
  return { kind: "refused", reason: "truncated", detail: `no end of telegram after ${length} bytes` };
}

/** Copies the telegram out of the buffer once its CRC, where it has one, is right. */
function cut(buffer: Uint8Array, start: number, exclamationAt: number, length: number): P1Cut {
  let stated = 0;
  let digits = 0;
  for (let index = exclamationAt + 1; index < length; index++) {
    const digit = hexDigit(buffer[index]!);
    if (digit < 0) break;
    stated = stated * 16 + digit;
    digits++;
  }
  if (digits > 0) {
    const computed = crc16Arc(buffer, start, exclamationAt + 1);
    if (stated !== computed) {
      const hint = hasCarriageReturn(buffer, start, exclamationAt)
        ? ""
        : "; its lines end in LF alone, as in an edited copy";
      const detail = `the telegram states ${hex4(stated)}, its bytes give ${hex4(computed)}${hint}`;
      return { kind: "refused", reason: "crc", detail };
    }
  }
  const bytes = buffer.slice(start, length);
  return { kind: "frame", bytes, end: exclamationAt - start, checked: digits > 0 };
}

function hasCarriageReturn(buffer: Uint8Array, start: number, end: number): boolean {
  for (let index = start; index < end; index++) {
    if (buffer[index] === carriageReturn) return true;
  }
  return false;
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
