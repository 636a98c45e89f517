// P1 values: `002130.115*kWh`, `00.244*kW`, `(0002)`. The digits after the point are part of the measurement and become the scaler.

import { parseUnit, unitNone } from "../unit.js";

/** A number as the telegram states it: value times 10 to the power scaler, in a DLMS unit. */
export interface P1Value {
  readonly value: number | bigint;
  readonly scaler: number;
  readonly unit: number;
}

/** Eighteen digits fit a signed 64-bit integer whatever they are. */
const digitsMax = 18;
const unitLengthMax = 8;
const timeDigits = 12;
const minus = 0x2d;
const point = 0x2e;
const space = 0x20;
const asterisk = 0x2a;

/**
 * The value that fills `bytes` from `start` to before `end`; undefined for anything else, an unknown unit included. Some meters write
 * spaces around the unit: `(00007137.694*kWh )`.
 */
export function scanP1Value(bytes: Uint8Array, start: number, end: number): P1Value | undefined {
  const star = indexOf(bytes, asterisk, start, end);
  return star === end ? scanNumber(bytes, start, end, unitNone, 0) : scanParts(bytes, start, star, star + 1, end);
}

/** The same, and `(001247.747kWh)`, which has lost its asterisk: for measured quantities alone, as ids end in letters too. */
export function scanMeasured(bytes: Uint8Array, start: number, end: number): P1Value | undefined {
  const star = indexOf(bytes, asterisk, start, end);
  if (star < end) return scanParts(bytes, start, star, star + 1, end);
  const unitAt = unitStart(bytes, start, end);
  // Twelve digits and `W` are a time in winter.
  const isTime = unitAt - start === timeDigits && indexOf(bytes, point, start, unitAt) === unitAt;
  if (unitAt === end || isTime) return scanNumber(bytes, start, end, unitNone, 0);
  return scanParts(bytes, start, unitAt, unitAt, end);
}

/** A number up to `numberEnd`, and a unit from `unitAt` on. */
function scanParts(
  bytes: Uint8Array,
  start: number,
  numberEnd: number,
  unitAt: number,
  end: number,
): P1Value | undefined {
  const first = afterSpaces(bytes, unitAt, end);
  const last = beforeSpaces(bytes, first, end);
  if (last - first > unitLengthMax) return undefined;
  const unit = parseUnit(textOf(bytes, first, last));
  if (unit === undefined) return undefined;
  return scanNumber(bytes, start, beforeSpaces(bytes, start, numberEnd), unit.code, unit.exponent);
}

/** Where the letters behind a number begin; `end` where there are none. */
function unitStart(bytes: Uint8Array, start: number, end: number): number {
  let position = bytes[start] === minus ? start + 1 : start;
  while (position < end && (bytes[position] === point || isDigit(bytes[position]!))) position++;
  return position > start ? position : end;
}

function afterSpaces(bytes: Uint8Array, start: number, end: number): number {
  let position = start;
  while (position < end && bytes[position] === space) position++;
  return position;
}

function beforeSpaces(bytes: Uint8Array, start: number, end: number): number {
  let position = end;
  while (position > start && bytes[position - 1] === space) position--;
  return position;
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/** The number without unit of `bytes` from `start` to before `end`, given a unit stated elsewhere. */
export function scanNumber(
  bytes: Uint8Array,
  start: number,
  end: number,
  unit: number,
  exponent: number,
): P1Value | undefined {
  const negative = bytes[start] === minus;
  let digits = 0;
  let decimals = -1;
  let value = 0;
  for (let index = negative ? start + 1 : start; index < end; index++) {
    const byte = bytes[index]!;
    if (byte === point && decimals < 0) {
      decimals = 0;
      continue;
    }
    if (!isDigit(byte)) return undefined;
    if (digits > 0 || byte !== 0x30) digits++;
    if (digits > digitsMax) return undefined;
    value = value * 10 + (byte - 0x30);
    if (decimals >= 0) decimals++;
  }
  const length = end - start - (negative ? 1 : 0) - (decimals >= 0 ? 1 : 0);
  if (length < 1) return undefined;
  const scaler = exponent - Math.max(decimals, 0);
  if (value > Number.MAX_SAFE_INTEGER) {
    const exact = BigInt(textOf(bytes, negative ? start + 1 : start, end).replace(".", ""));
    return { value: negative ? -exact : exact, scaler, unit };
  }
  return { value: negative && value !== 0 ? -value : value, scaler, unit };
}

/** Bytes as text, one character each. */
export function textOf(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  for (let index = start; index < end; index++) text += String.fromCharCode(bytes[index]!);
  return text;
}

/** Where `wanted` first is, or `end`. */
export function indexOf(bytes: Uint8Array, wanted: number, start: number, end: number): number {
  for (let index = start; index < end; index++) {
    if (bytes[index] === wanted) return index;
  }
  return end;
}
