import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { blocks } from "../../../tools/node/chain/tables/blocks.js";
import { consensusRecords } from "../../../tools/node/chain/tables/consensus-records.js";
import { backupStore, restoreStore } from "../../../tools/node/store/backup.js";
import { blockKey, chainKey } from "../../../tools/node/store/keys.js";
import { openStore } from "../../../tools/node/store/open-store.js";

const owner = { node: new Uint8Array(8).fill(1), genesisHash: new Uint8Array(32).fill(2) };
const block = new Uint8Array(5_000).fill(7);

function folderOf(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "gridseal-backup-"));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

test("copies an open store as of one moment, without what the node has signed", async (t) => {
  const folder = folderOf(t);
  const [data, backup, restored] = ["data", "backup", "restored"].map((name) => join(folder, name));
  const store = await openStore(data!, owner, false);
  t.after(() => store.close());
  await store.write((writer) => {
    writer.put(blocks, blockKey(1, 1), block);
    writer.put(consensusRecords, chainKey(1), Uint8Array.of(1, 2, 3));
  });
  await backupStore(data!, backup!);
  await store.write((writer) => writer.put(blocks, blockKey(1, 2), block));
  await restoreStore(backup!, restored!, owner);
  const again = await openStore(restored!, owner, true);
  t.after(() => again.close());
  assert.deepEqual(new Uint8Array(again.get(blocks, blockKey(1, 1))!), block);
  assert.equal(again.get(blocks, blockKey(1, 2)), undefined);
  assert.equal(again.get(consensusRecords, chainKey(1)), undefined);
  assert.ok(again.isReplaced);
  assert.deepEqual(new Uint8Array(store.get(consensusRecords, chainKey(1))!), Uint8Array.of(1, 2, 3));
  assert.equal(store.isReplaced, false);
});

test("refuses to copy over something, from nothing, and to restore another node's or what is no backup", async (t) => {
  const folder = folderOf(t);
  const data = join(folder, "data");
  const backup = join(folder, "backup");
  const store = await openStore(data, owner, false);
  t.after(() => store.close());
  await assert.rejects(backupStore(join(folder, "none"), backup), { code: "FILE_UNREADABLE" });
  await backupStore(data, backup);
  await assert.rejects(backupStore(data, backup), { code: "FILE_EXISTS" });
  await assert.rejects(restoreStore(backup, data, owner), { code: "FILE_EXISTS" });
  const foreign = { ...owner, node: new Uint8Array(8).fill(9) };
  await assert.rejects(restoreStore(backup, join(folder, "other"), foreign), { code: "STORE_FOREIGN" });
  await assert.rejects(restoreStore(data, join(folder, "other"), owner), { code: "STORE_FOREIGN" });
  writeFileSync(join(backup, "data.mdb"), "no database");
  await assert.rejects(restoreStore(backup, join(folder, "other"), owner), { code: "STORE_CORRUPT" });
});
