// The guard in front of the CBOR decoder: accepts only the deterministic encoding of RFC 8949 section 4.2.1, and of that only
// what Gridseal's formats use: integers within int64, byte and text strings, arrays, maps with integer or text keys, true,
// false and null. No tags, floats, indefinite lengths or long forms; nothing behind the end. It allocates nothing.

import { WireError, type WireErrorCode } from "./error.js";

export interface GuardLimits {
  /** bytes of the whole item */
  readonly size: number;
  /** data items, map keys and values counted each */
  readonly items: number;
}

/** Levels of arrays and maps; more than any format here has. */
export const DEPTH_MAX = 8;

interface Scan {
  readonly bytes: Uint8Array;
  /** how bytes that end inside the item are refused */
  readonly truncated: WireErrorCode;
  offset: number;
  items: number;
}

/** Throws a WireError unless `bytes` is exactly one acceptable item within the limits. */
export function guardCbor(bytes: Uint8Array, limits: GuardLimits): void {
  if (bytes.length > limits.size) {
    throw new WireError("limit", `CBOR item of ${bytes.length} bytes is larger than ${limits.size}`);
  }
  const scan: Scan = { bytes, truncated: "encoding", offset: 0, items: limits.items };
  scanItem(scan, 0);
  if (scan.offset !== bytes.length) {
    throw new WireError("encoding", `${bytes.length - scan.offset} bytes follow the CBOR item`);
  }
}

/**
 * Length of the CBOR item at the start of `bytes`, which may hold more (a sequence, RFC 8742); throws as `guardCbor` does.
 * An item that does not end within `bytes` is refused with code `limit`: with fewer than `limits.size` bytes at hand more
 * may complete it, with that many it is too large.
 */
export function guardCborPrefix(bytes: Uint8Array, limits: GuardLimits): number {
  const scan: Scan = { bytes: bytes.subarray(0, limits.size), truncated: "limit", offset: 0, items: limits.items };
  scanItem(scan, 0);
  return scan.offset;
}

function scanItem(scan: Scan, depth: number): void {
  scan.items -= 1;
  if (scan.items < 0) throw new WireError("limit", "CBOR has too many items");
  const { bytes } = scan;
  const start = scan.offset;
  if (start >= bytes.length) throw new WireError(scan.truncated, `CBOR ends where an item is due, at byte ${start}`);
  const initial = bytes[start]!;
  const major = initial >> 5;
  if (major === 7) {
    if (initial < 0xf4 || initial > 0xf6) {
      throw new WireError("encoding", `CBOR simple value or float 0x${initial.toString(16)} at byte ${start}`);
    }
    scan.offset = start + 1;
    return;
  }
  if (major === 6) throw new WireError("encoding", `CBOR tag at byte ${start}`);
  const argument = scanArgument(scan, initial & 31);
  // Calls in tail position take no stack in XS, of which a meter has little.
  if (major === 4) return scanArray(scan, argument, depth + 1);
  if (major === 5) return scanMap(scan, argument, depth + 1);
  if (major === 2 || major === 3) scanString(scan, argument, major === 3);
}

/** Reads the argument of the initial byte at the offset and steps behind it. Lengths and counts stay below 2^32. */
function scanArgument(scan: Scan, additional: number): number {
  const { bytes, offset } = scan;
  if (additional < 24) {
    scan.offset = offset + 1;
    return additional;
  }
  if (additional > 27) throw new WireError("encoding", `CBOR indefinite or reserved length at byte ${offset}`);
  const width = 1 << (additional - 24);
  if (offset + 1 + width > bytes.length)
    throw new WireError(scan.truncated, `CBOR ends inside the item at byte ${offset}`);
  scan.offset = offset + 1 + width;
  if (width === 8) {
    let high = 0;
    for (let index = 1; index <= 4; index += 1) high = high * 256 + bytes[offset + index]!;
    if (high === 0) throw new WireError("encoding", `CBOR argument at byte ${offset} is not in its shortest form`);
    if (high >= 0x80000000) throw new WireError("encoding", `CBOR integer at byte ${offset} is outside int64`);
    if (bytes[offset]! >> 5 > 1) throw new WireError("limit", `CBOR length at byte ${offset} is 2^32 or more`);
    return 0; // an integer's value is the decoder's business
  }
  let argument = 0;
  for (let index = 1; index <= width; index += 1) argument = argument * 256 + bytes[offset + index]!;
  const shortest = width === 1 ? argument >= 24 : width === 2 ? argument > 0xff : argument > 0xffff;
  if (!shortest) throw new WireError("encoding", `CBOR argument at byte ${offset} is not in its shortest form`);
  return argument;
}

