// P1 values: `002130.115*kWh`, `00.244*kW`, `(0002)`. The digits after the point are part of the measurement and become the scaler.

import { parseUnit, unitNone } from "./unit.js";

/** A number as the telegram states it: value times 10 to the power scaler, in a DLMS unit. */
export interface P1Value {
  readonly value: number | bigint;
  readonly scaler: number;
  readonly unit: number;
}

/** Eighteen digits fit a signed 64-bit integer whatever they are. */
const digitsMax = 18;
const unitLengthMax = 8;
const minus = 0x2d;
const point = 0x2e;
const asterisk = 0x2a;

/** The value that fills `bytes` from `start` to before `end`; undefined for anything else, an unknown unit included. */
export function scanP1Value(bytes: Uint8Array, start: number, end: number): P1Value | undefined {
  const star = indexOf(bytes, asterisk, start, end);
  if (star === end) return scanNumber(bytes, start, end, unitNone, 0);
  if (end - star - 1 > unitLengthMax) return undefined;
  const unit = parseUnit(textOf(bytes, star + 1, end));
  return unit === undefined ? undefined : scanNumber(bytes, start, star, unit.code, unit.exponent);
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
    if (byte < 0x30 || byte > 0x39) return undefined;
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
