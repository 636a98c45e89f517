// The operation: a record that a participant signs and that asks something of the chain. It is a COSE_Sign1 over claims, as a reading
// is (record.ts), with claim 16 in the place of what a meter measures. No meter makes or reads one.

import { CODE_MAX, OPERATION_TYPE_MAX, PLAIN_MAX, SEQ_MAX, TIME_S_MAX } from "./bounds.js";
import { compareBytes, equalBytes } from "./bytes.js";
import { type CborValue, decodeCbor, decodeCborViews, encodeCbor } from "./cbor.js";
import { encodeSign1, parseSign1, protectedHeader, type Sign1, sign1Bytes } from "./cose.js";
import { WireError } from "./error.js";
import { DEPTH_MAX } from "./guard.js";
import { sha256 } from "./hash.js";
import { ED25519, ESP256, type Signer } from "./key.js";
import { type Claims, DISCLOSURES_MAX, parseRecord, type Record } from "./record.js";
import { asArray, asBytes, asMap, asService, asText, asUint } from "./shape.js";
import { decodeValue, encodeValue, type Value, valueFromCbor, valueToCbor } from "./value.js";

/** Largest operation with its disclosures. */
export const OPERATION_BYTES_MAX = 65_536;
/** Largest disclosure of an operation: what a contract's state can hold of it. */
export const HIDDEN_BYTES_MAX = 16_384;
const ITEMS_MAX = 16_384;
const DISCLOSURE_HEADER = 17;
const OPERATION_CLAIM = 16;
/** Behind tag 18 and the head of an array of four. */
const HEADERS_AT = 2;
const claimKeys: readonly number[] = [1, 2, 3, 4, 5, 6, 7, 10, OPERATION_CLAIM];

export interface OperationClaims
  extends Pick<Claims, "service" | "serviceId" | "seq" | "previous" | "time_s" | "quality" | "digests"> {
  /** what is asked; PROTOCOL.md, section 4, has the types */
  readonly type: number;
  readonly body: Value;
  /** UTC seconds: in a block of a later time it asks nothing any more */
  readonly until_s?: number;
}

/** A confidential part of an operation, which its signer opens when it likes. */
export interface Hidden {
  /** 16 random bytes */
  readonly salt: Uint8Array;
  readonly label: string;
  readonly value: Value;
}

export interface Operation {
  readonly kid: Uint8Array;
  readonly algorithm: number;
  readonly claims: OperationClaims;
  readonly disclosures: readonly Hidden[];
  /** the operation without header 17: what is hashed, sealed and kept */
  readonly stripped: Uint8Array;
  /** SHA-256 of `stripped` */
  readonly hash: Uint8Array;
  /** the Sig_structure that `signature` signs */
  readonly signedBytes: Uint8Array;
  readonly signature: Uint8Array;
}

/** What a hidden part's digest is taken of, and what stands in header 17. */
export function encodeHidden({ salt, label, value }: Hidden): Uint8Array {
  return encodeCbor([salt, label, valueToCbor(value)]);
}

/** Reads one hidden part, the content of a byte string of header 17. */
export function decodeHidden(bytes: Uint8Array): Hidden {
  const items = decodeCbor(bytes, { size: HIDDEN_BYTES_MAX, items: ITEMS_MAX });
  const [salt, label, value] = asArray(items, "disclosure", 3);
  return {
    salt: asBytes(salt, "disclosure salt", 16),
    label: asText(label, "disclosure label"),
    value: valueFromCbor(value!),
  };
}

/**
 * Signs an operation. `disclosures` are encoded ones whose digests stand in the claims. Throws a WireError where it would be none, as
 * when it is too large.
 */
