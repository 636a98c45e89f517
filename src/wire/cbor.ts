// The codec: encodes deterministically (RFC 8949 section 4.2.1) into exactly as many bytes as it takes, and decodes what the guard has
// accepted, which leaves nothing to check. Both take little stack a level, calls in tail position none: a meter has little of it, and less
// than any library wants.

import { compareKeys } from "./cbor-key.js";
import { WireError } from "./error.js";
import { DEPTH_MAX, type GuardLimits, guardCbor } from "./guard.js";

/**
 * What the formats are made of. Either kind of integer is encoded in its shortest form; decoded ones are numbers where they fit
 * 32 bits (-2^32 to 2^32-1) and bigints beyond, up to int64. Map keys are text or integers of 32 bits.
 */
export type CborValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly CborValue[]
  | ReadonlyMap<number | string, CborValue>;

const textEncoder = new TextEncoder();
const textDecoder = new TextDecoder();

const defaultLimits: GuardLimits = { size: 65_536, items: 16_384 };

/**
 * The one deterministic encoding; map keys are put in order. Throws a WireError for what the guard would not accept: a float, an
 * integer outside int64, ill-formed text, too deep a nesting.
 */
export function encodeCbor(value: CborValue): Uint8Array {
  const bytes = new Uint8Array(sizeOf(value, 0));
  writeItem(bytes, 0, value);
  return bytes;
}

/** Decodes one item: arrays, Maps, Uint8Arrays (copies), strings, numbers or bigints. Throws a WireError as `guardCbor`. */
export function decodeCbor(bytes: Uint8Array, limits: GuardLimits = defaultLimits): CborValue {
  guardCbor(bytes, limits);
  return readItem({ bytes: plain(bytes), copies: true, offset: 0 });
}

/** As `decodeCbor`, but byte strings are views of `bytes`, which must stay as they are for as long as those are used. */
export function decodeCborViews(bytes: Uint8Array, limits: GuardLimits = defaultLimits): CborValue {
  guardCbor(bytes, limits);
  return readItem({ bytes: plain(bytes), copies: false, offset: 0 });
}

/** Decoded byte strings are Uint8Arrays whatever subclass came in. */
function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

interface Reading {
  readonly bytes: Uint8Array;
  /** whether byte strings are copied out */
  readonly copies: boolean;
  offset: number;
}

function readItem(reading: Reading): CborValue {
  const initial = reading.bytes[reading.offset]!;
  const major = initial >> 5;
  reading.offset += 1;
  if (major === 7) return initial === 0xf6 ? null : initial === 0xf5;
  if ((initial & 31) === 27) return readLong(reading, major);
  const argument = readArgument(reading, initial & 31);
  if (major === 0) return argument;
  if (major === 1) return -1 - argument;
  if (major === 2) return readBytes(reading, argument);
  if (major === 3) return readText(reading, argument);
  if (major === 4) return readArray(reading, argument);
  return readMap(reading, argument);
}

function readArgument(reading: Reading, additional: number): number {
  if (additional < 24) return additional;
  let argument = 0;
  for (let width = 1 << (additional - 24); width > 0; width -= 1) {
    argument = argument * 256 + reading.bytes[reading.offset]!;
    reading.offset += 1;
  }
  return argument;
}

/** An integer beyond 32 bits: the guard lets nothing else have eight bytes. */
function readLong(reading: Reading, major: number): bigint {
  const { bytes, offset } = reading;
  const argument = new DataView(bytes.buffer, bytes.byteOffset + offset, 8).getBigUint64(0);
  reading.offset = offset + 8;
  return major === 0 ? argument : ~argument;
}

function readBytes(reading: Reading, length: number): Uint8Array {
  const { bytes, offset } = reading;
  reading.offset = offset + length;
  return reading.copies ? bytes.slice(offset, reading.offset) : bytes.subarray(offset, reading.offset);
}

function readText(reading: Reading, length: number): string {
  const { bytes, offset } = reading;
  reading.offset = offset + length;
  return length === 0 ? "" : textDecoder.decode(bytes.subarray(offset, reading.offset));
}

function readArray(reading: Reading, count: number): CborValue[] {
  const items: CborValue[] = [];
  for (let index = 0; index < count; index += 1) items.push(readItem(reading));
  return items;
}

function readMap(reading: Reading, count: number): Map<number | string, CborValue> {
  const map = new Map<number | string, CborValue>();
  for (let index = 0; index < count; index += 1) map.set(readItem(reading) as number | string, readItem(reading));
  return map;
}

/** Bytes that the value takes; refuses what has no encoding. */
function sizeOf(value: CborValue, depth: number): number {
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw new WireError("encoding", `${value} is no integer that can be encoded`);
    return headBytes(value < 0 ? -1 - value : value);
  }
  if (typeof value === "bigint") {
    if (BigInt.asIntN(64, value) !== value) throw new WireError("encoding", "integer is outside int64");
    return headBytes(Number(value < 0 ? ~value : value));
  }
  if (typeof value === "string") return sizeOfString(utf8Bytes(value));
  if (value === null || typeof value === "boolean") return 1;
  if (typeof value !== "object") throw new WireError("encoding", `a ${typeof value} cannot be encoded`);
  if (value instanceof Uint8Array) return sizeOfString(value.length);
  if (depth === DEPTH_MAX) throw new WireError("limit", `value is nested deeper than ${DEPTH_MAX}`);
  if (Array.isArray(value)) return sizeOfArray(value, depth + 1);
  return sizeOfMap(value as ReadonlyMap<number | string, CborValue>, depth + 1);
}

