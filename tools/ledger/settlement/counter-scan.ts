// Reads the energy registers of a reading where they stand in its bytes: decoding all of its claims would cost as much as half of its
// rules. The record was read before, so its bytes are known to be well-formed.

import type { Claims, Register } from "../../../src/wire/record.js";
import type { ExecutionRecord } from "../record-scan.js";

const HASH_BYTES = 32;
const HASH_HEAD_BYTES = 2;
const CLAIM_TIME = 6;
const CLAIM_QUALITY = 7;
const CLAIM_STATUS = 8;
const CLAIM_REGISTERS = 9;
const CLAIM_DIGESTS = 10;
const CLAIM_FRAME_HASH = 12;
const CLAIM_ERRORS = 15;
const SIGNATURE_BYTES = 64;
/** The head of a byte string of so many. */
const SIGNATURE_HEAD_BYTES = 2;

interface Cursor {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  offset: number;
}

/** Time, quality, the registers of C 1 and 2, D 8, and error bits; undefined where the bytes are not as meters write them. */
export function scanCounters({
  bytes,
  previousAt,
  seq,
}: Pick<ExecutionRecord, "bytes" | "previousAt" | "seq">):
  | Pick<Claims, "time_s" | "quality" | "seq" | "registers" | "errors">
  | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const cursor = { bytes, view, offset: previousAt + (seq === 0 ? 0 : HASH_BYTES) };
  if (bytes[cursor.offset++] !== CLAIM_TIME) return undefined;
  const time_s = Number(argument(cursor));
  if (bytes[cursor.offset++] !== CLAIM_QUALITY) return undefined;
  const quality = Number(argument(cursor));
  if (bytes[cursor.offset] === CLAIM_STATUS) {
    cursor.offset += 1;
    argument(cursor);
  }
  if (bytes[cursor.offset] !== CLAIM_REGISTERS) return { time_s, quality, seq, registers: [] };
  cursor.offset += 1;
  const count = Number(argument(cursor));
  const registers: Register[] = [];
  for (let index = 0; index < count; index += 1) {
    const register = scanRegister(cursor);
    if (register !== undefined) registers.push(register);
  }
  const errors = scanErrors(cursor);
  return { time_s, quality, seq, registers, ...(errors !== undefined && { errors }) };
}

/** Claim 15, the last that there may be behind the registers; undefined where there is none. */
function scanErrors(cursor: Cursor): number | undefined {
  const { bytes } = cursor;
  const end = bytes.length - SIGNATURE_BYTES - SIGNATURE_HEAD_BYTES;
  while (cursor.offset < end) {
    const claim = bytes[cursor.offset++];
    const value = Number(argument(cursor));
    if (claim === CLAIM_ERRORS) return value;
    if (claim === CLAIM_FRAME_HASH) cursor.offset += value;
    if (claim === CLAIM_DIGESTS) cursor.offset += value * (HASH_HEAD_BYTES + HASH_BYTES);
  }
  return undefined;
}

/** Undefined where it counts no energy. */
function scanRegister(cursor: Cursor): Register | undefined {
  const { bytes } = cursor;
  const fields = Number(argument(cursor));
  const at = cursor.offset + 1;
  cursor.offset = at + 6;
  const value = integer(cursor);
  const scaler = Number(integer(cursor));
  const unit = Number(argument(cursor));
  const age = fields === 5 ? Number(argument(cursor)) : undefined;
  if (bytes[at + 3] !== 8 || (bytes[at + 2] !== 1 && bytes[at + 2] !== 2)) return undefined;
  const register = { obis: bytes.subarray(at, at + 6), value, scaler, unit };
  return age === undefined ? register : { ...register, age };
}

/** An integer of either sign. */
function integer(cursor: Cursor): number | bigint {
  const isNegative = cursor.bytes[cursor.offset]! >> 5 === 1;
  const value = argument(cursor);
  if (!isNegative) return value;
  return typeof value === "bigint" ? asSafe(-1n - value) : asSafe(-1n - BigInt(value));
}

/** The argument of an item (RFC 8949, section 3), behind which the cursor steps. */
function argument(cursor: Cursor): number | bigint {
  const { bytes, view } = cursor;
  const additional = bytes[cursor.offset]! & 31;
  const at = cursor.offset + 1;
  if (additional < 24) {
    cursor.offset = at;
    return additional;
  }
  const width = 1 << (additional - 24);
  cursor.offset = at + width;
  if (width === 1) return bytes[at]!;
  if (width === 2) return view.getUint16(at);
  return width === 4 ? view.getUint32(at) : asSafe(view.getBigUint64(at));
}

/** A number where it can be one. */
function asSafe(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
