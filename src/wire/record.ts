// The record: what a meter signs. A COSE_Sign1 over the claims, the confidential groups beside it as disclosures in the
// unprotected header 17 (the core of SD-CWT alone). To desensitise a record is to drop that header; the signature stays good.

import { CODE_MAX, PLAIN_MAX, SEQ_MAX, TIME_S_MAX } from "./bounds.js";
import { compareBytes, equalBytes } from "./bytes.js";
import { type CborValue, decodeCbor, decodeCborViews, encodeCbor } from "./cbor.js";
import { encodeSign1, parseSign1, protectedHeader, type Sign1, sign1Bytes } from "./cose.js";
import { WireError } from "./error.js";
import { guardCborPrefix } from "./guard.js";
import { sha256 } from "./hash.js";
import { ED25519, ESP256, type Signer } from "./key.js";
import { asArray, asBytes, asInteger, asMap, asService, asText, asUint } from "./shape.js";

/** Largest record with its disclosures. */
export const RECORD_BYTES_MAX = 16_384;
export const REGISTERS_MAX = 256;
export const DISCLOSURES_MAX = 16;
const DISCLOSURE_HEADER = 17;
/** Where the unprotected header of a meter's record begins: behind tag, array and the 13 bytes of { 1: algorithm, 4: kid }. */
const UNPROTECTED_AT = 16;
const EMPTY_MAP = 0xa0;

/**
 * One measured quantity: value × 10^scaler in the DLMS unit (IEC 62056-62). src/meter states the same form in register.ts: neither
 * imports the other.
 */
export interface Register {
  /** OBIS code, groups A to F */
  readonly obis: Uint8Array;
  readonly value: number | bigint;
  readonly scaler: number;
  readonly unit: number;
  /** seconds between this register's capture and the reading */
  readonly age?: number;
}

/** Where the registers came from (claim 11). */
export const sources = {
  p1: 1,
  sml: 2,
  hdlc: 3,
  mbus: 4,
  d0: 5,
  pulse: 6,
  modbus: 7,
  tic: 8,
  push: 9,
  emulated: 255,
} as const;
/** Why the record was made (claim 13). */
export const reasons = { periodic: 0, clockAligned: 1, onDemand: 2, event: 3, backfill: 4 } as const;

export interface Claims {
  readonly service: number;
  readonly serviceId: number;
  readonly seq: number;
  /** hash of the meter's previous record of this service; empty at seq 0 */
  readonly previous: Uint8Array;
  /** UTC seconds of the reading */
  readonly time_s: number;
  /** 0 unknown, 1 informative, 2 synchronised, 3 relative */
  readonly quality: number;
  readonly status?: number;
  readonly registers?: readonly Register[];
  /** digests of the confidential groups, ascending */
  readonly digests?: readonly Uint8Array[];
  readonly source?: number;
  /** SHA-256 of the raw frame */
  readonly frameHash?: Uint8Array;
  readonly reason?: number;
  readonly events?: number;
  readonly errors?: number;
}

export interface Disclosure {
  /** 16 bytes from the hardware's generator */
  readonly salt: Uint8Array;
  readonly label: string;
  readonly registers: readonly Register[];
}

export interface Record {
  readonly kid: Uint8Array;
  readonly algorithm: number;
  readonly claims: Claims;
  readonly disclosures: readonly Disclosure[];
  /** the record without header 17: what is hashed, sealed and kept */
  readonly stripped: Uint8Array;
  /** SHA-256 of `stripped` */
  readonly hash: Uint8Array;
  /** the Sig_structure that `signature` signs */
  readonly signedBytes: Uint8Array;
  readonly signature: Uint8Array;
}

/** What a disclosure's digest is taken of, and what stands in header 17. */
export function encodeDisclosure(disclosure: Disclosure): Uint8Array {
  return encodeCbor([disclosure.salt, disclosure.label, disclosure.registers.map(registerToArray)]);
}

/** Digests of encoded disclosures in the order that claim 10 wants. */
export function digestsOf(disclosures: readonly Uint8Array[]): Uint8Array[] {
  return disclosures.map(sha256).sort(compareBytes);
}

