// Finds P1 telegrams in a stream of bytes: `/` header, lines, `!`, up to four CRC digits, line end (DSMR P1 5.0.2, section 6.2;
// without the CRC in DSMR 2.2, 3.0 and IEC 62056-21 mode D). One buffer, which holds the longest telegram at most; what is longer is
// refused. A `!` ends a telegram where nothing but digits and a line end follows it on a line of its own: within a line it is a changed
// byte, and ending there would step over the CRC.

import { crc16Arc, crc16X25 } from "../crc16.js";
import { hex4 } from "../hex.js";

/** A telegram of 13 monthly peaks and four M-Bus channels stays below 4 kB. */
export const telegramBytesMax = 8192;
/** Doubled until a telegram has room: telegramBytesMax at the most. */
const bufferBytesMin = 1024;
/** Looked at ahead within lines: what ends a telegram is near, or these are gone through again and again. */
const runBytesMax = 256;

/** Bytes of one telegram that passed its CRC, or that carries none. */
export interface P1Frame {
  readonly kind: "frame";
  /** From `/` to the line end after the CRC. */
  readonly bytes: Uint8Array;
  /** Index of `!` in `bytes`. */
  readonly end: number;
  /** False where the telegram carries no CRC. */
  readonly checked: boolean;
  /** Its CRC is a CRC-16/X-25, as its maker has it. */
  readonly quirk: boolean;
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
const open = 0x28;
const close = 0x29;
/** Of the maker, behind the slash. */
const letters = 3;
const carriageReturn = 0x0d;
const lineFeed = 0x0a;
const crcDigits = 4;
/** So many beginnings of a second telegram are tried, each with its CRC. */
const secondsMax = 4;
/** Holley's meters (`/HLY5/D545-METER`) end in a CRC-16/X-25. */
const x25Maker = "HLY";

/** Where in a telegram the stream is: before it, in its lines, in its CRC digits, or after the carriage return behind them. */
type Place = "outside" | "lines" | "crc" | "lineEnd";

/** A framer with an empty buffer. It never throws, and holds at most one telegram. */
export function createP1Framer(): P1Framer {
  return new TelegramFramer();
}

/** A class where closures would do: XS keeps a method once, in ROM, but a closure with all that it uses in RAM. */
class TelegramFramer implements P1Framer {
  noiseBytes = 0;
  /** Grows with the telegrams: most are far shorter than the longest. */
  private buffer = new Uint8Array(bufferBytesMin);
  private length = 0;
  private place: Place = "outside";
  private exclamationAt = 0;
  /** The last `/` within a line: there a second telegram may begin where the first was cut off. */
  private slashAt = 0;

  push(bytes: Uint8Array): P1Cut[] {
    const cuts: P1Cut[] = [];
    for (let index = 0; index < bytes.length; index++) {
      if (this.place === "lines") index += this.takeRun(bytes, index);
      if (index < bytes.length) this.take(bytes[index]!, cuts);
    }
    return cuts;
  }

  /** Takes what stands within lines up to the next byte that may end or begin a telegram, at once; how many bytes. */
  private takeRun(bytes: Uint8Array, start: number): number {
    const near = bytes.subarray(start, start + Math.min(runBytesMax, telegramBytesMax - this.length));
    const slashAt = near.indexOf(slash);
    const exclamationAt = near.indexOf(exclamation);
    const before = slashAt < 0 ? near : near.subarray(0, slashAt);
    const run = exclamationAt < 0 || exclamationAt > before.length ? before : before.subarray(0, exclamationAt);
    this.reserve(run.length);
    this.buffer.set(run, this.length);
    this.length += run.length;
    return run.length;
  }

  end(): P1Cut[] {
    const cuts: P1Cut[] = [];
    if (this.place === "lines") cuts.push(truncated(this.length));
    else if (this.place !== "outside") this.complete(cuts);
    this.place = "outside";
    return cuts;
  }

  private take(byte: number, cuts: P1Cut[]): void {
    if (this.place === "outside") this.outside(byte);
    else if (this.length === telegramBytesMax) {
      this.place = "outside";
      cuts.push({ kind: "refused", reason: "oversized", detail: `no end within ${telegramBytesMax} bytes` });
      this.outside(byte);
    } else if (this.place === "lines") this.withinLines(byte, cuts);
    else this.afterExclamation(byte, cuts);
  }

  private outside(byte: number): void {
    if (byte === slash) this.begin();
    else if (byte !== carriageReturn && byte !== lineFeed) this.noiseBytes++;
  }

  private begin(): void {
    this.buffer[0] = slash;
    this.length = 1;
    this.slashAt = 0;
    this.place = "lines";
  }

