// The values of a DLMS notification in their order (IEC 62056-6-2, Data; A-XDR, IEC 61334-6): a flat list of values, with arrays and
// structures as marks that say how many follow. Bounded; a tag that is not known ends it.

import { bigEndian } from "../integer.js";

/** One value: its tag, and where its content is. For an array or structure `count` is how many elements follow it. */
export interface DlmsValue {
  readonly tag: number;
  readonly start: number;
  readonly end: number;
  readonly count: number;
  /** Index in the list of what follows this value and all that it contains. */
  next: number;
}

export const tagNull = 0;
export const tagArray = 1;
export const tagStructure = 2;
export const tagBoolean = 3;
export const tagOctets = 9;
export const tagText = 10;
export const tagInteger8 = 15;
export const tagUnsigned8 = 17;
export const tagUnsigned16 = 18;
export const tagEnum = 22;

const tagBits = 4;
const tagUtf8 = 12;
const valuesMax = 512;
const depthMax = 8;

/** Bytes of the content by tag, for values of a fixed length; undefined for the others. */
const fixedLengths: readonly (number | undefined)[] = [
  0, // null
  undefined, // array
  undefined, // structure
  1, // boolean
  undefined, // bit string
  4, // double-long
  4, // double-long-unsigned
  undefined,
  undefined,
  undefined, // octet string
  undefined, // visible string
  undefined,
  undefined, // UTF-8 string
  1, // BCD
  undefined,
  1, // integer
  2, // long
  1, // unsigned
  2, // long-unsigned
  undefined, // compact array
  8, // long64
  8, // long64-unsigned
  1, // enum
  4, // float32
  8, // float64
  12, // date-time
  5, // date
  4, // time
];

/** The one value at `start` with all that it contains, or undefined where the bytes do not follow A-XDR or are too few. */
export function scanValues(bytes: Uint8Array, start: number): DlmsValue[] | undefined {
  const values: DlmsValue[] = [];
  /** Indexes of the open arrays and structures, and how many of their elements are to come. */
  const open: number[] = [];
  const left: number[] = [];
  let position = start;
  do {
    const value = scanValue(bytes, position);
    if (value === undefined || values.length === valuesMax) return undefined;
    position = value.end;
    if (open.length > 0) left[left.length - 1]!--;
    values.push(value);
    value.next = values.length;
    if (value.count > 0) {
      if (open.length === depthMax) return undefined;
      open.push(values.length - 1);
      left.push(value.count);
    }
    while (open.length > 0 && left[left.length - 1] === 0) {
      values[open.pop()!]!.next = values.length;
      left.pop();
    }
  } while (open.length > 0);
  return values;
}

/** The integer of a value, or undefined for a value that is none. */
export function integerOf(bytes: Uint8Array, { tag, start, end }: DlmsValue): number | bigint | undefined {
  switch (tag) {
    case 5:
    case 15:
    case 16:
    case 20:
      return bigEndian(bytes, start, end - start, true);
    case 6:
    case 17:
    case 18:
    case 21:
      return bigEndian(bytes, start, end - start, false);
    default:
      return undefined;
  }
}

/** Whether the value is a string of octets or characters. */
export function isString({ tag }: DlmsValue): boolean {
  return tag === tagOctets || tag === tagText || tag === tagUtf8;
}

function scanValue(bytes: Uint8Array, position: number): DlmsValue | undefined {
  const tag = bytes[position];
  if (tag === undefined || tag >= fixedLengths.length) return undefined;
  const fixed = fixedLengths[tag];
  if (fixed !== undefined) return valueAt(bytes, tag, position + 1, fixed, 0);
  const length = scanLength(bytes, position + 1);
  if (length === undefined) return undefined;
  if (tag === tagArray || tag === tagStructure) return valueAt(bytes, tag, length.end, 0, length.value);
  if (tag === tagBits) return valueAt(bytes, tag, length.end, Math.ceil(length.value / 8), 0);
  if (tag === tagOctets || tag === tagText || tag === tagUtf8) return valueAt(bytes, tag, length.end, length.value, 0);
  return undefined;
}

function valueAt(bytes: Uint8Array, tag: number, start: number, length: number, count: number): DlmsValue | undefined {
  const end = start + length;
  return end > bytes.length ? undefined : { tag, start, end, count, next: 0 };
}

/** A length of A-XDR: one byte below 0x80, or 0x81 or 0x82 and as many bytes. Undefined where it is longer or cut off. */
export function scanLength(
  bytes: Uint8Array,
  position: number,
): { readonly value: number; readonly end: number } | undefined {
  const first = bytes[position];
  if (first === undefined) return undefined;
  if (first < 0x80) return { value: first, end: position + 1 };
  const extra = first - 0x80;
  const end = position + 1 + extra;
  if (extra < 1 || extra > 2 || end > bytes.length) return undefined;
  return { value: Number(bigEndian(bytes, position + 1, extra, false)), end };
}