/** Signs a record. `disclosures` are encoded ones whose digests stand in the claims. */
export function signRecord(
  claims: Claims,
  disclosures: readonly Uint8Array[],
  signer: Signer,
  kid: Uint8Array,
): Uint8Array {
  const header = protectedHeader(signer.key.algorithm, kid);
  const payload = encodeCbor(claimsToMap(claims));
  const unprotected = new Map<number, CborValue>();
  if (disclosures.length > 0) unprotected.set(DISCLOSURE_HEADER, [...disclosures]);
  return encodeSign1(header, unprotected, payload, signer.sign(sign1Bytes(header, payload)));
}

/** The record without its disclosures (header 17), byte for byte what is sealed. */
export function stripRecord(bytes: Uint8Array): Uint8Array {
  return strippedOf(bytes, parseSign1(bytes, RECORD_BYTES_MAX));
}

/**
 * As `stripRecord`, of a record that the meter itself has made and stored with a checksum: reads nothing but the header that goes, which
 * takes a tenth of the stack.
 */
export function stripOwnRecord(bytes: Uint8Array): Uint8Array {
  if (bytes[UNPROTECTED_AT] === EMPTY_MAP) return bytes;
  const length = guardCborPrefix(bytes.subarray(UNPROTECTED_AT), { size: RECORD_BYTES_MAX, items: 64 });
  const stripped = new Uint8Array(bytes.length - length + 1);
  stripped.set(bytes.subarray(0, UNPROTECTED_AT));
  stripped[UNPROTECTED_AT] = EMPTY_MAP;
  stripped.set(bytes.subarray(UNPROTECTED_AT + length), UNPROTECTED_AT + 1);
  return stripped;
}

/** Reads a record, as views of its bytes, and checks everything but its signature: verify `signature` over `signedBytes` with the key of `kid`. */
export function parseRecord(bytes: Uint8Array): Record {
  const message = parseSign1(bytes, RECORD_BYTES_MAX);
  if (message.algorithm !== ED25519 && message.algorithm !== ESP256) {
    throw new WireError("unsupported", `record is signed with algorithm ${message.algorithm}`);
  }
  const claims = claimsFromMap(decodeCborViews(message.payload));
  const stripped = strippedOf(bytes, message);
  return {
    kid: asBytes(message.kid, "record kid", 8),
    algorithm: message.algorithm,
    claims,
    disclosures: disclosuresOf(message, claims),
    stripped,
    hash: sha256(stripped),
    signedBytes: sign1Bytes(message.protected, message.payload),
    signature: message.signature,
  };
}

function strippedOf(bytes: Uint8Array, message: Sign1): Uint8Array {
  if (message.unprotected.size === 0) return bytes;
  return encodeSign1(message.protected, new Map(), message.payload, message.signature);
}

function disclosuresOf(message: Sign1, claims: Claims): Disclosure[] {
  if (message.unprotected.size === 0) return [];
  const header = asMap(message.unprotected, "record unprotected header", [DISCLOSURE_HEADER]);
  const encoded = asArray(header.get(DISCLOSURE_HEADER), "record disclosures");
  if (encoded.length === 0 || encoded.length > DISCLOSURES_MAX) {
    throw new WireError("shape", `record must have 1 to ${DISCLOSURES_MAX} disclosures, not ${encoded.length}`);
  }
  const digests = [...(claims.digests ?? [])];
  const labels = new Set<string>();
  return encoded.map((item) => {
    const bytes = asBytes(item, "disclosure");
    const digest = sha256(bytes);
    const position = digests.findIndex((claimed) => equalBytes(claimed, digest));
    if (position < 0) throw new WireError("unproven", "disclosure's digest is not in the payload");
    digests.splice(position, 1);
    const disclosure = decodeDisclosure(bytes);
    if (labels.has(disclosure.label))
      throw new WireError("shape", `two disclosures have the label ${disclosure.label}`);
    labels.add(disclosure.label);
    for (const hidden of disclosure.registers) {
      if (claims.registers?.some((clear) => equalBytes(clear.obis, hidden.obis))) {
        throw new WireError("shape", `disclosure ${disclosure.label} shadows a clear register`);
      }
    }
    return disclosure;
  });
}

/** Reads one disclosure, the content of a byte string of header 17. */
export function decodeDisclosure(bytes: Uint8Array): Disclosure {
  const [salt, label, registers] = asArray(decodeCbor(bytes), "disclosure", 3);
  return {
    salt: asBytes(salt, "disclosure salt", 16),
    label: asText(label, "disclosure label"),
    registers: registersFrom(registers, "disclosure registers"),
  };
}

