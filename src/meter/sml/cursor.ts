// Reads the elements of an SML file in their order (SML 1.04, section 6: binary encoding). A type-length field of one or more bytes,
// then the value, or the elements of a list. A cursor that met something else has failed and stays so: callers check once.

import { bigEndian } from "../integer.js";

export interface SmlCursor {
  readonly bytes: Uint8Array;
  position: number;
  failed: boolean;
}

/** A number as the file encodes it; the width matters to quirks alone. */
export interface SmlNumber {
  readonly value: number | bigint;
  readonly width: number;
  readonly signed: boolean;
}

const typeOctets = 0;
const typeBoolean = 4;
const typeInteger = 5;
const typeUnsigned = 6;
const typeList = 7;
const moreLength = 0x80;
const typeLengthBytesMax = 4;

/** A type-length field: for a list the count of its elements, for all others the bytes of the value. */
interface TypeLength {
  readonly type: number;
  readonly length: number;
}

export function openSml(bytes: Uint8Array, position = 0): SmlCursor {
  return { bytes, position, failed: false };
}

/** Steps into a list of exactly `count` elements, or of any number, and returns how many it has: 0 where the cursor failed. */
export function enterList(cursor: SmlCursor, count?: number): number {
  const { type, length } = takeTypeLength(cursor);
  if (type === typeList && (count === undefined || length === count)) return length;
  cursor.failed = true;
  return 0;
}

/** Whether the next element is a list. */
export function isList({ bytes, position }: SmlCursor): boolean {
  return position < bytes.length && ((bytes[position]! >> 4) & 7) === typeList;
}

/** The bytes of an octet string; none where it was left out. */
export function takeOctets(cursor: SmlCursor): Uint8Array {
  const { type, length } = takeTypeLength(cursor);
  if (type !== typeOctets) cursor.failed = true;
  return takeBytes(cursor, length);
}

/** A number, or undefined where the optional element was left out. */
export function takeNumber(cursor: SmlCursor): SmlNumber | undefined {
  const { type, length } = takeTypeLength(cursor);
  if (type === typeOctets && length === 0) return undefined;
  if ((type !== typeInteger && type !== typeUnsigned) || length < 1 || length > 8) cursor.failed = true;
  const start = cursor.position;
  takeBytes(cursor, length);
  if (cursor.failed) return undefined;
  const signed = type === typeInteger;
  return { value: bigEndian(cursor.bytes, start, length, signed), width: length, signed };
}

/** Whether the next element is a number. */
export function isNumber({ bytes, position }: SmlCursor): boolean {
  const type = position < bytes.length ? (bytes[position]! >> 4) & 7 : typeOctets;
  return type === typeInteger || type === typeUnsigned;
}

/** Whether the next element is an octet string, one that was left out included. */
export function isOctets({ bytes, position }: SmlCursor): boolean {
  return position < bytes.length && ((bytes[position]! >> 4) & 7) === typeOctets;
}

/** Steps over one element with all that it contains. */
export function skipElement(cursor: SmlCursor): void {
  // Every element takes a byte at least, so the file's length bounds the loop whatever its lists claim.
  for (let pending = 1; pending > 0 && !cursor.failed; pending--) {
    const { type, length } = takeTypeLength(cursor);
    if (type === typeList) pending += length;
    else if (type === typeOctets || type === typeBoolean || type === typeInteger || type === typeUnsigned) {
      takeBytes(cursor, length);
    } else cursor.failed = true;
  }
}

function takeTypeLength(cursor: SmlCursor): TypeLength {
  const { bytes, position } = cursor;
  let count = 0;
  let length = 0;
  let type = 0;
  let byte: number;
  do {
    byte = bytes[position + count] ?? -1;
    if (byte < 0 || count === typeLengthBytesMax || (count > 0 && (byte & 0x70) !== 0)) return failure(cursor);
    if (count === 0) type = (byte >> 4) & 7;
    length = length * 16 + (byte & 15);
    count++;
  } while ((byte & moreLength) !== 0);
  // The length of a value includes its own field; a list counts elements.
  const rest = type === typeList ? length : length - count;
  if (rest < 0) return failure(cursor);
  cursor.position += count;
  return { type, length: rest };
}

function takeBytes(cursor: SmlCursor, length: number): Uint8Array {
  const start = cursor.position;
  if (cursor.failed || start + length > cursor.bytes.length) {
    cursor.failed = true;
    return cursor.bytes.subarray(0, 0);
  }
  cursor.position += length;
  return cursor.bytes.subarray(start, start + length);
}

function failure(cursor: SmlCursor): TypeLength {
  cursor.failed = true;
  return { type: -1, length: 0 };
}
