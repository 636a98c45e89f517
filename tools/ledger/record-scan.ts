// Records read for what a node verifies and seals. Every node reads every record, so registers and digests are checked where they stand
// and never built. What a meter does not write in this form, disclosures and operations too, is left to the whole parsers, which say
// what is wrong.

import { SEQ_MAX, SERVICE_MAX, TIME_S_MAX } from "../../src/wire/bounds.js";
import { compareBytes } from "../../src/wire/bytes.js";
import { SIGN1_CONTEXT } from "../../src/wire/cose.js";
import { type Credential, isDevice, isParticipant } from "../../src/wire/credential.js";
import { WireError } from "../../src/wire/error.js";
import { HASH_BYTES, sha256, writeSha256 } from "../../src/wire/hash.js";
import { hexAt } from "../../src/wire/hex.js";
import { leafHash } from "../../src/wire/merkle.js";
import { type Hidden, type OperationClaims, parseAnyRecord, parseOperation } from "../../src/wire/operation.js";
import {
  type Claims,
  DISCLOSURES_MAX,
  type Disclosure,
  RECORD_BYTES_MAX,
  REGISTERS_MAX,
  type Record,
} from "../../src/wire/record.js";
import { type Cursor, readArgument, readMagnitude, scanBytes } from "./cbor-cursor.js";

/** What the rules need to know of a record. */
export interface ExecutionRecord {
  readonly bytes: Uint8Array;
  readonly hash: Uint8Array;
  /** the hash as a leaf of the block's Merkle tree */
  readonly leaf: Uint8Array;
  /** the meter's id as hex; as bytes it stands in the record */
  readonly meter: string;
  readonly seq: number;
  /** offset in `bytes` of the hash of the record before; of record 0 there is none */
  readonly previousAt: number;
  /** what an operation asks; undefined of a reading */
  readonly type: number | undefined;
  /** a reading with confidential groups: its sealed disclosures go beside it */
  readonly hides: boolean;
}

/** A record with what decides who must have signed it. */
export interface SignedRecord {
  readonly record: ExecutionRecord;
  readonly algorithm: number;
  readonly service: number;
}

/** A record with the claims alone that decide whether it is taken. */
export interface ReadRecord extends Omit<Record, "claims" | "disclosures" | "signedBytes"> {
  /** with a type where it is an operation */
  readonly claims: Pick<Claims, "service" | "seq" | "previous" | "time_s"> &
    Partial<Pick<OperationClaims, "type" | "digests">>;
  readonly disclosures: readonly (Disclosure | Hidden)[];
}

/** Reads a record, as views of its bytes; throws a WireError as `parseAnyRecord` does. */
export function readRecord(bytes: Uint8Array): ReadRecord {
  const scanned = scanRecord(bytes);
  if (scanned === undefined || scanned.hides) return parseAnyRecord(bytes);
  const { service, seq, previousAt, time_s } = scanned;
  const previous = bytes.subarray(previousAt, previousAt + (seq === 0 ? 0 : HASH_BYTES));
  return {
    kid: bytes.subarray(KID, KID + KID_BYTES),
    algorithm: algorithmOf(bytes),
    claims: { service, seq, previous, time_s },
    disclosures: [],
    stripped: bytes,
    hash: sha256(bytes),
    signature: bytes.subarray(-SIGNATURE_BYTES),
  };
}

/** Reads records without disclosures, as views of their bytes; throws a WireError as `parseAnyRecord` does, and where one has disclosures. */
export function readSignedRecords(records: readonly Uint8Array[]): SignedRecord[] {
  // One memory for the digests of all, one to hash leaves in: each record's own would cost more than the work.
  const digests = new Uint8Array(2 * HASH_BYTES * records.length);
  const leafEntry = new Uint8Array(1 + HASH_BYTES);
  const signed: SignedRecord[] = [];
  for (const bytes of records) {
    const scanned = scanRecord(bytes);
    if (scanned === undefined) {
      signed.push(parseSignedRecord(bytes));
      continue;
    }
    const meter = hexAt(bytes, KID, KID + KID_BYTES);
    const offset = 2 * HASH_BYTES * signed.length;
    writeSha256(bytes, digests, offset);
    // The entry of a leaf, behind a zero byte (RFC 9162 section 2.1.1).
    for (let at = 0; at < HASH_BYTES; at += 1) leafEntry[1 + at] = digests[offset + at]!;
    writeSha256(leafEntry, digests, offset + HASH_BYTES);
    const hash = digests.subarray(offset, offset + HASH_BYTES);
    const leaf = digests.subarray(offset + HASH_BYTES, offset + 2 * HASH_BYTES);
    const { service, seq, previousAt, hides } = scanned;
    const record = { bytes, hash, leaf, meter, seq, previousAt, type: undefined, hides };
    signed.push({ record, algorithm: algorithmOf(bytes), service });
  }
  return signed;
}

