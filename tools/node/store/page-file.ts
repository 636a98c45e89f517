// A look at LMDB's file before it is mapped: the library takes any file for a database, and a process that maps a wrong or a
// truncated one dies without a word. Layout: LMDB's MDB_meta, format version 2, after a page header of 24 bytes.

import { closeSync, existsSync, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { GridsealError } from "../../errors.js";

const MAGIC = 0xbeefc0de;
const FORMAT = 2;
const META_OFFSET = 24;
const META_BYTES = 160;

interface Meta {
  readonly pageSize: number;
  readonly lastPage: number;
  readonly transaction: bigint;
}

/** Throws STORE_CORRUPT where the folder's database file is none or lacks pages; a folder without one is well. */
export function checkPageFile(folder: string): void {
  const path = join(folder, "data.mdb");
  if (!existsSync(path)) return;
  const file = openSync(path, "r");
  try {
    const { size } = fstatSync(file);
    if (size === 0) return; // made and not yet written: LMDB begins anew
    const first = readMeta(file, 0);
    const second = readMeta(file, first?.pageSize ?? 4_096);
    // A commit writes the pages, then one of the two metas in turn: a torn one leaves the other.
    const newest = [first, second].reduce((best, meta) =>
      meta && (!best || meta.transaction > best.transaction) ? meta : best,
    );
    if (newest === undefined) throw new GridsealError("STORE_CORRUPT", `${path} is no database`);
    const needed = (newest.lastPage + 1) * newest.pageSize;
    if (size < needed) {
      throw new GridsealError("STORE_CORRUPT", `${path} is truncated: it has ${size} bytes of ${needed}`);
    }
  } finally {
    closeSync(file);
  }
}

function readMeta(file: number, page: number): Meta | undefined {
  const bytes = Buffer.alloc(META_BYTES);
  if (readSync(file, bytes, 0, META_BYTES, page) < META_BYTES) return undefined;
  if (bytes.readUInt32LE(META_OFFSET) !== MAGIC || bytes.readUInt32LE(META_OFFSET + 4) !== FORMAT) return undefined;
  return {
    pageSize: bytes.readUInt32LE(META_OFFSET + 24),
    lastPage: Number(bytes.readBigUInt64LE(META_OFFSET + 120)),
    transaction: bytes.readBigUInt64LE(META_OFFSET + 128),
  };
}
