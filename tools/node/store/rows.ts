// The contents of a store's rows and how they are encoded; the checksums before them are in codecs.ts.

import { COUNTER_MAX, HEIGHT_MAX, PLAIN_MAX, TIME_MS_MAX } from "../../../src/wire/bounds.js";
import { decodeCbor, encodeCbor } from "../../../src/wire/cbor.js";
import { encodeNotices, type Notice, noticesFromArray } from "../../../src/wire/notice.js";
import { asArray, asBytes, asHeight, asUint } from "../../../src/wire/shape.js";
import type { SealedOrder } from "../../ledger/governance.js";

/** The newest block of a chain and its totals. */
export interface Head {
  readonly height: number;
  readonly headerHash: Uint8Array;
  /** violations so far */
  readonly counter: number;
  readonly time_ms: number;
  /** records sealed so far */
  readonly records: number;
  /** contracts height that the block was judged at */
  readonly judgedAt: number;
}

/** Where a record is sealed. */
export interface Location {
  readonly height: number;
  readonly leaf: number;
}

/** Consecutive sequence numbers of a meter that one block seals. */
export interface SealedRun {
  readonly kid: Uint8Array;
  /** the lowest of them */
  readonly first: number;
  readonly height: number;
  /** of each number from the first on */
  readonly leaves: readonly number[];
}

export interface StoredBatch {
  readonly origin: Uint8Array;
  readonly number: number;
  /** encoded temporary block with its origin's signature */
  readonly bytes: Uint8Array;
  /** a quorum's acknowledgements, where they are known */
  readonly acceptance?: Uint8Array | undefined;
}

/** The same memory, as lmdb wants it. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function encodeHead(head: Head): Uint8Array {
  return encodeCbor([head.height, head.headerHash, head.counter, head.time_ms, head.records, head.judgedAt]);
}

export function decodeHead(bytes: Uint8Array): Head {
  const [height, hash, counter, time_ms, records, judgedAt] = asArray(decodeCbor(bytes), "head", 6);
  return {
    height: asHeight(height, "head height"),
    headerHash: asBytes(hash, "head hash", 32),
    counter: asUint(counter, "head counter", COUNTER_MAX),
    time_ms: asUint(time_ms, "head time", TIME_MS_MAX),
    records: asUint(records, "head records", PLAIN_MAX),
    judgedAt: asUint(judgedAt, "head contracts height", HEIGHT_MAX),
  };
}

export function encodeFaults(heights: readonly number[]): Uint8Array {
  return encodeCbor(heights);
}

export function decodeFaults(bytes: Uint8Array): readonly number[] {
  return asArray(decodeCbor(bytes), "faults").map((height) => asHeight(height, "fault height"));
}

export function encodeOrder({ contractsHeight, bytes }: SealedOrder): Uint8Array {
  return encodeCbor([contractsHeight, bytes]);
}

export function decodeOrder(bytes: Uint8Array): SealedOrder {
  const [contractsHeight, order] = asArray(decodeCbor(bytes), "stored order", 2);
  return { contractsHeight: asHeight(contractsHeight, "order's contracts height"), bytes: asBytes(order, "order") };
}

export function encodeRuling(notice: Notice): Uint8Array {
  return encodeNotices([notice]);
}

export function decodeRuling(bytes: Uint8Array): Notice {
  return noticesFromArray(decodeCbor(bytes), "waiting notice")[0]!;
}

const HEIGHT_BYTES = 5;
const LEAF_BYTES = 3;

/** height (5), then for each number from that of the row's key on its leaf (3) */
export function encodeRun({ height, leaves }: SealedRun): Buffer {
  const row = Buffer.allocUnsafe(HEIGHT_BYTES + LEAF_BYTES * leaves.length);
  row.writeUIntBE(height, 0, HEIGHT_BYTES);
  for (const [index, leaf] of leaves.entries()) row.writeUIntBE(leaf, HEIGHT_BYTES + LEAF_BYTES * index, LEAF_BYTES);
  return row;
}

/** Where the number so far behind the row's is sealed; undefined where the run ends before it. */
export function locationIn(bytes: Uint8Array, behind: number): Location | undefined {
  const count = (bytes.length - HEIGHT_BYTES) / LEAF_BYTES;
  if (!Number.isInteger(count) || count < 1) throw new Error(`index row has ${bytes.length} bytes`);
  if (behind >= count) return undefined;
  const row = asBuffer(bytes);
  return {
    height: row.readUIntBE(0, HEIGHT_BYTES),
    leaf: row.readUIntBE(HEIGHT_BYTES + LEAF_BYTES * behind, LEAF_BYTES),
  };
}
