// What the stranger makes of a chain's state: section 27 of PROTOCOL.md, as it is defined there. It imports neither src nor tools.

import { demand, same, sha256 } from "./stranger-proof.js";

/** A key of the state with the bytes of its value. */
export type StrangerEntry = readonly [key: string, value: Uint8Array];

interface Leaf {
  readonly keyHash: Buffer;
  readonly hash: Buffer;
}

/** The root of a state with these entries. */
export function stateRoot(entries: readonly StrangerEntry[]): Buffer {
  return subtree(
    entries.map(([key, value]) => leafOf(sha256(Buffer.from(key)), sha256(value))),
    0,
  );
}

function subtree(leaves: readonly Leaf[], depth: number): Buffer {
  if (leaves.length === 0) return Buffer.alloc(32);
  if (leaves.length === 1) return leaves[0]!.hash;
  const [left, right] = [0, 1].map((bit) =>
    subtree(
      leaves.filter(({ keyHash }) => bitAt(keyHash, depth) === bit),
      depth + 1,
    ),
  );
  return sha256(Buffer.concat([Buffer.of(1), left!, right!]));
}

/** Throws unless the state of this root has the value under the key, or none where it is undefined. */
export function verifyState(
  root: Uint8Array,
  [key, value]: readonly [string, Uint8Array | undefined],
  siblings: readonly Uint8Array[],
  other?: readonly [keyHash: Uint8Array, valueHash: Uint8Array],
): void {
  const keyHash = sha256(Buffer.from(key));
  demand(siblings.length <= 256, "a path of the state is too long");
  demand(value === undefined || other === undefined, "a value stands beside another leaf in its place");
  let hash = value === undefined ? Buffer.alloc(32) : leafOf(keyHash, sha256(value)).hash;
  if (other !== undefined) {
    demand(!keyHash.equals(other[0]), "a key that is there is said to be absent");
    const shared = siblings.every((_, depth) => bitAt(keyHash, depth) === bitAt(other[0], depth));
    demand(shared, "a leaf does not stand in the place of the key");
    hash = leafOf(other[0], other[1]).hash;
  }
  for (const [index, sibling] of siblings.entries()) {
    const isRight = bitAt(keyHash, siblings.length - 1 - index) === 1;
    hash = sha256(Buffer.concat([Buffer.of(1), ...(isRight ? [sibling, hash] : [hash, sibling])]));
  }
  same(hash, root, "state root");
}

function leafOf(keyHash: Uint8Array, valueHash: Uint8Array): Leaf {
  return { keyHash: Buffer.from(keyHash), hash: sha256(Buffer.concat([Buffer.of(0), keyHash, valueHash])) };
}

function bitAt(hash: Uint8Array, depth: number): number {
  return (hash[Math.floor(depth / 8)]! >> (7 - (depth % 8))) & 1;
}
