// The authenticated map against its definition: whatever the order of writes, the root is that of the entries alone, and a path
// proves one value or one absence.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { toHex } from "../../src/wire/bytes.js";
import {
  EMPTY_STATE,
  proveState,
  provesState,
  type StateNodes,
  type StatePath,
  updateState,
} from "../../tools/ledger/state-map.js";
import { fixtures, stateEntries } from "../wire/fixtures.js";
import { stateRoot, verifyState } from "../wire/stranger-state.js";

/** A map in memory that forgets what an update removes, and has nothing twice. */
class MemoryMap implements StateNodes {
  readonly entries = new Map<string, Uint8Array>();
  readonly #nodes = new Map<string, Uint8Array>();
  root: Uint8Array = EMPTY_STATE;

  node(hash: Uint8Array): Uint8Array {
    const node = this.#nodes.get(toHex(hash));
    assert.ok(node !== undefined, "a node is read that the map does not have");
    return node;
  }

  get size(): number {
    return this.#nodes.size;
  }

  write(changes: ReadonlyMap<string, Uint8Array | undefined>): void {
    const { root, added, removed } = updateState(this, this.root, changes);
    for (const hash of removed) assert.ok(this.#nodes.delete(hash), "a node is removed that the map does not have");
    for (const [hash, node] of added) {
      assert.ok(!this.#nodes.has(hash), "a node is added that the map has");
      this.#nodes.set(hash, node);
    }
    for (const [key, value] of changes) {
      if (value === undefined) this.entries.delete(key);
      else this.entries.set(key, value);
    }
    this.root = root;
  }
}

const keys = fc.integer({ min: 0, max: 40 }).map((number) => `limits/${number}`);
const values = fc.uint8Array({ minLength: 1, maxLength: 4 });
const changes = fc
  .array(fc.tuple(keys, fc.option(values, { nil: undefined, freq: 3 })), { maxLength: 12 })
  .map((pairs) => new Map(pairs));
const runs = fc.array(changes, { minLength: 1, maxLength: 12 });

test("has the root of its entries alone, whatever was written before, and no node that leads nowhere", () => {
  fc.assert(
    fc.property(runs, (blocks) => {
      const map = new MemoryMap();
      for (const block of blocks) map.write(block);
      assert.deepEqual(Buffer.from(map.root), stateRoot([...map.entries]));
      const anew = new MemoryMap();
      anew.write(map.entries);
      assert.deepEqual(anew.root, map.root);
      assert.equal(map.size, anew.size);
    }),
  );
});

test("removal restores the root from before", () => {
  fc.assert(
    fc.property(runs, keys, values, (blocks, key, value) => {
      const map = new MemoryMap();
      for (const block of blocks) map.write(block);
      map.write(new Map([[key, undefined]]));
      const before = map.root;
      map.write(new Map([[key, value]]));
      assert.notDeepEqual(map.root, before);
      map.write(new Map([[key, undefined]]));
      assert.deepEqual(map.root, before);
    }),
  );
});

test("proves each value and each absence, to the stranger too, and nothing else", () => {
  fc.assert(
    fc.property(runs, keys, keys, values, (blocks, key, otherKey, otherValue) => {
      const map = new MemoryMap();
      for (const block of blocks) map.write(block);
      const path = proveState(map, map.root, key);
      const value = map.entries.get(key);
      assert.ok(provesState(map.root, { key, value }, path));
      const { siblings, other } = path;
      const beside = other === undefined ? undefined : ([other.keyHash, other.valueHash] as const);
      verifyState(map.root, [key, value], siblings, beside);
      const isOther = value === undefined || !Buffer.from(value).equals(otherValue);
      if (isOther) assert.ok(!provesState(map.root, { key, value: otherValue }, path));
      if (value !== undefined) assert.ok(!provesState(map.root, { key, value: undefined }, path));
      const isAbsent = value === undefined && map.entries.get(otherKey) === undefined;
      if (otherKey !== key && !isAbsent) assert.ok(!provesState(map.root, { key: otherKey, value }, path));
      for (const changed of tampered(path)) assert.ok(!provesState(map.root, { key, value }, changed));
    }),
  );
});

/** Paths that differ from a good one in one thing. */
function tampered({ siblings, other }: StatePath): StatePath[] {
  const more = { siblings: [EMPTY_STATE, ...siblings], other };
  const fewer = siblings.length === 0 ? [] : [{ siblings: siblings.slice(1), other }];
  const flipped = siblings.map((_, at) => ({
    siblings: siblings.map((sibling, index) => (index === at ? sibling.map((byte) => byte ^ 1) : sibling)),
    other,
  }));
  const long = siblings.map((_, at) => ({
    siblings: siblings.map((sibling, index) => (index === at ? Buffer.concat([sibling, Buffer.of(0)]) : sibling)),
    other,
  }));
  const swapped = other === undefined ? [] : [{ siblings, other: { ...other, valueHash: EMPTY_STATE } }];
  const bare = other === undefined ? [] : [{ siblings, other: undefined }];
  return [more, ...fewer, ...flipped, ...long, ...swapped, ...bare];
}

test("a leaf that is not in the key's place proves no absence", () => {
  const map = new MemoryMap();
  map.write(new Map(Array.from({ length: 32 }, (_, index) => [`limits/${index}`, Uint8Array.of(index)])));
  const key = "limits/absent";
  for (const [there] of map.entries) {
    const { siblings } = proveState(map, map.root, there);
    const leaf = map.node(leafHashOf(map, there));
    const other = { keyHash: leaf.subarray(1, 33), valueHash: leaf.subarray(33) };
    const isInPlace = provesState(map.root, { key, value: undefined }, { siblings, other });
    assert.equal(
      isInPlace,
      siblings.length === proveState(map, map.root, key).siblings.length && isAt(map, key, other),
    );
    assert.ok(!provesState(map.root, { key: there, value: undefined }, { siblings, other }));
  }
});

function isAt(map: MemoryMap, key: string, { keyHash }: { readonly keyHash: Uint8Array }): boolean {
  const { other } = proveState(map, map.root, key);
  return other !== undefined && Buffer.from(other.keyHash).equals(keyHash);
}

/** The hash of the leaf that a key has in the map, by going down as a reader would. */
function leafHashOf(map: MemoryMap, key: string): Uint8Array {
  const { siblings } = proveState(map, map.root, key);
  let hash = map.root;
  for (const sibling of [...siblings].reverse()) {
    const node = map.node(hash);
    const [left, right] = [node.subarray(1, 33), node.subarray(33)];
    hash = Buffer.from(left).equals(sibling) ? right : left;
  }
  return hash;
}

test("comes to the roots and paths of the fixture", () => {
  const map = new MemoryMap();
  map.write(new Map(stateEntries));
  const { root, present, absent, empty } = fixtures.state!;
  assert.equal(toHex(map.root), root!.bytes);
  const pathOf = (key: string) => {
    const { siblings, other } = proveState(map, map.root, key);
    const last = other === undefined ? "" : toHex(other.keyHash) + toHex(other.valueHash);
    return `${siblings.map(toHex).join("")}${last}`;
  };
  assert.equal(pathOf("limits/1"), present!.bytes);
  assert.equal(pathOf("limits/9"), absent!.bytes);
  assert.equal(pathOf("limits/23"), empty!.bytes);
});
