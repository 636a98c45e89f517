// The number of an M-Bus record (EN 13757-3, section 6.2.4, types A, B and H): decimal digits, a binary integer or a float, least
// significant byte first.

import { bigEndian } from "../integer.js";
import { type MbusRecord, variable } from "./records.js";

/** Value times 10 to the power `scaler`. */
export interface MbusNumber {
  readonly value: number | bigint;
  readonly scaler: number;
}

const real = 5;
const decimalFrom = 9;
const digitsMax = 9;
const wideDigits = 15;

/** The number of a record; undefined where it has none, or digits that are none. */
export function numberOf(bytes: Uint8Array, record: MbusRecord): MbusNumber | undefined {
  const { format, start, end } = record;
  if (format === variable) return variableNumber(bytes, record);
  if (start === end) return undefined;
  if (format === real) return floatOf(bytes, start);
  if (format >= decimalFrom) return decimal(bytes, start, end);
  return { value: binary(bytes, start, end), scaler: 0 };
}

function variableNumber(bytes: Uint8Array, { start, end }: MbusRecord): MbusNumber | undefined {
  const length = bytes[start - 1]!;
  if (end === start || end - start > 8 || length < 0xc0) return undefined;
  if (length >= 0xe0) return { value: binary(bytes, start, end), scaler: 0 };
  const number = decimal(bytes, start, end);
  return number !== undefined && length >= 0xd0 ? { value: -number.value, scaler: 0 } : number;
}

function reversed(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return bytes.slice(start, end).reverse();
}

function binary(bytes: Uint8Array, start: number, end: number): number | bigint {
  return bigEndian(reversed(bytes, start, end), 0, end - start, true);
}

/** Two digits a byte; a first digit of F is the sign. */
function decimal(bytes: Uint8Array, start: number, end: number): MbusNumber | undefined {
  let text = "";
  for (let index = end - 1; index >= start; index--) text += bytes[index]!.toString(16).padStart(2, "0");
  const negative = text.charAt(0) === "f";
  const digits = negative ? text.slice(1) : text;
  for (let index = 0; index < digits.length; index++) if (digits.charCodeAt(index) > 0x39) return undefined;
  const value = digits.length > wideDigits ? BigInt(digits) : Number(digits);
  // Zero has no sign.
  return { value: negative && value !== 0 ? -value : value, scaler: 0 };
}

/** The decimal number with the fewest digits that is this float. */
function floatOf(bytes: Uint8Array, start: number): MbusNumber | undefined {
  const float = new DataView(bytes.buffer, bytes.byteOffset + start, 4).getFloat32(0, true);
  if (!Number.isFinite(float)) return undefined;
  if (float === 0) return { value: 0, scaler: 0 };
  let text = "";
  for (let digits = 1; digits <= digitsMax && Math.fround(Number(text)) !== float; digits++)
    text = float.toExponential(digits - 1);
  const [mantissa, exponent] = text.split("e") as [string, string];
  const decimals = mantissa.indexOf(".") < 0 ? 0 : mantissa.length - mantissa.indexOf(".") - 1;
  return { value: Number(mantissa.replace(".", "")), scaler: Number(exponent) - decimals };
}