export function signOperation(
  claims: OperationClaims,
  disclosures: readonly Uint8Array[],
  signer: Signer,
  kid: Uint8Array,
): Uint8Array {
  const header = protectedHeader(signer.key.algorithm, kid);
  const payload = encodeCbor(claimsToMap(claims));
  const unprotected = new Map<number, CborValue>();
  if (disclosures.length > 0) unprotected.set(DISCLOSURE_HEADER, [...disclosures]);
  const unsigned = encodeSign1(header, unprotected, payload, new Uint8Array(64));
  parseOperation(unsigned); // what is signed can be read
  return encodeSign1(header, unprotected, payload, signer.sign(sign1Bytes(header, payload)));
}

/** A record of either kind: a meter's reading or a participant's operation. */
export type AnyRecord = Record | Operation;

/** Reads a record of either kind, as views of its bytes, and checks everything but its signature. */
export function parseAnyRecord(bytes: Uint8Array): AnyRecord {
  return hasOperation(bytes) ? parseOperation(bytes) : parseRecord(bytes);
}

/** Which of both kinds a record is that has been read. */
export function isOperation(record: AnyRecord): record is Operation {
  return "type" in record.claims;
}

/**
 * Whether the bytes are a record with claim 16 and none that a reading alone has, well-formed or not in all else. Nodes ask it of each
 * record that comes with disclosures, an audit of all: it reads no further than the first claim that tells, and makes nothing.
 */
export function hasOperation(bytes: Uint8Array): boolean {
  const unprotected = behindItem(bytes, HEADERS_AT, 0);
  const payload = behindItem(bytes, unprotected, 0);
  let offset = payload + headLength(bytes, payload);
  if (bytes[payload]! >> 5 !== 2 || bytes[offset]! >> 5 !== 5) return false;
  // Claims have keys of one byte, and no record has as many as would make the map's head longer.
  for (let left = bytes[offset]! & 31; left > 0; left -= 1) {
    const key = bytes[offset + 1]!;
    if (!claimKeys.includes(key)) return false;
    if (key === OPERATION_CLAIM) return true;
    offset = behindItem(bytes, offset + 2, 0) - 1;
  }
  return false;
}

/** Behind the item at the offset; behind all bytes where there is none. */
function behindItem(bytes: Uint8Array, offset: number, depth: number): number {
  const initial = bytes[offset];
  if (initial === undefined || depth > DEPTH_MAX) return bytes.length;
  const major = initial >> 5;
  const content = offset + headLength(bytes, offset);
  if (major < 2 || major > 5) return content;
  let count = argumentAt(bytes, offset);
  if (major < 4) return Math.min(content + count, bytes.length);
  if (major === 5) count *= 2;
  let end = content;
  for (let index = 0; index < count && end < bytes.length; index += 1) end = behindItem(bytes, end, depth + 1);
  return end;
}

function headLength(bytes: Uint8Array, offset: number): number {
  const additional = bytes[offset]! & 31;
  return additional < 24 ? 1 : additional === 24 ? 2 : additional === 25 ? 3 : additional === 26 ? 5 : 9;
}

/** A length or count of the item at the offset; what does not fit the bytes comes out larger than they are. */
function argumentAt(bytes: Uint8Array, offset: number): number {
  const width = headLength(bytes, offset) - 1;
  if (width === 0) return bytes[offset]! & 31;
  let argument = 0;
  for (let index = 1; index <= width; index += 1) argument = argument * 256 + (bytes[offset + index] ?? 0xff);
  return argument;
}