function scanString(scan: Scan, length: number, text: boolean): void {
  const start = scan.offset;
  if (length > scan.bytes.length - start)
    throw new WireError(scan.truncated, `CBOR string at byte ${start} runs past the end`);
  scan.offset = start + length;
  if (text) scanUtf8(scan.bytes, start, start + length);
}

function scanArray(scan: Scan, count: number, depth: number): void {
  if (depth > DEPTH_MAX) throw new WireError("limit", `CBOR is nested deeper than ${DEPTH_MAX}`);
  if (count > scan.items) throw new WireError("limit", "CBOR has too many items");
  for (let index = 0; index < count; index += 1) scanItem(scan, depth);
}

function scanMap(scan: Scan, count: number, depth: number): void {
  if (depth > DEPTH_MAX) throw new WireError("limit", `CBOR is nested deeper than ${DEPTH_MAX}`);
  if (2 * count > scan.items) throw new WireError("limit", "CBOR has too many items");
  let previousStart = -1;
  let previousEnd = -1;
  for (let index = 0; index < count; index += 1) {
    const keyStart = scan.offset;
    const major = keyStart < scan.bytes.length ? scan.bytes[keyStart]! >> 5 : 0;
    if (major === 2 || major > 3)
      throw new WireError("encoding", `CBOR map key at byte ${keyStart} is no integer or text`);
    // Beyond 32 bits a key would be decoded as a bigint, which equals no number in a Map.
    if (scan.bytes[keyStart]! === 0x1b || scan.bytes[keyStart]! === 0x3b)
      throw new WireError("encoding", `CBOR map key at byte ${keyStart} is beyond 32 bits`);
    scanItem(scan, depth);
    if (previousStart >= 0 && !ascending(scan.bytes, previousStart, previousEnd, keyStart, scan.offset)) {
      throw new WireError("encoding", `CBOR map keys at byte ${keyStart} are not in ascending order`);
    }
    previousStart = keyStart;
    previousEnd = scan.offset;
    scanItem(scan, depth);
  }
}

/** Whether the encoded key at [a, aEnd) comes strictly before the one at [b, bEnd), bytewise (RFC 8949 section 4.2.1). */
function ascending(bytes: Uint8Array, a: number, aEnd: number, b: number, bEnd: number): boolean {
  const shorter = Math.min(aEnd - a, bEnd - b);
  for (let index = 0; index < shorter; index += 1) {
    const difference = bytes[a + index]! - bytes[b + index]!;
    if (difference !== 0) return difference < 0;
  }
  return false; // one encoded key is never a prefix of another, so these are equal
}

/** RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF; no byte order mark first, which some decoders drop. */
function scanUtf8(bytes: Uint8Array, start: number, end: number): void {
  if (end - start >= 3 && bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf)
    throw new WireError("encoding", `CBOR text begins with a byte order mark at byte ${start}`);
  let offset = start;
  while (offset < end) {
    const lead = bytes[offset]!;
    if (lead < 0x80) {
      offset += 1;
      continue;
    }
    const length =
      lead >= 0xc2 && lead <= 0xdf ? 2 : lead >= 0xe0 && lead <= 0xef ? 3 : lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
    if (length === 0 || offset + length > end)
      throw new WireError("encoding", `CBOR text has invalid UTF-8 at byte ${offset}`);
    const second = bytes[offset + 1]!;
    const lowest = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
    const highest = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
    let valid = second >= lowest && second <= highest;
    for (let index = 2; index < length; index += 1) valid = valid && bytes[offset + index]! >> 6 === 2;
    if (!valid) throw new WireError("encoding", `CBOR text has invalid UTF-8 at byte ${offset}`);
    offset += length;
  }
}
