// The temporary block: desensitised records that one node gathered, signed by it, and the acknowledgements of the chain's nodes.
// Notices travel with it: credentials of meters that are new to the chain, so that it proves its records by itself; orders; evidence.

import { BATCH_NUMBER_MAX, BATCH_RECORDS_MAX, BATCH_RULINGS_MAX } from "./bounds.js";
import { type CborValue, decodeCborViews, encodeCbor } from "./cbor.js";
import { WireError } from "./error.js";
import { sha256 } from "./hash.js";
import { leafHash, merkleRoot } from "./merkle.js";
import { encodeNotices, type Notice, noticesFromArray, noticesToArray } from "./notice.js";
import { asArray, asBytes, asService, asUint } from "./shape.js";

/** Largest encoded temporary block; a batch of the largest records ends earlier than one of ordinary ones. */
export const BATCH_BYTES_MAX = 2_097_152;
const batchLimits = { size: BATCH_BYTES_MAX, items: 8 * BATCH_RECORDS_MAX };

export interface Batch {
  readonly chain: number;
  /** id of the original node */
  readonly origin: Uint8Array;
  /** +1 per origin and chain, never used twice */
  readonly number: number;
  /** credentials of meters that the origin does not know to be on the chain, orders, evidence */
  readonly notices: readonly Notice[];
  /** stripped records in the order of their arrival */
  readonly records: readonly Uint8Array[];
}

/** A batch's name: SHA-256 of what its origin signs. */
export function batchId(signedBytes: Uint8Array): Uint8Array {
  return sha256(signedBytes);
}

/** What the origin signs: the notices by hash, the records by the Merkle root over their hashes. `leaves` are those of it, where known. */
export function batchBytes(
  genesisHash: Uint8Array,
  batch: Batch,
  leaves: readonly Uint8Array[] = batch.records.map((record) => leafHash(sha256(record))),
): Uint8Array {
  return encodeCbor([
    "gs1/batch",
    genesisHash,
    batch.chain,
    batch.origin,
    batch.number,
    sha256(encodeNotices(batch.notices)),
    merkleRoot(leaves),
    batch.records.length,
  ]);
}

/** What a node signs when it has validated and stored a temporary block. */
export function acknowledgementBytes(
  genesisHash: Uint8Array,
  chain: number,
  origin: Uint8Array,
  number: number,
  id: Uint8Array,
): Uint8Array {
  return encodeCbor(["gs1/ack", genesisHash, chain, origin, number, id]);
}

export function encodeBatch(batch: Batch, signature: Uint8Array): Uint8Array {
  return encodeCbor([batch.chain, batch.origin, batch.number, noticesToArray(batch.notices), batch.records, signature]);
}

/** Reads a temporary block, as views of its bytes; signatures of origin, notices and records are not checked. */
export function decodeBatch(bytes: Uint8Array): { readonly batch: Batch; readonly signature: Uint8Array } {
  const [chain, origin, number, notices, records, signature] = asArray(decodeCborViews(bytes, batchLimits), "batch", 6);
  const batch = {
    chain: asService(chain, "batch chain"),
    origin: asBytes(origin, "batch origin", 8),
    number: asUint(number, "batch number", BATCH_NUMBER_MAX),
    notices: noticesFromArray(notices, "batch"),
    records: asArray(records, "batch records").map(asRecord),
  };
  checkCounts(batch);
  return { batch, signature: asBytes(signature, "batch signature", 64) };
}

function asRecord(value: CborValue): Uint8Array {
  return asBytes(value, "batch record");
}

function checkCounts({ notices, records }: Batch): void {
  if (records.length > BATCH_RECORDS_MAX) {
    throw new WireError("shape", `batch must hold at most ${BATCH_RECORDS_MAX} records, not ${records.length}`);
  }
  if (records.length + notices.length === 0) throw new WireError("shape", "batch holds neither record nor notice");
  const credentials = notices.filter(({ kind }) => kind === "credential").length;
  if (credentials > records.length) throw new WireError("shape", "batch has more credentials than records");
  if (notices.length - credentials > BATCH_RULINGS_MAX) {
    throw new WireError("shape", `batch has more than ${BATCH_RULINGS_MAX} orders and pieces of evidence`);
  }
}
