// What proves a node's word on a temporary block false: a record of it that its meter has not signed, the path from there to what the
// node signed, and that signature. It needs neither the temporary block nor the chain (PROTOCOL.md, section 8).

import {
  acknowledgementBytes,
  type Batch,
  type BatchName,
  type BatchSummary,
  batchId,
  batchSummaryBytes,
} from "../../src/wire/batch.js";
import { BATCH_NUMBER_MAX, BATCH_RECORDS_MAX } from "../../src/wire/bounds.js";
import { equalBytes } from "../../src/wire/bytes.js";
import { decodeCbor, encodeCbor } from "../../src/wire/cbor.js";
import { CREDENTIAL_BYTES_MAX, verifyCredential } from "../../src/wire/credential.js";
import { WireError } from "../../src/wire/error.js";
import type { Genesis, Member } from "../../src/wire/genesis.js";
import { sha256 } from "../../src/wire/hash.js";
import { keyId, type PublicKey, type Verify } from "../../src/wire/key.js";
import { inclusionPath, leafHash, merkleLevels, rootFromInclusion } from "../../src/wire/merkle.js";
import { encodeNotices } from "../../src/wire/notice.js";
import { OPERATION_BYTES_MAX, parseAnyRecord } from "../../src/wire/operation.js";
import { asArray, asBytes, asList, asUint } from "../../src/wire/shape.js";
import type { ExecutionRecord } from "./record-scan.js";

/** Room for the largest record and credential, and the path in the largest temporary block. */
export const DISPROOF_BYTES_MAX = 67_584;
/** Head of an array of ten; evidence of an equivocation is one of two. */
const ARRAY_OF_TEN = 0x8a;
const PATH_MAX = 10;

/** A record of a temporary block that is not signed by its meter, as anybody can tell who knows the authority. */
export interface BadRecord {
  readonly summary: Omit<BatchSummary, "root">;
  /** position of the record, from 0 */
  readonly index: number;
  /** from the record up to the root that the origin signed */
  readonly path: readonly Uint8Array[];
  readonly record: Uint8Array;
  /** of the record's meter */
  readonly credential: Uint8Array;
}

/** What its node said of such a temporary block. */
export interface Word {
  readonly node: Uint8Array;
  /** of an acknowledgement that says verified, or, of the origin, of the temporary block itself */
  readonly signature: Uint8Array;
}

export interface Disproof {
  readonly bad: BadRecord;
  readonly word: Word;
}

interface BatchRecords {
  readonly batch: Batch;
  readonly records: readonly ExecutionRecord[];
}

/** The record at `index` of the temporary block, with the credential of its meter, as the part of a disproof that accuses nobody yet. */
export function badRecordOf({ batch, records }: BatchRecords, index: number, credential: Uint8Array): BadRecord {
  const { origin, number, notices } = batch;
  return {
    summary: { origin, number, notices: sha256(encodeNotices(notices)), count: records.length },
    index,
    path: inclusionPath(merkleLevels(records.map(({ leaf }) => leaf)), index),
    record: records[index]!.bytes,
    credential,
  };
}

export function encodeDisproof({ bad, word }: Disproof): Uint8Array {
  const { origin, number, notices, count } = bad.summary;
  const proof = [bad.index, bad.path, bad.record, bad.credential];
  return encodeCbor([origin, number, notices, count, ...proof, word.node, word.signature]);
}

/** Whether evidence is a disproof, by its first byte. */
export function isDisproof(bytes: Uint8Array): boolean {
  return bytes[0] === ARRAY_OF_TEN;
}

/** Throws a WireError where the bytes are none; whether they prove anything is `disproofComplaint`'s to say. */
export function decodeDisproof(bytes: Uint8Array): Disproof {
  const items = asArray(decodeCbor(bytes, { size: DISPROOF_BYTES_MAX, items: 64 }), "disproof", 10);
  const [origin, number, notices, count, index, path, record, credential, node, signature] = items;
  const records = asUint(count, "disproof count", BATCH_RECORDS_MAX);
  return {
    bad: {
      summary: {
        origin: asBytes(origin, "disproof origin", 8),
        number: asUint(number, "disproof number", BATCH_NUMBER_MAX),
        notices: asBytes(notices, "disproof notices", 32),
        count: records,
      },
      index: asUint(index, "disproof index", BATCH_RECORDS_MAX - 1),
      path: asList(path, "disproof path", PATH_MAX).map((hash) => asBytes(hash, "disproof path", 32)),
      record: withinBytes(asBytes(record, "disproof record"), OPERATION_BYTES_MAX, "record"),
      credential: withinBytes(asBytes(credential, "disproof credential"), CREDENTIAL_BYTES_MAX, "credential"),
    },
    word: { node: asBytes(node, "disproof node", 8), signature: asBytes(signature, "disproof signature", 64) },
  };
}

function withinBytes(bytes: Uint8Array, max: number, what: string): Uint8Array {
  if (bytes.length > max)
    throw new WireError("limit", `disproof's ${what} has ${bytes.length} bytes, ${max} are allowed`);
  return bytes;
}

/** Whom a disproof accuses, and where. */
export interface Accused {
  readonly genesis: Genesis;
  readonly chain: number;
  /** the node of the word, which is or was a member of the chain */
  readonly member: Member;
}

/**
 * What is wrong with a disproof; undefined where it proves that the member said verified of a record that does not verify. Throws a
 * WireError where the record or the credential in it is malformed.
 */
export function disproofComplaint(
  { genesis, chain, member }: Accused,
  { bad, word }: Disproof,
  verify: Verify,
): string | undefined {
  const root = rootFromInclusion(leafHash(sha256(bad.record)), bad.index, bad.summary.count, bad.path);
  if (root === undefined) return "has a path that does not fit its record's place";
  const signed = batchSummaryBytes(genesis.hash, chain, { ...bad.summary, root });
  const name = { origin: bad.summary.origin, number: bad.summary.number, id: batchId(signed) };
  if (!isWordOf(member.key, signed, { name, hash: genesis.hash, chain }, word, verify)) {
    return `is not signed by ${member.name}`;
  }
  const { key } = verifyCredential(bad.credential, genesis, verify);
  const record = parseAnyRecord(bad.record);
  // What stands behind the signature is no part of the record's hash in any block, and may be confidential.
  if (!equalBytes(record.stripped, bad.record)) return "holds a record that is not stripped";
  if (!equalBytes(keyId(key), record.kid)) return "has another's credential than its record's";
  const isSigned = key.algorithm === record.algorithm && verify(key, record.signedBytes, record.signature);
  return isSigned ? "is of a record that its meter has signed" : undefined;
}

interface Named {
  readonly name: BatchName;
  readonly hash: Uint8Array;
  readonly chain: number;
}

function isWordOf(
  key: PublicKey,
  signed: Uint8Array,
  { name, hash, chain }: Named,
  word: Word,
  verify: Verify,
): boolean {
  const acknowledged = acknowledgementBytes(hash, chain, name, true);
  if (verify(key, acknowledged, word.signature)) return true;
  return equalBytes(word.node, name.origin) && verify(key, signed, word.signature);
}
