// The temporary block: desensitised records that one node gathered, signed by it, and the acknowledgements of the chain's nodes.
// Credentials of meters that are new to the chain travel with it, so that a chain proves its records by itself.

import { type CborValue, decodeCborViews, encodeCbor } from "./cbor.js";
import { WireError } from "./error.js";
import { sha256 } from "./hash.js";
import { leafHash, merkleRoot } from "./merkle.js";
import { asArray, asBytes, asUint } from "./shape.js";

export const BATCH_RECORDS_MAX = 1_000;
/** Largest encoded temporary block; a batch of the largest records ends earlier than one of ordinary ones. */
export const BATCH_BYTES_MAX = 2_097_152;
const batchLimits = { size: BATCH_BYTES_MAX, items: 4 * BATCH_RECORDS_MAX };

export interface Batch {
  readonly chain: number;
  /** id of the original node */
  readonly origin: Uint8Array;
  /** +1 per origin and chain, never used twice */
  readonly number: number;
  /** credentials as issued, of meters that the origin does not know to be on the chain */
  readonly credentials: readonly Uint8Array[];
  /** stripped records in the order of their arrival */
  readonly records: readonly Uint8Array[];
}

/** A batch's name: SHA-256 of what its origin signs. */
export function batchId(signedBytes: Uint8Array): Uint8Array {
  return sha256(signedBytes);
}

/** What the origin signs: the credentials by hash, the records by the Merkle root over their hashes. `hashes` are those, where known. */
export function batchBytes(
  genesisHash: Uint8Array,
  batch: Batch,
  hashes: readonly Uint8Array[] = batch.records.map(sha256),
): Uint8Array {
  return encodeCbor([
    "gs1/batch",
    genesisHash,
    batch.chain,
    batch.origin,
    batch.number,
    sha256(encodeCbor(batch.credentials)),
    merkleRoot(hashes.map(leafHash)),
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
  return encodeCbor([batch.chain, batch.origin, batch.number, batch.credentials, batch.records, signature]);
}

/** Reads a temporary block, as views of its bytes; signatures of origin and records are not checked. */
export function decodeBatch(bytes: Uint8Array): { readonly batch: Batch; readonly signature: Uint8Array } {
  const [chain, origin, number, credentials, records, signature] = asArray(
    decodeCborViews(bytes, batchLimits),
    "batch",
    6,
  );
  const batch = {
    chain: asUint(chain, "batch chain"),
    origin: asBytes(origin, "batch origin", 8),
    number: asUint(number, "batch number"),
    credentials: byteStrings(credentials, "batch credential"),
    records: byteStrings(records, "batch record"),
  };
  if (batch.records.length === 0 || batch.records.length > BATCH_RECORDS_MAX) {
    throw new WireError("shape", `batch must hold 1 to ${BATCH_RECORDS_MAX} records, not ${batch.records.length}`);
  }
  if (batch.credentials.length > batch.records.length)
    throw new WireError("shape", "batch has more credentials than records");
  return { batch, signature: asBytes(signature, "batch signature", 64) };
}

function byteStrings(value: CborValue | undefined, name: string): Uint8Array[] {
  return asArray(value, `${name}s`).map((item) => asBytes(item, name));
}
