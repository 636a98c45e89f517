// One record of an encoded block that this node has stored, found by its leaf without decoding the rest: who asks for a meter's day wants
// one or two of each of a hundred blocks. The block was checked when it was sealed; whether the store still has its bytes shows by the
// record's hash. Of damaged bytes anything may come, and reading them ends.

interface Cursor {
  readonly bytes: Uint8Array;
  offset: number;
}

const BYTES = 2;
const TEXT = 3;
const ARRAY = 4;
const MAP = 5;
/** Format, size, header and counter, before the data record; service before its batches; origin, number, id, acknowledgements, notices. */
const BEFORE_DATA = 4;
const BEFORE_BATCHES = 1;
const BEFORE_RECORDS = 5;

/** Format and size. */
const BEFORE_HEADER = 2;

/** Where reading stands: at a record of a batch. */
interface Place {
  readonly cursor: Cursor;
  /** of the record at the cursor, from 1 */
  leaf: number;
  /** of its batch, from the cursor on */
  records: number;
  /** behind its batch */
  batches: number;
}

/**
 * What gives the record at a leaf, from 1, as a view of the block; undefined where the block has none there. Ascending leaves are quickest.
 * Throws a RangeError where damaged bytes nest without end.
 */
export function recordReader(block: Uint8Array): (leaf: number) => Uint8Array | undefined {
  let place: Place | undefined;
  return (leaf) => {
    if (leaf < 1) return undefined;
    if (place === undefined || leaf < place.leaf) place = firstPlace(block);
    while (place.records === 0 || place.leaf + place.records <= leaf) {
      for (; place.records > 0 && hasMore(place.cursor); place.records -= 1, place.leaf += 1) skip(place.cursor);
      if (!nextBatch(place)) return undefined;
    }
    for (; place.leaf < leaf; place.leaf += 1, place.records -= 1) skip(place.cursor);
    return contentAt(place.cursor);
  };
}

/** The header of a stored block, as a view of it. Throws a RangeError where damaged bytes nest without end. */
export function headerIn(block: Uint8Array): Uint8Array {
  const cursor = { bytes: block, offset: 0 };
  argument(cursor);
  for (let part = 0; part < BEFORE_HEADER; part += 1) skip(cursor);
  return contentAt(cursor);
}

/** A plain view of the byte string at the cursor, whatever subclass the block came in. */
function contentAt({ bytes, offset }: Cursor): Uint8Array {
  const behind = { bytes, offset };
  const length = argument(behind);
  return new Uint8Array(
    bytes.buffer,
    bytes.byteOffset + Math.min(behind.offset, bytes.length),
    Math.max(0, Math.min(length, bytes.length - behind.offset)),
  );
}

function firstPlace(bytes: Uint8Array): Place {
  const cursor = { bytes, offset: 0 };
  argument(cursor);
  for (let part = 0; part < BEFORE_DATA; part += 1) skip(cursor);
  argument(cursor); // the data record is a byte string: its content follows
  argument(cursor);
  for (let part = 0; part < BEFORE_BATCHES; part += 1) skip(cursor);
  const batches = argument(cursor);
  return { cursor, leaf: 1, records: 0, batches };
}

function nextBatch(place: Place): boolean {
  const { cursor } = place;
  if (place.batches === 0 || !hasMore(cursor)) return false;
  argument(cursor);
  for (let part = 0; part < BEFORE_RECORDS; part += 1) skip(cursor);
  place.records = argument(cursor);
  place.batches -= 1;
  return true;
}

/** Steps behind an item. */
function skip(cursor: Cursor): void {
  const major = cursor.bytes[cursor.offset]! >> 5;
  const count = argument(cursor);
  if (major === BYTES || major === TEXT) cursor.offset += count;
  else if (major === ARRAY) skipItems(cursor, count);
  else if (major === MAP) skipItems(cursor, 2 * count);
}

function skipItems(cursor: Cursor, count: number): void {
  for (let item = 0; item < count && hasMore(cursor); item += 1) skip(cursor);
}

function hasMore({ bytes, offset }: Cursor): boolean {
  return offset < bytes.length;
}

/** The argument of the item at the cursor, which steps behind its head (RFC 8949, section 3). */
function argument(cursor: Cursor): number {
  const { bytes, offset } = cursor;
  const additional = bytes[offset]! & 31;
  cursor.offset = offset + 1;
  if (additional < 24) return additional;
  let value = 0;
  for (let width = 1 << (additional - 24); width > 0; width -= 1) {
    value = value * 256 + bytes[cursor.offset]!;
    cursor.offset += 1;
  }
  return value;
}
