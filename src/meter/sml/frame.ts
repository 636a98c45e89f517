// Finds SML files in a stream of bytes: SML 1.04, transport protocol version 1 (section 8). `1b1b1b1b 01010101`, the file with each
// `1b1b1b1b` doubled, `1b1b1b1b 1a`, the count of fill bytes, and a CRC over all that went before.

import { crc16Kermit, crc16X25 } from "../crc16.js";
import { hex4 } from "../hex.js";

/** A file of forty entries with signatures stays below 2 kB. */
export const smlBytesMax = 4096;

export interface SmlFrame {
  readonly kind: "frame";
  /** As received, from the start sequence to the CRC. */
  readonly bytes: Uint8Array;
  /** The SML file: without transport, doubled escapes and fill bytes. */
  readonly file: Uint8Array;
}

export type SmlCut =
  | SmlFrame
  | {
      readonly kind: "refused";
      readonly reason: "crc" | "truncated" | "oversized" | "malformed";
      readonly detail: string;
    };

export interface SmlFramer {
  push(bytes: Uint8Array): SmlCut[];
  /** Refuses what is pending. */
  end(): SmlCut[];
  /** Bytes outside files so far. */
  readonly noiseBytes: number;
}

const escapeByte = 0x1b;
const escapeSequence = 0x1b1b1b1b;
const version1 = 0x01010101;
const endOfFile = 0x1a;
/** Start sequence, and escape with fill count and CRC. */
const startBytes = 8;
const endBytes = 8;
/** The transport knows up to three fill bytes; meters of DZG fill what is a multiple of four already with four more. */
const fillBytesMax = 4;

/** A framer with an empty buffer; `kermit` as the meter's profile says. It never throws, and holds at most one file. */
export function createSmlFramer(kermit: boolean): SmlFramer {
  const buffer = new Uint8Array(smlBytesMax);
  let length = 0;
  let inside = false;
  /** The last eight bytes of the stream. */
  let earlier = 0;
  let latest = 0;
  /** Escape bytes in a row, and how many bytes of an escape's command are to come. */
  let run = 0;
  let commandLeft = 0;
  let outsideBytes = 0;
  let noiseBytes = 0;

  const begin = (): void => {
    buffer.fill(escapeByte, 0, 4);
    buffer.fill(1, 4, startBytes);
    length = startBytes;
    inside = true;
    run = 0;
    commandLeft = 0;
    outsideBytes = 0;
  };

  const refuse = (cuts: SmlCut[], reason: "truncated" | "oversized" | "malformed", detail: string): void => {
    inside = false;
    cuts.push({ kind: "refused", reason, detail });
  };

  /** A file cut off behind an escape hides the start of the next one: it looks like a doubled escape. */
  const complete = (cuts: SmlCut[]): void => {
    const whole = cut(buffer, 0, length, kermit);
    const start = whole.kind === "frame" ? 0 : lastStart(buffer, length);
    const behind = start > 0 ? cut(buffer, start, length, kermit) : whole;
    if (start > 0 && behind.kind === "frame") {
      refuse(cuts, "truncated", `a new file begins after ${start} bytes`);
      cuts.push(behind);
    } else cuts.push(whole);
  };

  const obey = (cuts: SmlCut[]): void => {
    if (latest === escapeSequence) return;
    if (latest === version1) {
      refuse(cuts, "truncated", `a new file begins after ${length - 8} bytes`);
      begin();
    } else if (latest >>> 24 === endOfFile) {
      inside = false;
      complete(cuts);
    } else {
      refuse(cuts, "malformed", `unknown escape ${hex4(latest >>> 16)}${hex4(latest & 0xffff)}`);
    }
  };

  const take = (byte: number, cuts: SmlCut[]): void => {
    earlier = (earlier << 8) | (latest >>> 24);
    latest = (latest << 8) | byte;
    if (!inside) {
      outsideBytes++;
      if (earlier === escapeSequence && latest === version1) begin();
      else if (outsideBytes > startBytes) noiseBytes++;
      return;
    }
    if (length === smlBytesMax) {
      refuse(cuts, "oversized", `no end within ${smlBytesMax} bytes`);
      return;
    }
    buffer[length++] = byte;
    if (commandLeft > 0) {
      commandLeft--;
      if (commandLeft === 0) obey(cuts);
      return;
    }
    run = byte === escapeByte ? run + 1 : 0;
    if (run === 4) {
      run = 0;
      commandLeft = 4;
    }
  };

  return {
    push(bytes) {
      const cuts: SmlCut[] = [];
      for (let index = 0; index < bytes.length; index++) take(bytes[index]!, cuts);
      return cuts;
    },
    end() {
      const cuts: SmlCut[] = [];
      if (inside) refuse(cuts, "truncated", `no end of file after ${length} bytes`);
      earlier = 0;
      latest = 0;
      return cuts;
    },
    get noiseBytes() {
      return noiseBytes;
    },
  };
}

/** Copies the file that begins at `start` out of the buffer once its CRC is right. */
function cut(buffer: Uint8Array, start: number, length: number, kermit: boolean): SmlCut {
  const fill = buffer[length - 3]!;
  const first = buffer[length - 2]!;
  const second = buffer[length - 1]!;
  const x25Holds = (second << 8) + first === crc16X25(buffer, start, length - 2);
  const kermitHolds = (first << 8) + second === crc16Kermit(buffer, start, length - 2);
  if (kermit ? !kermitHolds : !x25Holds) {
    const hint = kermitHolds ? "; it is a CRC-16/KERMIT, which a meter's profile must name" : "";
    return { kind: "refused", reason: "crc", detail: `the file's CRC ${hex4((second << 8) + first)} is wrong${hint}` };
  }
  if (fill > fillBytesMax || start + startBytes + fill > length - endBytes) {
    return { kind: "refused", reason: "malformed", detail: `${fill} fill bytes` };
  }
  const bytes = buffer.slice(start, length);
  return { kind: "frame", bytes, file: unescaped(bytes.subarray(startBytes, bytes.length - endBytes - fill)) };
}

/** Where the last start sequence behind the first is; 0 where there is none. */
function lastStart(buffer: Uint8Array, length: number): number {
  for (let start = length - startBytes - endBytes; start > 0; start--) {
    let index = 0;
    while (index < startBytes && buffer[start + index] === (index < 4 ? escapeByte : 1)) index++;
    if (index === startBytes) return start;
  }
  return 0;
}

/** Each `1b1b1b1b 1b1b1b1b` becomes one `1b1b1b1b`; a file without any is not copied. */
function unescaped(transported: Uint8Array): Uint8Array {
  let file: Uint8Array | undefined;
  let length = 0;
  let run = 0;
  for (let index = 0; index < transported.length; index++) {
    const byte = transported[index]!;
    if (file !== undefined) file[length] = byte;
    length++;
    run = byte === escapeByte ? run + 1 : 0;
    if (run === 4) {
      run = 0;
      file ??= transported.slice();
      index += 4;
    }
  }
  return file === undefined ? transported : file.subarray(0, length);
}
