// A chain's state as an authenticated map, pure: keys of contracts with their values under one root, which a block commits to.
// A compact sparse Merkle tree over the keys' hashes, as Dahlberg, Pulls and Peeters (2016) have it: a subtree of one leaf is that leaf.

import { compareBytes, equalBytes } from "../../src/wire/bytes.js";
import { HASH_BYTES, sha256 } from "../../src/wire/hash.js";

/** Root of a map that holds nothing, and of a subtree without a leaf. */
export const EMPTY_STATE: Uint8Array = new Uint8Array(HASH_BYTES);
/** Nodes between a leaf and the root are at most so many as a hash has bits. */
export const STATE_DEPTH_MAX = 8 * HASH_BYTES;
/** Bytes of a node: what it is, and two hashes. Its own hash is that of these bytes. */
export const STATE_NODE_BYTES = 1 + 2 * HASH_BYTES;
/** Before the hashes of a key and of its value. */
const LEAF = 0;
/** Before the hashes of the left and of the right subtree. */
const INNER = 1;

/** Where a map's nodes are. */
export interface StateNodes {
  /** The bytes of the node with this hash, which the map has. Throws where it is missing. */
  node(hash: Uint8Array): Uint8Array;
}

/** Keys with the values that they get; undefined removes a key. */
export type StateChanges = ReadonlyMap<string, Uint8Array | undefined>;

export interface StateUpdate {
  readonly root: Uint8Array;
  /** nodes that the map did not have, by their hashes as hex */
  readonly added: ReadonlyMap<string, Uint8Array>;
  /** hashes as hex of those that it has no more */
  readonly removed: ReadonlySet<string>;
}

/** What leads from the place of a key to the root. */
export interface StatePath {
  /** hashes of the subtrees beside the way, the lowest first */
  readonly siblings: readonly Uint8Array[];
  /** of a key that is absent: the leaf that stands in its place; undefined where none does */
  readonly other: StateLeaf | undefined;
}

export interface StateLeaf {
  readonly keyHash: Uint8Array;
  readonly valueHash: Uint8Array;
}

interface Update {
  readonly nodes: StateNodes;
  readonly added: Map<string, Uint8Array>;
  readonly removed: Set<string>;
}

interface Change {
  readonly keyHash: Uint8Array;
  readonly valueHash: Uint8Array | undefined;
}

const utf8 = new TextEncoder();
const text = new TextDecoder();
const hexDigits = utf8.encode("0123456789abcdef");
const hexBuffer = new Uint8Array(2 * HASH_BYTES);

/** The place of a key among all. */
export function stateKeyHash(key: string): Uint8Array {
  return sha256(utf8.encode(key));
}

/** The map with the changes, whatever their order: some 10 us for each and level of the map that only they share. */
export function updateState(nodes: StateNodes, root: Uint8Array, changes: StateChanges): StateUpdate {
  const update: Update = { nodes, added: new Map(), removed: new Set() };
  const hashed = [...changes].map(([key, value]) => ({
    keyHash: stateKeyHash(key),
    valueHash: value === undefined ? undefined : sha256(value),
  }));
  hashed.sort((one, other) => compareBytes(one.keyHash, other.keyHash));
  const after = changed(update, root, 0, { all: hashed, from: 0, to: hashed.length });
  // A leaf that only moved is the same node.
  for (const hash of update.removed) {
    if (update.added.delete(hash)) update.removed.delete(hash);
  }
  return { root: after, added: update.added, removed: update.removed };
}

/** What proves the key's value, or that it has none, under the root. */
export function proveState(nodes: StateNodes, root: Uint8Array, key: string): StatePath {
  const keyHash = stateKeyHash(key);
  const siblings: Uint8Array[] = [];
  let hash = root;
  while (!equalBytes(hash, EMPTY_STATE)) {
    const node = nodes.node(hash);
    if (node[0] === LEAF) {
      const leaf = leafOf(node);
      return { siblings, other: equalBytes(leaf.keyHash, keyHash) ? undefined : leaf };
    }
    const isRight = bitOf(keyHash, siblings.length) === 1;
    siblings.unshift(isRight ? leftOf(node) : rightOf(node));
    hash = isRight ? rightOf(node) : leftOf(node);
  }
  return { siblings, other: undefined };
}

/** Whether the root says that the key has this value, or none where it is undefined. */
export function provesState(
  root: Uint8Array,
  entry: { readonly key: string; readonly value: Uint8Array | undefined },
  path: StatePath,
): boolean {
  const keyHash = stateKeyHash(entry.key);
  const start = startOf(keyHash, entry.value, path);
  if (start === undefined || path.siblings.length > STATE_DEPTH_MAX) return false;
  let hash = start;
  let depth = path.siblings.length;
  for (const sibling of path.siblings) {
    if (sibling.length !== HASH_BYTES) return false;
    depth -= 1;
    hash = sha256(bitOf(keyHash, depth) === 1 ? innerNode(sibling, hash) : innerNode(hash, sibling));
  }
  return equalBytes(hash, root);
}