function parseSignedRecord(bytes: Uint8Array): SignedRecord {
  const record = parseAnyRecord(bytes);
  if (record.disclosures.length > 0) {
    throw new WireError("unproven", "batch holds a record with confidential parts");
  }
  return { record: executionRecord(record), algorithm: record.algorithm, service: record.claims.service };
}

/** What the rules need of a record. */
export function executionRecord({ stripped, hash, kid, claims, signature }: ReadRecord): ExecutionRecord {
  const { seq, previous } = claims;
  // What goes with the disclosures stands before the payload: to the record's end it is as far as before.
  const previousAt = stripped.length - SIGNATURE_BYTES - (signature.byteOffset - previous.byteOffset);
  const { type, digests } = claims;
  const hides = type === undefined && digests !== undefined;
  return { bytes: stripped, hash, leaf: leafHash(hash), meter: meterOf(kid), seq, previousAt, type, hides };
}

/** A sealed operation as contracts are told of it. */
export interface AskedOperation extends Pick<OperationClaims, "type" | "seq" | "time_s" | "body" | "until_s"> {
  /** id of who signed it, as hex */
  readonly participant: string;
}

/** What the operation asks; undefined of a reading. */
export function askedBy({ type, bytes, meter }: ExecutionRecord): AskedOperation | undefined {
  if (type === undefined) return undefined;
  const { seq, time_s, body, until_s } = parseOperation(bytes).claims;
  return { type, participant: meter, seq, time_s, body, ...(until_s !== undefined && { until_s }) };
}

/** Why the credential's holder may not sign a record, of this type where it is an operation; undefined where it may. */
export function roleComplaint(credential: Pick<Credential, "roles">, type: number | undefined): string | undefined {
  if (type === undefined) {
    return isDevice(credential) ? undefined : "credential is a participant's, who signs no readings";
  }
  return isParticipant(credential) ? undefined : "credential is a meter's, which signs no operations";
}

/** A meter's id as hex. */
export function meterOf(kid: Uint8Array): string {
  return hexAt(kid, 0, kid.length);
}

/** The id of a record's meter. */
export function kidOf({ bytes }: Pick<ExecutionRecord, "bytes">): Uint8Array {
  return bytes.subarray(KID, KID + KID_BYTES);
}

// Tag 18, an array of four, the protected header { 1: -19 / -9, 4: kid } as a byte string, an empty map, payload, signature: the offsets.
const HEADER = 2;
const ALGORITHM = 5;
export const KID = 8;
export const KID_BYTES = 8;
const UNPROTECTED = 16;
export const PAYLOAD = 17;
const SIGNATURE_BYTES = 64;
const EMPTY_MAP = 0xa0;
const EMPTY_BYTES = 0x40;

/** Bytes that `writeSigned` writes for the record. */
export function signedSize(record: Uint8Array): number {
  return SIGN1_CONTEXT.length - HEADER + record.length;
}

/**
 * Writes the Sig_structure (RFC 9052 section 4.4) of a record without disclosures and behind it, as a byte string of 64, its signature:
 * both are the record's own bytes but for what comes before the protected header and the one byte behind it.
 */
export function writeSigned(record: Uint8Array, target: Uint8Array, offset: number): void {
  const start = offset + SIGN1_CONTEXT.length - HEADER;
  target.set(record, start);
  target.set(SIGN1_CONTEXT, offset);
  target[start + UNPROTECTED] = EMPTY_BYTES;
}

interface Scanned {
  service: number;
  seq: number;
  /** where the hash of the record before stands, or would */
  previousAt: number;
  time_s: number;
  hides: boolean;
}

/** Whether the bytes are a reading in the form that meters write, with everything in it as `parseRecord` wants it. */
export function isUsualReading(bytes: Uint8Array): boolean {
  return scanRecord(bytes) !== undefined;
}

