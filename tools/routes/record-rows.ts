// A row of the answer that lists the sealed records of a meter or a participant.

import { SEQ_MAX } from "../../src/wire/bounds.js";
import { equalBytes } from "../../src/wire/bytes.js";
import { decodeCbor, encodeCbor } from "../../src/wire/cbor.js";
import { WireError } from "../../src/wire/error.js";
import { sha256 } from "../../src/wire/hash.js";
import { OPERATION_BYTES_MAX } from "../../src/wire/operation.js";
import { asArray, asBytes, asHeight, asUint } from "../../src/wire/shape.js";

/** A sealed record with its place. */
export interface FoundRecord {
  readonly seq: number;
  readonly height: number;
  /** in the block's tree, from 1 */
  readonly leaf: number;
  /** SHA-256 of the record, 32 bytes */
  readonly hash: Uint8Array;
  /** as it is sealed; undefined where the node keeps it no more */
  readonly bytes: Uint8Array | undefined;
}

const LEAF_MAX = 2 ** 24 - 1;
const HASH_BYTES = 32;
const limits = { size: OPERATION_BYTES_MAX + 128, items: 8 };

/** [number, height, leaf, hash, record / null] */
export function encodeRecordRow({ seq, height, leaf, hash, bytes }: FoundRecord): Uint8Array {
  return encodeCbor([seq, height, leaf, hash, bytes ?? null]);
}

/** Throws a WireError where the bytes are no row, or the record is not the one that the hash names. */
export function decodeRecordRow(row: Uint8Array): FoundRecord {
  const [seq, height, leaf, hash, bytes] = asArray(decodeCbor(row, limits), "record row", 5);
  const found = {
    seq: asUint(seq, "record row's number", SEQ_MAX),
    height: asHeight(height, "record row's height"),
    leaf: asUint(leaf, "record row's leaf", LEAF_MAX),
    hash: asBytes(hash, "record row's hash", HASH_BYTES),
    bytes: bytes === null ? undefined : asBytes(bytes, "record row's record"),
  };
  if (found.bytes !== undefined && !equalBytes(sha256(found.bytes), found.hash)) {
    throw new WireError("shape", `record row ${found.seq} holds another record than it names`);
  }
  return found;
}
