// What a table of the store is: one value, in a file of its concern. tables.ts lists them all, and whatever looks after a store, or
// makes one up, goes by that list. Every row carries a checksum before its content.

import { hash } from "node:crypto";
import { crc32 } from "node:zlib";
import { toHex } from "../../../src/wire/bytes.js";
import type { Genesis } from "../../../src/wire/genesis.js";
import type { Verify } from "../../../src/wire/key.js";
import { GridsealError, reasonOf } from "../../errors.js";

export interface Table<Key extends Buffer, Row, Written = Row> {
  /** what LMDB calls it */
  readonly name: string;
  /** What the row with this key is, for an error. */
  describe(key: Key): string;
  encode(row: Written): Uint8Array;
  /** The row may be a view of the bytes. Throws where they are no such row. */
  decode(content: Uint8Array): Row;
  readonly checksum: Checksum;
  /** where rows are kept decoded in memory: how many of them, and what is kept of one that is written */
  readonly kept?: { readonly rows_max: number; copy(row: Written): Row };
  /** A repaired store may have rows of it that the damaged one had: what peers cannot give back. */
  readonly isTakenOver?: true;
  /** What a repair makes of a row, where it does not take it over as it is. */
  takeOver?(key: Key, row: Row, repair: Repair): void;
}

/** What is known while the rows of a damaged store are gone over, those of credentials first. */
export interface Repair {
  /** the store's node */
  readonly self: Uint8Array;
  readonly genesis: Genesis;
  readonly verify: Verify;
  /** Ids of meters, as hex, whose credential the new store has: without it, records cannot be put before the other nodes. */
  readonly presentable: Set<string>;
  /** Hashes of records, as hex, of which the new store has what this node has encrypted: others take what hides something with that alone. */
  readonly encrypted: Set<string>;
  /** Puts a row into the new store. */
  put<Key extends Buffer, Written>(table: Table<Key, unknown, Written>, key: Key, row: Written): void;
}

/** Any of them, for what goes over the list. */
export type AnyTable = Table<Buffer, unknown, unknown>;

/** What stands before the content of a row, by which damage shows. */
export interface Checksum {
  seal(content: Uint8Array): Buffer;
  /** The content, a view of the row; throws where the row is damaged. */
  open(row: Uint8Array): Uint8Array;
  /** The same, whether it is damaged or not. */
  skip(row: Uint8Array): Uint8Array;
}

/** Of a table whose rows are bytes of somebody else's format. */
export function asIs(bytes: Uint8Array): Uint8Array {
  return bytes;
}

/** The same memory, as lmdb wants it. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function encodeRow<Written>(table: Table<never, unknown, Written>, row: Written): Buffer {
  return table.checksum.seal(table.encode(row));
}

export function decodeRow<Row>(table: Table<never, Row, never>, row: Uint8Array): Row {
  return table.decode(table.checksum.open(row));
}

/** The content of a row; throws STORE_CORRUPT with path, table and key where it is damaged, and what it is where that is not stated. */
export function readRow<Key extends Buffer, Row>(
  path: string,
  table: Table<Key, Row, never>,
  key: Key,
  row: Uint8Array,
  what?: string,
): Row {
  try {
    return decodeRow(table, row);
  } catch (cause) {
    const place = `row ${toHex(key)} of table ${table.name}`;
    const message = `store ${path}: ${what ?? table.describe(key)} is damaged: ${reasonOf(cause)} (${place})`;
    throw new GridsealError("STORE_CORRUPT", message, { cause });
  }
}

const SHA256_BYTES = 32;
const CRC32_BYTES = 4;

/** For all rows but those that every record of a meter, or every key of a contract, costs. */
export const sha256Checksum: Checksum = {
  seal(content) {
    const row = Buffer.allocUnsafe(SHA256_BYTES + content.length);
    row.write(hash("sha256", content, "binary"), 0, "binary");
    row.set(content, SHA256_BYTES);
    return row;
  },
  open(row) {
    const content = row.subarray(SHA256_BYTES);
    const digest = asBuffer(row).toString("binary", 0, SHA256_BYTES);
    if (hash("sha256", content, "binary") !== digest) throw new Error("checksum differs");
    return content;
  },
  skip: (row) => row.subarray(SHA256_BYTES),
};

/**
 * Where there are rows for each record that a meter is acknowledged, whose content is signed besides (records), opens what is signed
 * (disclosures) or is held to its block (index), or for each key that a contract writes, whose content has its hash for a name.
 */
export const crc32Checksum: Checksum = {
  seal(content) {
    const row = Buffer.allocUnsafe(CRC32_BYTES + content.length);
    row.writeUInt32BE(crc32(content));
    row.set(content, CRC32_BYTES);
    return row;
  },
  open(row) {
    const content = row.subarray(CRC32_BYTES);
    const isWhole = row.length >= CRC32_BYTES && crc32(content) === asBuffer(row).readUInt32BE(0);
    if (!isWhole) throw new Error("checksum differs");
    return content;
  },
  skip: (row) => row.subarray(CRC32_BYTES),
};
