// Merkle trees as RFC 9162 section 2.1 hashes them: SHA-256, 0x00 before a leaf, 0x01 before two nodes.

import { concatBytes } from "./bytes.js";
import { HASH_BYTES, sha256, writeSha256 } from "./hash.js";

const leafPrefix = Uint8Array.of(0);

/** Hash of a leaf's entry. */
export function leafHash(entry: Uint8Array): Uint8Array {
  return sha256(concatBytes(leafPrefix, entry));
}

function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(1 + 2 * HASH_BYTES);
  bytes[0] = 1;
  bytes.set(left, 1);
  bytes.set(right, 1 + HASH_BYTES);
  return sha256(bytes);
}

/**
 * All levels of a tree: level 0 the leaf hashes, the last one the root alone, each in one memory with its hashes behind one another; a
 * last odd node is carried up unchanged, which gives the tree of RFC 9162. Kept so that the proofs of many leaves cost one hashing.
 */
export type MerkleLevels = readonly Uint8Array[];

export function merkleLevels(leaves: readonly Uint8Array[]): MerkleLevels {
  let level = new Uint8Array(HASH_BYTES * leaves.length);
  for (let index = 0; index < leaves.length; index += 1) level.set(leaves[index]!, HASH_BYTES * index);
  const levels = [level];
  while (level.length > HASH_BYTES) {
    level = levelAbove(level);
    levels.push(level);
  }
  return levels;
}

function levelAbove(level: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const pairs = Math.floor(level.length / (2 * HASH_BYTES));
  const isOdd = level.length > 2 * HASH_BYTES * pairs;
  const above = new Uint8Array(HASH_BYTES * (isOdd ? pairs + 1 : pairs));
  const node = new Uint8Array(new ArrayBuffer(4 + 2 * HASH_BYTES), 3);
  node[0] = 1;
  // Copied word by word into the one memory: a view of each pair would cost more than its hashing.
  const words = new Uint32Array(node.buffer, 4);
  const below = new Uint32Array(level.buffer);
  for (let pair = 0; pair < pairs; pair += 1) {
    const first = words.length * pair;
    for (let index = 0; index < words.length; index += 1) words[index] = below[first + index]!;
    writeSha256(node, above, HASH_BYTES * pair);
  }
  if (isOdd) above.set(level.subarray(level.length - HASH_BYTES), HASH_BYTES * pairs);
  return above;
}

/** Leaves of the tree. */
export function leafCount(levels: MerkleLevels): number {
  return levels[0]!.length / HASH_BYTES;
}

/** Root of the tree over the leaf hashes; of no leaves, the hash of nothing. */
export function merkleRoot(leaves: readonly Uint8Array[]): Uint8Array {
  return rootOfLevels(merkleLevels(leaves));
}

export function rootOfLevels(levels: MerkleLevels): Uint8Array {
  const last = levels[levels.length - 1]!;
  return last.length === 0 ? sha256(last) : last;
}

/** Inclusion path of the leaf at `index`, lowest sibling first (RFC 9162 section 2.1.3.1). */
export function inclusionPath(levels: MerkleLevels, index: number): Uint8Array[] {
  const path: Uint8Array[] = [];
  visitPath(levels, index, (level, offset) => path.push(level.slice(offset, offset + HASH_BYTES)));
  return path;
}

/** Shows each hash of the leaf's inclusion path where it stands, lowest sibling first. */
export function visitPath(
  levels: MerkleLevels,
  index: number,
  visit: (level: Uint8Array, offset: number) => void,
): void {
  let position = index;
  for (let height = 0; height + 1 < levels.length; height += 1) {
    const level = levels[height]!;
    const offset = HASH_BYTES * (position ^ 1);
    if (offset < level.length) visit(level, offset);
    position >>= 1;
  }
}

/**
 * Root that a leaf and its inclusion path lead to (RFC 9162 section 2.1.3.2). Undefined where the path does not fit `index` and
 * `size`.
 */
export function rootFromInclusion(
  leaf: Uint8Array,
  index: number,
  size: number,
  path: readonly Uint8Array[],
): Uint8Array | undefined {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) return undefined;
  if (leaf.length !== HASH_BYTES) return undefined;
  let position = index;
  let last = size - 1;
  let hash = leaf;
  for (const sibling of path) {
    if (last === 0 || sibling.length !== HASH_BYTES) return undefined;
    if (position % 2 === 1 || position === last) {
      hash = nodeHash(sibling, hash);
      while (position % 2 === 0 && position !== 0) {
        position = half(position);
        last = half(last);
      }
    } else {
      hash = nodeHash(hash, sibling);
    }
    position = half(position);
    last = half(last);
  }
  return last === 0 ? hash : undefined;
}

/** Division that stays right beyond 32 bits, where shifts do not. */
function half(value: number): number {
  return Math.floor(value / 2);
}