/** What stands at the end of the key's way; undefined where that speaks neither for the value nor for its absence. */
function startOf(
  keyHash: Uint8Array,
  value: Uint8Array | undefined,
  { siblings, other }: StatePath,
): Uint8Array | undefined {
  if (other === undefined) return value === undefined ? EMPTY_STATE : sha256(leafNode(keyHash, sha256(value)));
  const isInPlace = sharedBits(keyHash, other.keyHash) >= siblings.length && other.valueHash.length === HASH_BYTES;
  if (value !== undefined || equalBytes(other.keyHash, keyHash) || !isInPlace) return undefined;
  return sha256(leafNode(other.keyHash, other.valueHash));
}

/** Some of what is ascending by the keys' hashes: those that share their bits down to a depth. */
interface Range<Entry> {
  readonly all: readonly Entry[];
  readonly from: number;
  readonly to: number;
}

/** The subtree's hash with the changes, all of which belong to it. */
function changed(update: Update, hash: Uint8Array, depth: number, changes: Range<Change>): Uint8Array {
  if (changes.from === changes.to) return hash;
  if (equalBytes(hash, EMPTY_STATE)) return built(update, depth, leavesOf(changes, undefined));
  const node = update.nodes.node(hash);
  update.removed.add(hashName(hash));
  if (node[0] === LEAF) return built(update, depth, leavesOf(changes, leafOf(node)));
  const [left, right] = partsOf(changes, depth);
  return joined(
    update,
    changed(update, leftOf(node), depth + 1, left),
    changed(update, rightOf(node), depth + 1, right),
  );
}

/** A subtree of these leaves. */
function built(update: Update, depth: number, leaves: Range<StateLeaf>): Uint8Array {
  const { all, from, to } = leaves;
  if (from === to) return EMPTY_STATE;
  if (to - from === 1) return kept(update, leafNode(all[from]!.keyHash, all[from]!.valueHash));
  const [left, right] = partsOf(leaves, depth);
  return kept(update, innerNode(built(update, depth + 1, left), built(update, depth + 1, right)));
}

/** Two subtrees as one: where one is empty and the other a leaf, that leaf. */
function joined(update: Update, left: Uint8Array, right: Uint8Array): Uint8Array {
  const alone = equalBytes(left, EMPTY_STATE) ? right : equalBytes(right, EMPTY_STATE) ? left : undefined;
  if (alone === undefined) return kept(update, innerNode(left, right));
  if (equalBytes(alone, EMPTY_STATE)) return alone;
  const node = update.added.get(hashName(alone)) ?? update.nodes.node(alone);
  return node[0] === LEAF ? alone : kept(update, innerNode(left, right));
}

function kept(update: Update, node: Uint8Array): Uint8Array {
  const hash = sha256(node);
  update.added.set(hashName(hash), node);
  return hash;
}

/** The leaves that the changes set, with the one that stands there and that they do not name. */
function leavesOf({ all, from, to }: Range<Change>, there: StateLeaf | undefined): Range<StateLeaf> {
  const leaves: StateLeaf[] = [];
  let other = there;
  for (let index = from; index < to; index += 1) {
    const { keyHash, valueHash } = all[index]!;
    const order = other === undefined ? 1 : compareBytes(other.keyHash, keyHash);
    if (order < 0) leaves.push(other!);
    if (order <= 0) other = undefined;
    if (valueHash !== undefined) leaves.push({ keyHash, valueHash });
  }
  if (other !== undefined) leaves.push(other);
  return { all: leaves, from: 0, to: leaves.length };
}

/** Those whose next bit is 0, and the others. */
function partsOf<Entry extends Pick<Change, "keyHash">>({ all, from, to }: Range<Entry>, depth: number) {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (bitOf(all[middle]!.keyHash, depth) === 0) low = middle + 1;
    else high = middle;
  }
  return [
    { all, from, to: low },
    { all, from: low, to },
  ] as const;
}

function bitOf(hash: Uint8Array, depth: number): number {
  return (hash[depth >> 3]! >> (7 - (depth & 7))) & 1;
}

function sharedBits(left: Uint8Array, right: Uint8Array): number {
  if (left.length !== right.length) return -1;
  let bits = 0;
  while (bits < STATE_DEPTH_MAX && bitOf(left, bits) === bitOf(right, bits)) bits += 1;
  return bits;
}

function leafNode(keyHash: Uint8Array, valueHash: Uint8Array): Uint8Array {
  return nodeOf(LEAF, keyHash, valueHash);
}

function innerNode(left: Uint8Array, right: Uint8Array): Uint8Array {
  return nodeOf(INNER, left, right);
}

function nodeOf(kind: number, left: Uint8Array, right: Uint8Array): Uint8Array {
  const node = new Uint8Array(STATE_NODE_BYTES);
  node[0] = kind;
  node.set(left, 1);
  node.set(right, 1 + HASH_BYTES);
  return node;
}

/** A hash as 64 hex digits. Putting them together one by one takes seven times as long. */
function hashName(hash: Uint8Array): string {
  for (let index = 0; index < HASH_BYTES; index += 1) {
    hexBuffer[2 * index] = hexDigits[hash[index]! >> 4]!;
    hexBuffer[2 * index + 1] = hexDigits[hash[index]! & 15]!;
  }
  return text.decode(hexBuffer);
}

function leafOf(node: Uint8Array): StateLeaf {
  return { keyHash: leftOf(node), valueHash: rightOf(node) };
}

function leftOf(node: Uint8Array): Uint8Array {
  return node.subarray(1, 1 + HASH_BYTES);
}

function rightOf(node: Uint8Array): Uint8Array {
  return node.subarray(1 + HASH_BYTES);
}
