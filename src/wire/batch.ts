// The temporary block: desensitised records that one node gathered, signed by it, and the acknowledgements of the chain's nodes.
// Notices travel with it: credentials of meters that are new to the chain, so that it proves its records by itself; orders; evidence;
// messages of other chains.

import { BATCH_NUMBER_MAX, BATCH_RECORDS_MAX, BATCH_RULINGS_MAX, NODES_MAX } from "./bounds.js";
import { type CborValue, decodeCborViews, encodeCbor } from "./cbor.js";
import { WireError } from "./error.js";
import { sha256 } from "./hash.js";
import { leafHash, merkleRoot } from "./merkle.js";
import { encodeNotices, type Notice, noticesFromArray, noticesToArray } from "./notice.js";
import { asArray, asBoolean, asBytes, asList, asService, asUint } from "./shape.js";

/** Largest encoded temporary block; a batch of the largest records ends earlier than one of ordinary ones. */
export const BATCH_BYTES_MAX = 2_097_152;
const batchLimits = { size: BATCH_BYTES_MAX, items: 8 * BATCH_RECORDS_MAX };

export interface Batch {
  readonly chain: number;
  /** id of the original node */
  readonly origin: Uint8Array;
  /** +1 per origin and chain, never used twice */
  readonly number: number;
  /** credentials of meters that the origin does not know to be on the chain, and all other kinds */
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
  return batchSummaryBytes(genesisHash, batch.chain, {
    origin: batch.origin,
    number: batch.number,
    notices: sha256(encodeNotices(batch.notices)),
    root: merkleRoot(leaves),
    count: batch.records.length,
  });
}

/** A temporary block by what its origin's signature covers. */
export interface BatchSummary {
  readonly origin: Uint8Array;
  readonly number: number;
  /** SHA-256 of the encoded notices */
  readonly notices: Uint8Array;
  /** Merkle root over the hashes of the records */
  readonly root: Uint8Array;
  /** records */
  readonly count: number;
}

/** `batchBytes` of a temporary block that is not at hand as a whole. */
export function batchSummaryBytes(genesisHash: Uint8Array, chain: number, summary: BatchSummary): Uint8Array {
  const { origin, number, notices, root, count } = summary;
  return encodeCbor(["gs1/batch", genesisHash, chain, origin, number, notices, root, count]);
}

/** A temporary block's name: its id follows from what its origin signed. */
export interface BatchName {
  readonly origin: Uint8Array;
  readonly number: number;
  readonly id: Uint8Array;
}

/** What a node says of a temporary block that it has on disk: `verified` where it has verified the signature of every record, too. */
export interface Acknowledgement {
  readonly node: Uint8Array;
  readonly signature: Uint8Array;
  readonly verified: boolean;
}

/** What a node signs when it has stored a temporary block, and whether it has verified it. */
export function acknowledgementBytes(
  genesisHash: Uint8Array,
  chain: number,
  { origin, number, id }: BatchName,
  verified: boolean,
): Uint8Array {
  return encodeCbor(["gs1/ack", genesisHash, chain, origin, number, id, verified]);
}

export function acknowledgementsToArray(acknowledgements: readonly Acknowledgement[]): CborValue {
  return acknowledgements.map(({ node, signature, verified }) => [node, signature, verified]);
}

/** Reads [* [node, signature, verified]]; signatures are not checked. */
export function acknowledgementsFromArray(value: CborValue | undefined, name: string): Acknowledgement[] {
  return asList(value, name, NODES_MAX).map((item) => {
    const [node, signature, verified] = asArray(item, `${name}: acknowledgement`, 3);
    return {
      node: asBytes(node, "acknowledging node", 8),
      signature: asBytes(signature, "acknowledgement signature", 64),
      verified: asBoolean(verified, "acknowledgement's word on the records"),
    };
  });
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
    throw new WireError("shape", `batch has more than ${BATCH_RULINGS_MAX} notices that are no credentials`);
  }
}
