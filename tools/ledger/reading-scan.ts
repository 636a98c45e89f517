// A reading's registers and what a table shows beside them, read where they stand in the record, without the record being built.

import { hexAt } from "../../src/wire/hex.js";
import type { Register } from "../../src/wire/record.js";
import { type Cursor, readArgument, readMagnitude } from "./cbor-cursor.js";
import { isUsualReading, KID, KID_BYTES, PAYLOAD } from "./record-scan.js";

export interface ScannedReading {
  /** the meter's id as hex */
  readonly meter: string;
  seq: number;
  time_s: number;
  quality: number;
  /** those that everybody may see; their codes are views of the record */
  registers: readonly Register[];
  /** confidential groups */
  digests: number;
}

const NO_REGISTERS: readonly Register[] = [];
const OBIS_BYTES = 6;

/** Undefined where the bytes are no reading, or in a form that meters do not write: `parseAnyRecord` says then what they are. */
export function scanReading(bytes: Uint8Array): ScannedReading | undefined {
  if (!isUsualReading(bytes)) return undefined;
  const cursor = { bytes, offset: PAYLOAD };
  readArgument(cursor, 2);
  const meter = hexAt(bytes, KID, KID + KID_BYTES);
  const reading = { meter, seq: 0, time_s: 0, quality: 0, registers: NO_REGISTERS, digests: 0 };
  const claims = readArgument(cursor, 5);
  for (let index = 0; index < claims; index += 1) readClaim(cursor, readArgument(cursor, 0), reading);
  return reading;
}

function readClaim(cursor: Cursor, key: number, reading: ScannedReading): void {
  switch (key) {
    case 4:
      reading.seq = readArgument(cursor, 0);
      return;
    case 6:
      reading.time_s = readArgument(cursor, 0);
      return;
    case 7:
      reading.quality = readArgument(cursor, 0);
      return;
    case 5:
    case 12:
      skipBytes(cursor);
      return;
    case 9:
      reading.registers = readRegisters(cursor);
      return;
    case 10:
      reading.digests = readArgument(cursor, 4);
      for (let index = 0; index < reading.digests; index += 1) skipBytes(cursor);
      return;
    default:
      readArgument(cursor, 0);
  }
}

function skipBytes(cursor: Cursor): void {
  const length = readArgument(cursor, 2);
  cursor.offset += length;
}

function readRegisters(cursor: Cursor): readonly Register[] {
  const registers: Register[] = [];
  for (let left = readArgument(cursor, 4); left > 0; left -= 1) registers.push(readRegister(cursor));
  return registers;
}

function readRegister(cursor: Cursor): Register {
  const fields = readArgument(cursor, 4);
  readArgument(cursor, 2);
  const obis = cursor.bytes.subarray(cursor.offset, cursor.offset + OBIS_BYTES);
  cursor.offset += OBIS_BYTES;
  const register = { obis, value: readInteger(cursor), scaler: readInteger(cursor), unit: readArgument(cursor, 0) };
  return fields === 5 ? { ...register, age: readArgument(cursor, 0) } : register;
}

function readInteger(cursor: Cursor): number {
  const isNegative = cursor.bytes[cursor.offset]! >> 5 === 1;
  const magnitude = readMagnitude(cursor);
  return isNegative ? -1 - magnitude : magnitude;
}
