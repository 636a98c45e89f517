// Finds readouts in the stream of a D0 port (IEC 62056-21, section 5): an identification line, then a data block. After a request
// (modes A, B, C and E) the block is STX ... `!` CR LF ETX and a block check character; pushed (mode D) it is bare and ends in `!`.
// What an optical head echoes of our own requests is left out. A block that began with STX or ends in ETX has a check character: one
// that has lost either, or the character, is refused, so that no changed byte steps over the check.

import {
  ack,
  carriageReturn,
  close,
  etx,
  exclamation,
  isHex,
  isIdentifier,
  isNearEtx,
  lineFeed,
  question,
  slash,
  space,
  stx,
  textBefore,
} from "./characters.js";
import { beginsWithVersion, checkFault, crcDigits, crcFault } from "./check.js";

/** A readout with fifteen months of history has 10 kB. */
export const readoutBytesMax = 16_384;

/** A data block, with the identification line before it where there was one. */
export interface D0Frame {
  readonly kind: "frame";
  /** Identification and block as received, without echoes. */
  readonly bytes: Uint8Array;
  /** The line between `/` and CR; empty where there was none. */
  readonly identification: string;
  /** The data sets: index of the first byte and of the `!`. */
  readonly start: number;
  readonly end: number;
  /** True where a block check character or a CRC was right; false where there is none. */
  readonly checked: boolean;
}

export type D0Cut =
  | D0Frame
  /** A meter said what it is: where it was asked, it waits for an answer. */
  | { readonly kind: "identified"; readonly identification: string }
  | { readonly kind: "refused"; readonly reason: "crc" | "truncated" | "oversized"; readonly detail: string };

export interface D0Framer {
  push(bytes: Uint8Array): D0Cut[];
  /** Nothing more comes: completes or refuses what is pending. */
  end(): D0Cut[];
  /** Whether a block has ended but its check character may still come. */
  readonly ending: boolean;
  /** Bytes outside readouts so far, line ends not counted. */
  readonly noiseBytes: number;
}

const firstBufferBytes = 1024;
/** `/XXXZ`, up to 16 characters and a few escapes. */
const identificationBytesMax = 48;
/** Protocol, speed, mode, CR LF (section 6.3.3). */
const echoBytesMax = 5;

/** Where the stream is: outside, in an echo, in an identification, after one, in a block, behind its `!`, at its check character. */
type Place = "outside" | "echo" | "identification" | "identified" | "block" | "tail" | "check";

/**
 * A framer with an empty buffer, which grows to a readout's size. `headless` takes the first byte of the stream, and what follows
 * an echo, for the beginning of a block, as in a log of data blocks alone. It never throws, and holds at most one readout.
 */
