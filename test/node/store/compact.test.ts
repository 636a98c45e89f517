// A store is made smaller by what it has let go of, and has every row as before.

import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { blocks } from "../../../tools/node/chain/tables/blocks.js";
import { compactStore } from "../../../tools/node/store/compact.js";
import { blockKey } from "../../../tools/node/store/keys.js";
import { openStore } from "../../../tools/node/store/open-store.js";

const owner = { node: new Uint8Array(8).fill(1), genesisHash: new Uint8Array(32).fill(2) };
const ROWS = 400;
const KEPT = 40;

test("the disk gets back what rows that are gone took; rows that stay are there, and the store goes on", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "gridseal-compact-"));
  t.after(() => rm(folder, { recursive: true }));
  const content = (height: number) => new Uint8Array(5_000).fill(height % 251);
  const store = await openStore(folder, owner, false);
  await store.write((writer) => {
    for (let height = 1; height <= ROWS; height += 1) writer.put(blocks, blockKey(1, height), content(height));
  });
  await store.write((writer) => {
    for (let height = 1; height <= ROWS - KEPT; height += 1) writer.delete(blocks, blockKey(1, height));
  });
  await store.close();
  const { before_bytes, after_bytes } = await compactStore(folder);
  assert.ok(before_bytes > ROWS * 5_000, `${before_bytes} bytes before`);
  assert.ok(after_bytes < before_bytes / 4, `${after_bytes} of ${before_bytes} bytes stay`);
  assert.equal((await stat(join(folder, "data.mdb"))).size, after_bytes);
  assert.equal((await stat(join(folder, "data.mdb"))).mode & 0o077, 0, "nobody else may read it");
  assert.deepEqual(await readdir(folder), ["data.mdb"]);
  const again = await openStore(folder, owner, true);
  assert.equal(again.get(blocks, blockKey(1, 1)), undefined);
  for (let height = ROWS - KEPT + 1; height <= ROWS; height += 1) {
    assert.deepEqual(Uint8Array.from(again.get(blocks, blockKey(1, height))!), content(height));
  }
  await again.write((writer) => writer.put(blocks, blockKey(1, ROWS + 1), content(1)));
  assert.notEqual(again.get(blocks, blockKey(1, ROWS + 1)), undefined);
  await again.close();
});
