// Merkle trees of every small size: the definition of RFC 9162 section 2.1.1 word for word, and proofs that prove one place only.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  inclusionPath,
  leafHash,
  merkleLevels,
  merkleRoot,
  rootFromInclusion,
  rootOfLevels,
} from "../../src/wire/merkle.js";
import { fixedBytes } from "./arbitraries.js";
import { provesInclusion } from "./inclusion.js";
import { sha256 } from "./network.js";

const SIZE_MAX = 70;
const entries = Array.from({ length: SIZE_MAX }, (_, index) => sha256(Uint8Array.of(index)));
const leaves = entries.map(leafHash);

/** MTH (RFC 9162 section 2.1.1): the largest power of two below n splits the list. */
function definedRoot(list: readonly Uint8Array[]): Uint8Array {
  if (list.length === 0) return sha256(new Uint8Array(0));
  if (list.length === 1) return sha256(Buffer.concat([Buffer.of(0), list[0]!]));
  const split = largestPowerBelow(list.length);
  return sha256(Buffer.concat([Buffer.of(1), definedRoot(list.slice(0, split)), definedRoot(list.slice(split))]));
}

function largestPowerBelow(count: number): number {
  let power = 1;
  while (2 * power < count) power *= 2;
  return power;
}

test("has the root that RFC 9162 defines, for every size up to 70", () => {
  for (let size = 0; size <= SIZE_MAX; size += 1) {
    assert.deepEqual(merkleRoot(leaves.slice(0, size)), definedRoot(entries.slice(0, size)), `size ${size}`);
  }
});

test("proves every leaf of every tree up to 70 leaves, and that leaf at that place alone", () => {
  for (let size = 1; size <= SIZE_MAX; size += 1) {
    const levels = merkleLevels(leaves.slice(0, size));
    const root = rootOfLevels(levels);
    for (let index = 0; index < size; index += 1) {
      const path = inclusionPath(levels, index);
      const proof = { leaf: leaves[index]!, index, size, path };
      assert.ok(provesInclusion(proof, root), `${index} of ${size}`);
      const other = (index + 1) % size;
      if (other !== index) {
        assert.ok(!provesInclusion({ ...proof, leaf: leaves[other]! }, root));
        assert.ok(!provesInclusion({ ...proof, index: other }, root));
      }
      assert.ok(!provesInclusion({ ...proof, path: [...path, root] }, root));
      if (path.length > 0) assert.ok(!provesInclusion({ ...proof, path: path.slice(1) }, root));
    }
    assert.equal(rootFromInclusion(leaves[0]!, size, size, []), undefined);
  }
});

test("finds no root, and no exception, for arbitrary paths and places", () => {
  const numbers = fc.oneof(
    fc.integer({ min: -2, max: 80 }),
    fc.double(),
    fc.constantFrom(2 ** 31, 2 ** 32, 2 ** 53 - 1),
  );
  fc.assert(
    fc.property(
      fixedBytes(32),
      numbers,
      numbers,
      fc.array(fc.uint8Array({ maxLength: 33 }), { maxLength: 60 }),
      (leaf, index, size, path) => {
        assert.ok(!provesInclusion({ leaf, index, size, path }, entries[0]!));
      },
    ),
    { numRuns: 500 },
  );
});