/** Reads an operation, as views of its bytes, and checks everything but its signature: verify `signature` over `signedBytes` with the key of `kid`. */
export function parseOperation(bytes: Uint8Array): Operation {
  const message = parseSign1(bytes, OPERATION_BYTES_MAX);
  if (message.algorithm !== ED25519 && message.algorithm !== ESP256) {
    throw new WireError("unsupported", `operation is signed with algorithm ${message.algorithm}`);
  }
  const claims = claimsFromMap(decodeCborViews(message.payload));
  const stripped = strippedOf(bytes, message);
  return {
    kid: asBytes(message.kid, "operation kid", 8),
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

function disclosuresOf(message: Sign1, claims: OperationClaims): Hidden[] {
  if (message.unprotected.size === 0) return [];
  const header = asMap(message.unprotected, "operation unprotected header", [DISCLOSURE_HEADER]);
  const encoded = asArray(header.get(DISCLOSURE_HEADER), "operation disclosures");
  checkCount(encoded, "operation", "disclosures");
  const digests = [...(claims.digests ?? [])];
  const labels = new Set<string>();
  return encoded.map((item) => {
    const bytes = asBytes(item, "disclosure");
    const digest = sha256(bytes);
    const position = digests.findIndex((claimed) => equalBytes(claimed, digest));
    if (position < 0) throw new WireError("unproven", "disclosure's digest is not in the payload");
    digests.splice(position, 1);
    const hidden = decodeHidden(bytes);
    if (labels.has(hidden.label)) throw new WireError("shape", `two disclosures have the label ${hidden.label}`);
    labels.add(hidden.label);
    return hidden;
  });
}

function checkCount({ length }: readonly CborValue[], name: string, what: string): void {
  if (length > 0 && length <= DISCLOSURES_MAX) return;
  throw new WireError("shape", `${name} must have 1 to ${DISCLOSURES_MAX} ${what}, not ${length}`);
}

function claimsToMap(claims: OperationClaims): ReadonlyMap<number, CborValue> {
  const { service, serviceId, seq, previous, time_s, quality, digests, type, body, until_s } = claims;
  return new Map<number, CborValue>([
    [1, 1],
    [2, service],
    [3, serviceId],
    [4, seq],
    [5, previous],
    [6, time_s],
    [7, quality],
    ...(digests === undefined ? [] : [[10, digests] as const]),
    [OPERATION_CLAIM, [type, encodeValue(body), ...(until_s === undefined ? [] : [until_s])]],
  ]);
}

function claimsFromMap(value: CborValue): OperationClaims {
  const map = asMap(value, "operation's claims", claimKeys);
  const version = asUint(map.get(1), "claim 1 (version)", CODE_MAX);
  if (version !== 1) throw new WireError("unsupported", `record format version ${version} is not supported`);
  const seq = asUint(map.get(4), "claim 4 (seq)", SEQ_MAX);
  return {
    service: asService(map.get(2), "claim 2 (service)"),
    serviceId: asUint(map.get(3), "claim 3 (service id)", PLAIN_MAX),
    seq,
    previous: asBytes(map.get(5), "claim 5 (previous hash)", seq === 0 ? 0 : 32),
    time_s: asUint(map.get(6), "claim 6 (time)", TIME_S_MAX),
    quality: asUint(map.get(7), "claim 7 (time quality)", 3),
    ...(map.has(10) && { digests: digestsFrom(map.get(10)) }),
    ...askedFrom(map.get(OPERATION_CLAIM)),
  };
}

function askedFrom(value: CborValue | undefined): Pick<OperationClaims, "type" | "body" | "until_s"> {
  const items = asArray(value, "claim 16 (operation)");
  if (items.length !== 2 && items.length !== 3) {
    throw new WireError("shape", `claim 16 (operation) must have 2 or 3 items, not ${items.length}`);
  }
  const type = asUint(items[0], "claim 16 (type)", OPERATION_TYPE_MAX);
  if (type === 0) throw new WireError("shape", "claim 16 (type) must not be 0");
  return {
    type,
    body: decodeValue(asBytes(items[1], "claim 16 (body)")),
    ...(items.length === 3 && { until_s: asUint(items[2], "claim 16 (until)", TIME_S_MAX) }),
  };
}

function digestsFrom(value: CborValue | undefined): Uint8Array[] {
  const digests = asArray(value, "claim 10 (digests)").map((digest) => asBytes(digest, "claim 10 digest", 32));
  checkCount(digests, "claim 10", "digests");
  for (let index = 1; index < digests.length; index += 1) {
    if (compareBytes(digests[index - 1]!, digests[index]!) >= 0) {
      throw new WireError("shape", "claim 10 digests are not in ascending order");
    }
  }
  return digests;
}
