// What a row of each table is on disk. Every row carries a checksum before its content: SHA-256; CRC-32 where there is a row for each
// record that a meter is acknowledged, whose content is signed besides (records) or opens what is signed (disclosures).

import { hash } from "node:crypto";
import { crc32 } from "node:zlib";
import { toHex } from "../../../src/wire/bytes.js";
import { GridsealError, reasonOf } from "../../errors.js";
import { decodeMeterState, decodeOriginState, encodeMeterState, encodeOriginState } from "../../ledger/state.js";
import { decodeOutline, encodeOutline } from "./outline.js";
import {
  asBuffer,
  decodeFaults,
  decodeHead,
  decodeOrder,
  decodeRuling,
  encodeFaults,
  encodeHead,
  encodeOrder,
  encodeRuling,
  encodeRun,
  locationIn,
} from "./rows.js";

const SHA256_BYTES = 32;
const CRC32_BYTES = 4;

const same = (bytes: Uint8Array) => bytes;

/** `decode` throws where the row is damaged. */
export const codecs = {
  meta: codec(same, same),
  heads: codec(encodeHead, decodeHead),
  blocks: codec(same, same),
  outlines: codec(encodeOutline, decodeOutline),
  /** what is read of a run is the place of the number so far behind the row's */
  index: codec(encodeRun, (bytes) => (behind: number) => locationIn(bytes, behind)),
  meters: codec(encodeMeterState, decodeMeterState),
  origins: codec(encodeOriginState, decodeOriginState),
  credentials: codec(same, same),
  consensus: codec(same, same),
  batches: codec(same, same),
  acceptances: codec(same, same),
  faults: codec(encodeFaults, decodeFaults),
  orders: codec(encodeOrder, decodeOrder),
  rulings: codec(encodeRuling, decodeRuling),
  lineage: codec(same, same),
  admitted: { encode: withCrc, decode: withoutCrc },
  disclosures: { encode: withCrc, decode: withoutCrc },
};

export type TableName = keyof typeof codecs;

/** The content of a row; throws STORE_CORRUPT with path, table and key where it is damaged. */
export function readRow<Name extends TableName>(
  path: string,
  table: Name,
  key: Uint8Array,
  row: Uint8Array,
  what: string,
): ReturnType<(typeof codecs)[Name]["decode"]> {
  try {
    return codecs[table].decode(row) as ReturnType<(typeof codecs)[Name]["decode"]>;
  } catch (cause) {
    const message = `store ${path}: ${what} is damaged: ${reasonOf(cause)} (row ${toHex(key)} of table ${table})`;
    throw new GridsealError("STORE_CORRUPT", message, { cause });
  }
}

function codec<Written, Read>(encode: (value: Written) => Uint8Array, decode: (bytes: Uint8Array) => Read) {
  return {
    encode: (value: Written): Buffer => withDigest(encode(value)),
    decode: (row: Uint8Array): Read => decode(withoutDigest(row)),
  };
}

function withDigest(bytes: Uint8Array): Buffer {
  const row = Buffer.allocUnsafe(SHA256_BYTES + bytes.length);
  row.write(hash("sha256", bytes, "binary"), 0, "binary");
  row.set(bytes, SHA256_BYTES);
  return row;
}

function withoutDigest(row: Uint8Array): Uint8Array {
  const content = row.subarray(SHA256_BYTES);
  const digest = asBuffer(row).toString("binary", 0, SHA256_BYTES);
  if (hash("sha256", content, "binary") !== digest) throw new Error("checksum differs");
  return content;
}

function withCrc(bytes: Uint8Array): Buffer {
  const row = Buffer.allocUnsafe(CRC32_BYTES + bytes.length);
  row.writeUInt32BE(crc32(bytes));
  row.set(bytes, CRC32_BYTES);
  return row;
}

function withoutCrc(row: Uint8Array): Uint8Array {
  const content = row.subarray(CRC32_BYTES);
  const isWhole = row.length >= CRC32_BYTES && crc32(content) === asBuffer(row).readUInt32BE(0);
  if (!isWhole) throw new Error("checksum differs");
  return content;
}