function claimsToMap(claims: Claims): ReadonlyMap<number, CborValue> {
  const map = new Map<number, CborValue>([
    [1, 1],
    [2, claims.service],
    [3, claims.serviceId],
    [4, claims.seq],
    [5, claims.previous],
    [6, claims.time_s],
    [7, claims.quality],
  ]);
  const optional: readonly (readonly [number, CborValue | undefined])[] = [
    [8, claims.status],
    [9, claims.registers?.map(registerToArray)],
    [10, claims.digests],
    [11, claims.source],
    [12, claims.frameHash],
    [13, claims.reason],
    [14, claims.events],
    [15, claims.errors],
  ];
  for (const [key, value] of optional) if (value !== undefined) map.set(key, value);
  return map;
}

/** While it is being read. */
type Writable<T> = { -readonly [Name in keyof T]: T[Name] };

const claimKeys: readonly number[] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

function claimsFromMap(value: CborValue): Claims {
  const map = asMap(value, "claims", claimKeys);
  const version = asUint(map.get(1), "claim 1 (version)", CODE_MAX);
  if (version !== 1) throw new WireError("unsupported", `record format version ${version} is not supported`);
  const seq = asUint(map.get(4), "claim 4 (seq)", SEQ_MAX);
  const service = asService(map.get(2), "claim 2 (service)");
  const claims: Writable<Claims> = {
    service,
    serviceId: asUint(map.get(3), "claim 3 (service id)", PLAIN_MAX),
    seq,
    previous: asBytes(map.get(5), "claim 5 (previous hash)", seq === 0 ? 0 : 32),
    time_s: asUint(map.get(6), "claim 6 (time)", TIME_S_MAX),
    quality: asUint(map.get(7), "claim 7 (time quality)", 3),
  };
  if (map.has(8)) claims.status = asUint(map.get(8), "claim 8 (status)", PLAIN_MAX);
  if (map.has(9)) claims.registers = registersFrom(map.get(9), "claim 9 (registers)");
  if (map.has(10)) claims.digests = digestsFrom(map.get(10));
  if (map.has(11)) claims.source = asUint(map.get(11), "claim 11 (source)", PLAIN_MAX);
  if (map.has(12)) claims.frameHash = asBytes(map.get(12), "claim 12 (frame hash)", 32);
  if (map.has(13)) claims.reason = asUint(map.get(13), "claim 13 (reason)", PLAIN_MAX);
  if (map.has(14)) claims.events = asUint(map.get(14), "claim 14 (events)", PLAIN_MAX);
  if (map.has(15)) claims.errors = asUint(map.get(15), "claim 15 (errors)", PLAIN_MAX);
  return claims;
}

function digestsFrom(value: CborValue | undefined): Uint8Array[] {
  const digests = asArray(value, "claim 10 (digests)").map((digest) => asBytes(digest, "claim 10 digest", 32));
  if (digests.length === 0 || digests.length > DISCLOSURES_MAX) {
    throw new WireError("shape", `claim 10 must hold 1 to ${DISCLOSURES_MAX} digests, not ${digests.length}`);
  }
  for (let index = 1; index < digests.length; index += 1) {
    if (compareBytes(digests[index - 1]!, digests[index]!) >= 0) {
      throw new WireError("shape", "claim 10 digests are not in ascending order");
    }
  }
  return digests;
}

function registerToArray(register: Register): CborValue {
  const fields: CborValue[] = [register.obis, register.value, register.scaler, register.unit];
  if (register.age !== undefined) fields.push(register.age);
  return fields;
}

function registersFrom(value: CborValue | undefined, name: string): Register[] {
  const items = asArray(value, name);
  if (items.length === 0 || items.length > REGISTERS_MAX) {
    throw new WireError("shape", `${name} must hold 1 to ${REGISTERS_MAX} registers, not ${items.length}`);
  }
  return items.map((item) => {
    const fields = asArray(item, "register");
    if (fields.length < 4 || fields.length > 5) throw new WireError("shape", "register must have 4 or 5 fields");
    const scaler = asInteger(fields[2], "register scaler");
    if (typeof scaler === "bigint" || scaler < -128 || scaler > 127) {
      throw new WireError("shape", "register scaler must be within -128 and 127");
    }
    const register: Writable<Register> = {
      obis: asBytes(fields[0], "register obis", 6),
      value: asInteger(fields[1], "register value"),
      scaler,
      unit: asUint(fields[3], "register unit", 255),
    };
    if (fields.length === 5) register.age = asUint(fields[4], "register age", PLAIN_MAX);
    return register;
  });
}