  private withinLines(byte: number, cuts: P1Cut[]): void {
    if (byte === slash) {
      if (this.buffer[this.length - 1] === lineFeed) {
        cuts.push(truncated(this.length));
        this.begin();
        return;
      }
      this.slashAt = this.length;
    }
    if (byte === exclamation && this.buffer[this.length - 1] === lineFeed) {
      this.exclamationAt = this.length;
      this.place = "crc";
    }
    this.add(byte);
  }

  private afterExclamation(byte: number, cuts: P1Cut[]): void {
    const digits = this.length - this.exclamationAt - (this.place === "crc" ? 1 : 2);
    if (this.place === "crc" && digits < crcDigits && hexDigit(byte) >= 0) this.add(byte);
    else if (this.place === "crc" && byte === carriageReturn) {
      this.add(byte);
      this.place = "lineEnd";
    } else if (byte === lineFeed) {
      this.add(byte);
      this.complete(cuts);
    } else if (digits === crcDigits || (digits > 0 && (this.place === "lineEnd" || byte === slash))) {
      this.complete(cuts);
      this.outside(byte);
    } else {
      // Without digits, only a whole line end makes it one: nothing else is checked.
      this.place = "lines";
      this.withinLines(byte, cuts);
    }
  }

  private add(byte: number): void {
    this.reserve(1);
    this.buffer[this.length++] = byte;
  }

  /** Makes room for so many bytes; a telegram has no more than telegramBytesMax. */
  private reserve(bytes: number): void {
    let room = this.buffer.length;
    while (room < this.length + bytes) room *= 2;
    if (room === this.buffer.length) return;
    const larger = new Uint8Array(room);
    larger.set(this.buffer);
    this.buffer = larger;
  }

  private complete(cuts: P1Cut[]): void {
    this.place = "outside";
    const first = cut(this.buffer, 0, this.exclamationAt, this.length);
    const second = first.kind === "frame" && first.checked ? undefined : this.second();
    if (second === undefined) cuts.push(first);
    else cuts.push(truncated(this.length - second.bytes.length), second);
  }

  /** The telegram that begins within a line of one that was cut off: at its header's slash, which need not be the last slash. */
  private second(): P1Frame | undefined {
    let tries = 0;
    for (let index = this.slashAt; index > 0 && tries < secondsMax; index--) {
      if (this.buffer[index] !== slash || !isHeader(this.buffer, index, this.exclamationAt)) continue;
      tries++;
      const second = cut(this.buffer, index, this.exclamationAt, this.length);
      if (second.kind === "frame") return second;
    }
    return undefined;
  }
}

function truncated(length: number): P1Cut {
  return { kind: "refused", reason: "truncated", detail: `no end of telegram after ${length} bytes` };
}

/** Whether a header's line begins there and not, within a text, a slash: three letters, and no parenthesis before the line ends. */
function isHeader(buffer: Uint8Array, start: number, end: number): boolean {
  for (let index = start + 1; index < end; index++) {
    const byte = buffer[index]!;
    if (byte === lineFeed) return index > start + letters;
    if (byte === open || byte === close || (index <= start + letters && !isLetter(byte))) return false;
  }
  return false;
}

function isLetter(byte: number): boolean {
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x7a;
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
  let quirk = false;
  if (digits > 0) {
    const computed = crc16Arc(buffer, start, exclamationAt + 1);
    const isX25 = stated !== computed && stated === crc16X25(buffer, start, exclamationAt + 1);
    quirk = isX25 && isOf(x25Maker, buffer, start);
    if (stated !== computed && !quirk) {
      const detail = `the telegram states ${hex4(stated)}, its bytes give ${hex4(computed)}`;
      return { kind: "refused", reason: "crc", detail: detail + hintAt(buffer, start, exclamationAt, isX25) };
    }
  }
  const bytes = buffer.slice(start, length);
  return { kind: "frame", bytes, end: exclamationAt - start, checked: digits > 0, quirk };
}

/** Whether the header names this maker. */
function isOf(maker: string, buffer: Uint8Array, start: number): boolean {
  for (let index = 0; index < maker.length; index++) {
    if (buffer[start + 1 + index] !== maker.charCodeAt(index)) return false;
  }
  return true;
}

function hintAt(buffer: Uint8Array, start: number, end: number, isX25: boolean): string {
  if (isX25) return "; it is a CRC-16/X-25, which is taken from a Holley meter (HLY) alone";
  return hasCarriageReturn(buffer, start, end) ? "" : "; its lines end in LF alone, as in an edited copy";
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
