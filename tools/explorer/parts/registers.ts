// A register as people read it: value × 10^scaler, exactly, with its unit.

import { formatObis } from "../../../src/meter/obis.js";
import { unitName } from "../../../src/meter/unit.js";
import type { Register } from "../../../src/wire/record.js";

/** More digits than any meter has stand as a power of ten. */
const DIGITS_MAX = 30;

export function registerText({ obis, value, scaler, unit }: Register): string {
  return `${formatObis(obis)} ${decimalText(BigInt(value), scaler)} ${unitName(unit)}`.trimEnd();
}

/** value × 10^scaler without a float. */
export function decimalText(value: bigint, scaler: number): string {
  if (Math.abs(scaler) > DIGITS_MAX) return `${value}e${scaler}`;
  if (scaler >= 0) return String(value * 10n ** BigInt(scaler));
  const digits = String(value < 0n ? -value : value).padStart(1 - scaler, "0");
  return `${value < 0n ? "-" : ""}${digits.slice(0, scaler)}.${digits.slice(scaler)}`;
}