export function createD0Framer(headless: boolean): D0Framer {
  let buffer = new Uint8Array(firstBufferBytes);
  let length = 0;
  let place: Place = "outside";
  let identification = "";
  /** Index of STX, or -1 in a block without one; index of the first data set; index of `!`. */
  let stxAt = -1;
  let blockAt = 0;
  let exclamationAt = 0;
  let mayBegin = headless;
  /** Noise came behind the identification: it may have been the STX of the block. */
  let disturbed = false;
  let echoBytes = 0;
  let noiseBytes = 0;

  const append = (byte: number): void => {
    if (length === buffer.length) {
      const grown = new Uint8Array(Math.min(2 * length, readoutBytesMax));
      grown.set(buffer);
      buffer = grown;
    }
    buffer[length++] = byte;
  };

  const reset = (): void => {
    place = "outside";
    identification = "";
    length = 0;
    disturbed = false;
  };

  const beginBlock = (byte: number): void => {
    place = "block";
    stxAt = byte === stx ? length : -1;
    append(byte);
    blockAt = byte === stx ? length : length - 1;
  };

  const beginEcho = (): void => {
    place = "echo";
    echoBytes = 0;
  };

  const outside = (byte: number): void => {
    const headlessHere = mayBegin;
    mayBegin = false;
    if (byte === slash) {
      reset();
      append(byte);
      place = "identification";
    } else if (byte === stx) {
      reset();
      beginBlock(byte);
    } else if (byte === ack) {
      beginEcho();
    } else if (byte === carriageReturn || byte === lineFeed) mayBegin = headlessHere;
    else if (headlessHere && isIdentifier(byte)) {
      reset();
      beginBlock(byte);
    } else noiseBytes++;
  };

  const withinIdentification = (byte: number, cuts: D0Cut[]): void => {
    // A control character belongs to no line: its end is lost, and so may be the STX of a block.
    if (byte === slash || (byte < space && byte !== carriageReturn && byte !== lineFeed)) {
      noiseBytes += byte === slash ? 0 : length;
      reset();
      outside(byte);
      return;
    }
    append(byte);
    if (byte === lineFeed) {
      if (buffer[1] === question) {
        reset();
        mayBegin = headless;
        return;
      }
      identification = textBefore(buffer, length);
      place = "identified";
      cuts.push({ kind: "identified", identification });
    } else if (length > identificationBytesMax) {
      noiseBytes += length;
      reset();
    }
  };

  const afterIdentification = (byte: number): void => {
    if (byte === stx || (isIdentifier(byte) && !disturbed)) beginBlock(byte);
    else if (byte === carriageReturn || byte === lineFeed) append(byte);
    else if (byte === ack) beginEcho();
    else if (byte === slash) outside(byte);
    else {
      noiseBytes++;
      disturbed = true;
    }
  };

  const withinEcho = (byte: number): void => {
    echoBytes++;
    if (byte === lineFeed) {
      // What is longer was no echo but, behind a changed STX, the first line of a block.
      disturbed ||= echoBytes > echoBytesMax;
      mayBegin = headless && !disturbed;
      place = identification === "" ? "outside" : "identified";
    } else if (byte === stx || byte === slash) outside(byte);
  };

  const withinBlock = (byte: number, cuts: D0Cut[]): void => {
    const atLineStart = buffer[length - 1] === lineFeed;
    if (byte === stx || (byte === slash && atLineStart)) {
      cuts.push(truncated(length));
      reset();
      outside(byte);
      return;
    }
    if (byte === etx) {
      cuts.push(truncated(length));
      reset();
      return;
    }
    // Within a group it is a changed byte.
    if (byte === exclamation && (atLineStart || length === blockAt || buffer[length - 1] === close)) {
      exclamationAt = length;
      place = "tail";
    }
    append(byte);
  };

  /** Behind `!`: up to four CRC digits, line end, and ETX where there is a check character. Before anything else it was no end. */
  const afterExclamation = (byte: number, cuts: D0Cut[]): void => {
    const last = buffer[length - 1]!;
    const isDigit = isHex(byte) && last !== carriageReturn && length - exclamationAt <= 4;
    const hasDigits = length > exclamationAt + 1 && isHex(buffer[exclamationAt + 1]!);
    if (last === lineFeed || byte === etx) behindBlock(byte, cuts);
    else if (isDigit || byte === carriageReturn || byte === lineFeed) {
      append(byte);
      // A CRC stands where a check character would: nothing more comes.
      if (byte === lineFeed && stxAt < 0 && hasDigits) complete(cuts);
    } else if (byte === slash && stxAt < 0 && hasDigits) behindBlock(byte, cuts);
    else {
      place = "block";
      withinBlock(byte, cuts);
    }
  };

  const behindBlock = (byte: number, cuts: D0Cut[]): void => {
    if (stxAt >= 0 && byte === etx) {
      append(byte);
      place = "check";
    } else if (stxAt >= 0 || (isNearEtx(byte) && (identification !== "" || !isIdentifier(byte)))) {
      const detail =
        stxAt >= 0 ? "ends without the ETX and check character of its STX" : "ends in an ETX, and has lost its STX";
      cuts.push({ kind: "refused", reason: "crc", detail: `the readout ${detail}` });
      reset();
      if (byte !== etx) outside(byte);
    } else {
      complete(cuts);
      outside(byte);
    }
  };

  const checkCharacter = (byte: number, cuts: D0Cut[]): void => {
    const fault = checkFault(buffer, stxAt, length, byte);
    append(byte);
    cuts.push(fault === undefined ? frameOf(true) : { kind: "refused", reason: "crc", detail: fault });
    reset();
    mayBegin = headless;
  };

  /** A block that ended without a check character: a log may have lost it, a line has not. */
  const complete = (cuts: D0Cut[]): void => {
    const digits = crcDigits(buffer, exclamationAt + 1, length);
    // Only a log begins in a telegram, and one that lacks the header alone has every line of it.
    const lacksHeader = identification === "" && stxAt < 0 && beginsWithVersion(buffer, blockAt);
    const fault = digits === "" || lacksHeader ? undefined : crcFault(buffer, exclamationAt, digits, identification);
    if (fault !== undefined) cuts.push({ kind: "refused", reason: "crc", detail: fault });
    else if (digits !== "") cuts.push(frameOf(!lacksHeader));
    else if (stxAt >= 0 && !headless)
      cuts.push({ kind: "refused", reason: "crc", detail: "the readout's check character did not come" });
    else cuts.push(frameOf(false));
    reset();
    mayBegin = headless;
  };

  const frameOf = (checked: boolean): D0Frame => {
    const bytes = buffer.slice(0, length);
    return { kind: "frame", bytes, identification, start: blockAt, end: exclamationAt, checked };
  };

  const take = (byte: number, cuts: D0Cut[]): void => {
    if (length === readoutBytesMax) {
      cuts.push({ kind: "refused", reason: "oversized", detail: `no end within ${readoutBytesMax} bytes` });
      reset();
    }
    switch (place) {
      case "outside":
        return outside(byte);
      case "echo":
        return withinEcho(byte);
      case "identification":
        return withinIdentification(byte, cuts);
      case "identified":
        return afterIdentification(byte);
      case "block":
        return withinBlock(byte, cuts);
      case "tail":
        return afterExclamation(byte, cuts);
      case "check":
        return checkCharacter(byte, cuts);
    }
  };

  return {
    push(bytes) {
      const cuts: D0Cut[] = [];
      for (let index = 0; index < bytes.length; index++) take(bytes[index]!, cuts);
      return cuts;
    },
    end() {
      const cuts: D0Cut[] = [];
      if (place === "block" || place === "check") cuts.push(truncated(length));
      else if (place === "tail") complete(cuts);
      reset();
      mayBegin = headless;
      return cuts;
    },
    get ending() {
      return place === "tail" || place === "check";
    },
    get noiseBytes() {
      return noiseBytes;
    },
  };
}

function truncated(length: number): D0Cut {
  return { kind: "refused", reason: "truncated", detail: `no end of readout after ${length} bytes` };
}