/** What `parseRecord` reads of these bytes, which are a reading; undefined where they are none, or in a form that meters do not write. */
function scanRecord(bytes: Uint8Array): Scanned | undefined {
  const { length } = bytes;
  const signature = length - SIGNATURE_BYTES;
  if (length > RECORD_BYTES_MAX || bytes[signature - 2] !== 0x58 || bytes[signature - 1] !== SIGNATURE_BYTES) {
    return undefined;
  }
  const isUsual = bytes[0] === 0xd2 && bytes[1] === 0x84 && isUsualHeader(bytes) && bytes[UNPROTECTED] === EMPTY_MAP;
  if (!isUsual) return undefined;
  const cursor = { bytes, offset: PAYLOAD };
  const end = signature - 2;
  if (readArgument(cursor, 2) !== end - cursor.offset) return undefined;
  const scanned = { service: 0, seq: 0, previousAt: 0, time_s: 0, hides: false };
  // Reading goes on behind the end where a claim crosses it, and never comes back to it.
  return scanClaims(cursor, scanned) && cursor.offset === end ? scanned : undefined;
}

function algorithmOf(bytes: Uint8Array): number {
  return -1 - (bytes[ALGORITHM]! & 31);
}

function isUsualHeader(bytes: Uint8Array): boolean {
  const algorithm = bytes[ALGORITHM];
  if (algorithm !== 0x32 && algorithm !== 0x28) return false;
  return bytes[2] === 0x4d && bytes[3] === 0xa2 && bytes[4] === 1 && bytes[6] === 4 && bytes[7] === 0x48;
}

/** Claims 1 to 7 are in every record, 8 to 15 in some. */
function scanClaims(cursor: Cursor, scanned: Scanned): boolean {
  const count = readArgument(cursor, 5);
  let last = 0;
  for (let index = 0; index < count; index += 1) {
    const key = cursor.bytes[cursor.offset]!;
    if (index < 7 ? key !== index + 1 : key <= last || key > 15) return false;
    cursor.offset += 1;
    if (!scanClaim(cursor, key, scanned)) return false;
    last = key;
  }
  return count >= 7;
}

function scanClaim(cursor: Cursor, key: number, scanned: Scanned): boolean {
  switch (key) {
    case 1:
      return readArgument(cursor, 0) === 1;
    case 2:
      scanned.service = readArgument(cursor, 0);
      return scanned.service > 0 && scanned.service <= SERVICE_MAX;
    case 4:
      scanned.seq = readArgument(cursor, 0);
      return isWithin(scanned.seq, SEQ_MAX);
    case 5: {
      const length = scanned.seq === 0 ? 0 : HASH_BYTES;
      const isThere = scanBytes(cursor, length);
      scanned.previousAt = cursor.offset - length;
      return isThere;
    }
    case 6:
      scanned.time_s = readArgument(cursor, 0);
      return isWithin(scanned.time_s, TIME_S_MAX);
    case 7:
      return isWithin(readArgument(cursor, 0), 3);
    case 9:
      return scanRegisters(cursor);
    case 10:
      scanned.hides = true;
      return scanDigests(cursor);
    case 12:
      return scanBytes(cursor, HASH_BYTES);
    default:
      return readArgument(cursor, 0) >= 0;
  }
}

function scanRegisters(cursor: Cursor): boolean {
  const count = readArgument(cursor, 4);
  if (count < 1 || count > REGISTERS_MAX) return false;
  for (let index = 0; index < count; index += 1) {
    const fields = readArgument(cursor, 4);
    if (fields !== 4 && fields !== 5) return false;
    if (!scanBytes(cursor, 6) || readMagnitude(cursor) < 0) return false;
    if (!isWithin(readMagnitude(cursor), 127) || !isWithin(readArgument(cursor, 0), 255)) return false;
    if (fields === 5 && readArgument(cursor, 0) < 0) return false;
  }
  return true;
}

function scanDigests(cursor: Cursor): boolean {
  const count = readArgument(cursor, 4);
  if (count < 1 || count > DISCLOSURES_MAX) return false;
  let before: Uint8Array | undefined;
  for (let index = 0; index < count; index += 1) {
    if (!scanBytes(cursor, HASH_BYTES)) return false;
    const digest = cursor.bytes.subarray(cursor.offset - HASH_BYTES, cursor.offset);
    if (before !== undefined && compareBytes(before, digest) >= 0) return false;
    before = digest;
  }
  return true;
}

function isWithin(value: number, max: number): boolean {
  return value >= 0 && value <= max;
}
