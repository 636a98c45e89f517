// A look at LMDB's file before it is mapped: the library takes any file for a database, and a process that maps a wrong or a
// truncated one dies without a word. Layout: LMDB's MDB_meta, MDB_page_header and MDB_node, format version 2.

import { closeSync, existsSync, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { GridsealError } from "../errors.js";

const MAGIC = 0xbeefc0de;
const FORMAT = 2;
const PAGE_HEADER = 24;
const META_BYTES = 160;
/** Where in a meta the two trees stand, free pages and names, and where in a tree its root stands. */
const META_TREES = [PAGE_HEADER + 24, PAGE_HEADER + 72];
const TREE_BYTES = 48;
const TREE_ROOT = 40;
const NO_ROOT = 0xffff_ffff_ffff_ffffn;
const BRANCH = 1;
const LEAF = 2;
const NODE_HEADER = 8;
/** A value has pages of its own, or it is a tree of its own. */
const LARGE = 1;
const TREE = 2;

interface Meta {
  readonly pageSize: number;
  readonly lastPage: number;
  readonly transaction: bigint;
  readonly roots: readonly bigint[];
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
    // A page that was taken and given back in one transaction is never written: the file may end before it.
    if (size < needed && lacksUsedPage(file, newest, Math.floor(size / newest.pageSize))) {
      throw new GridsealError("STORE_CORRUPT", `${path} is truncated: it has ${size} bytes of ${needed}`);
    }
  } finally {
    closeSync(file);
  }
}

function readMeta(file: number, position: number): Meta | undefined {
  const bytes = Buffer.alloc(META_BYTES);
  if (readSync(file, bytes, 0, META_BYTES, position) < META_BYTES) return undefined;
  if (bytes.readUInt32LE(PAGE_HEADER) !== MAGIC || bytes.readUInt32LE(PAGE_HEADER + 4) !== FORMAT) return undefined;
  return {
    pageSize: bytes.readUInt32LE(PAGE_HEADER + 24),
    lastPage: Number(bytes.readBigUInt64LE(PAGE_HEADER + 120)),
    transaction: bytes.readBigUInt64LE(PAGE_HEADER + 128),
    roots: META_TREES.map((tree) => bytes.readBigUInt64LE(tree + TREE_ROOT)),
  };
}

/** Whether a page that a tree names is not among the first `present`. Each tree is walked, the pages of large values are not read. */
function lacksUsedPage(file: number, { roots, pageSize }: Meta, present: number): boolean {
  const page = Buffer.alloc(pageSize);
  const waiting = roots.filter((root) => root !== NO_ROOT).map(Number);
  for (let visited = 0; waiting.length > 0; visited += 1) {
    const number = waiting.pop()!;
    if (number >= present || visited + waiting.length > present) return true;
    if (readSync(file, page, 0, pageSize, number * pageSize) < pageSize) return true;
    const flags = page.readUInt16LE(18);
    for (const node of nodesOf(page)) {
      if (flags & BRANCH) waiting.push(page.readUIntLE(node, 6));
      else if (flags & LEAF && !checkLeaf(page, node, present, waiting)) return true;
    }
  }
  return false;
}

/** Notes the root of a value that is a tree; false where a large value has pages that are not there. */
function checkLeaf(page: Buffer, node: number, present: number, waiting: number[]): boolean {
  const flags = page.readUInt16LE(node + 4);
  const value = node + NODE_HEADER + page.readUInt16LE(node + 6);
  if (flags & LARGE && value + 8 <= page.length) {
    const pages = Math.ceil((PAGE_HEADER + page.readUInt32LE(node)) / page.length);
    return Number(page.readBigUInt64LE(value)) + pages <= present;
  }
  if (flags & TREE && value + TREE_BYTES <= page.length) {
    const root = page.readBigUInt64LE(value + TREE_ROOT);
    if (root !== NO_ROOT) waiting.push(Number(root));
  }
  return true;
}

/**
 * Where a page's nodes begin; what points outside the page is left to LMDB, which answers it with an error. Both the end of the pointers
 * and the pointers themselves count from behind the header (LMDB's PAGEBASE).
 */
function nodesOf(page: Buffer): number[] {
  const end = Math.min(PAGE_HEADER + page.readUInt16LE(20), page.length);
  const nodes: number[] = [];
  for (let pointer = PAGE_HEADER; pointer + 2 <= end; pointer += 2) {
    const node = PAGE_HEADER + page.readUInt16LE(pointer);
    if (node + NODE_HEADER <= page.length) nodes.push(node);
  }
  return nodes;
}
