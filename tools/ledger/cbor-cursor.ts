// CBOR read item by item where it stands: for what is done for every record, where building values would cost more than the work.

export interface Cursor {
  readonly bytes: Uint8Array;
  offset: number;
}

/** Steps behind a byte string of this length; false where the item is none. */
export function scanBytes(cursor: Cursor, length: number): boolean {
  if (readArgument(cursor, 2) !== length) return false;
  cursor.offset += length;
  return true;
}

/** Of an integer of either sign, what `readArgument` reads: n, or n for -1 - n. */
export function readMagnitude(cursor: Cursor): number {
  return readArgument(cursor, cursor.bytes[cursor.offset]! >> 5 === 1 ? 1 : 0);
}

/** The argument of an item of this major type, behind which the cursor steps; -1 where there is none in its shortest form below 2^53. */
export function readArgument(cursor: Cursor, major: number): number {
  const { bytes, offset } = cursor;
  const initial = bytes[offset]!;
  if (initial >> 5 !== major) return -1;
  const additional = initial & 31;
  cursor.offset = offset + 1;
  if (additional < 24) return additional;
  if (additional > 27) return -1;
  const width = 1 << (additional - 24);
  let argument = 0;
  for (let index = 1; index <= width; index += 1) argument = argument * 256 + bytes[offset + index]!;
  cursor.offset = offset + 1 + width;
  // What half the bytes cannot hold. No power: that is a call out of the engine for each number of each record.
  const least = width === 1 ? 24 : width === 2 ? 0x100 : width === 4 ? 0x10000 : 0x100000000;
  return argument >= least && argument <= Number.MAX_SAFE_INTEGER ? argument : -1;
}