function sizeOfString(length: number): number {
  return headBytes(length) + length;
}

function sizeOfArray(items: readonly CborValue[], depth: number): number {
  let size = headBytes(items.length);
  for (let index = 0; index < items.length; index += 1) size += sizeOf(items[index]!, depth);
  return size;
}

function sizeOfMap(map: ReadonlyMap<number | string, CborValue>, depth: number): number {
  let size = headBytes(map.size);
  for (const key of map.keys()) {
    if (typeof key === "number" && (key > 0xffffffff || key < -0x100000000))
      throw new WireError("encoding", `map key ${key} is beyond 32 bits`);
    size += sizeOf(key, DEPTH_MAX) + sizeOf(map.get(key)!, depth);
  }
  return size;
}

/** Bytes of an initial byte with its argument. */
function headBytes(argument: number): number {
  if (argument < 24) return 1;
  if (argument < 0x100) return 2;
  if (argument < 0x10000) return 3;
  return argument < 0x100000000 ? 5 : 9;
}

/** Writes a value that `sizeOf` has accepted; the offset behind it. */
function writeItem(bytes: Uint8Array, offset: number, value: CborValue): number {
  if (typeof value === "number")
    return value < 0 ? writeHead(bytes, offset, 1, -1 - value) : writeHead(bytes, offset, 0, value);
  if (typeof value === "bigint") return writeBigInt(bytes, offset, value);
  if (typeof value === "string") return writeString(bytes, offset, 3, textEncoder.encode(value));
  if (value === null || typeof value !== "object") {
    bytes[offset] = value === null ? 0xf6 : value ? 0xf5 : 0xf4;
    return offset + 1;
  }
  if (value instanceof Uint8Array) return writeString(bytes, offset, 2, value);
  if (Array.isArray(value)) return writeArray(bytes, offset, value);
  return writeMap(bytes, offset, value as ReadonlyMap<number | string, CborValue>);
}

function writeHead(bytes: Uint8Array, offset: number, major: number, argument: number): number {
  const size = headBytes(argument);
  const width = size - 1;
  bytes[offset] = (major << 5) | (width === 0 ? argument : width === 1 ? 24 : width === 2 ? 25 : width === 4 ? 26 : 27);
  let rest = argument;
  for (let index = offset + width; index > offset; index -= 1) {
    bytes[index] = rest % 0x100;
    rest = Math.floor(rest / 0x100);
  }
  return offset + size;
}

function writeBigInt(bytes: Uint8Array, offset: number, value: bigint): number {
  const argument = value < 0 ? ~value : value;
  const major = value < 0 ? 1 : 0;
  if (argument <= Number.MAX_SAFE_INTEGER) return writeHead(bytes, offset, major, Number(argument));
  bytes[offset] = (major << 5) | 27;
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset + 1, 8);
  view.setBigUint64(0, argument);
  return offset + 9;
}

function writeString(bytes: Uint8Array, offset: number, major: number, content: Uint8Array): number {
  const start = writeHead(bytes, offset, major, content.length);
  bytes.set(content, start);
  return start + content.length;
}

function writeArray(bytes: Uint8Array, offset: number, items: readonly CborValue[]): number {
  let end = writeHead(bytes, offset, 4, items.length);
  for (let index = 0; index < items.length; index += 1) end = writeItem(bytes, end, items[index]!);
  return end;
}

function writeMap(bytes: Uint8Array, offset: number, map: ReadonlyMap<number | string, CborValue>): number {
  const keys = [...map.keys()].sort(compareKeys);
  let end = writeHead(bytes, offset, 5, keys.length);
  for (let index = 0; index < keys.length; index += 1) {
    const key = keys[index]!;
    end = writeItem(bytes, writeItem(bytes, end, key), map.get(key)!);
  }
  return end;
}

/** Bytes of the text in UTF-8; refuses a surrogate alone (an encoder would write rubbish or U+FFFD) and a byte order mark first. */
function utf8Bytes(text: string): number {
  if (text.charCodeAt(0) === 0xfeff) throw new WireError("encoding", "text begins with a byte order mark");
  let size = 0;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    size += unit < 0x80 ? 1 : unit < 0x800 ? 2 : 3;
    if (unit < 0xd800 || unit > 0xdfff) continue;
    const next = text.charCodeAt(index + 1); // NaN behind the end
    if (unit > 0xdbff || !(next >= 0xdc00 && next <= 0xdfff)) {
      throw new WireError("encoding", `text has a surrogate alone at ${index}`);
    }
    size += 1;
    index += 1;
  }
  return size;
}
