// A disk that is really full: a small file system in memory, which only root can make.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statfsSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { blocks } from "../../../tools/node/chain/tables/blocks.js";
import { blockKey } from "../../../tools/node/store/keys.js";
import { openStore } from "../../../tools/node/store/open-store.js";

const owner = { node: new Uint8Array(8).fill(1), genesisHash: new Uint8Array(32).fill(2) };
const folder = mkdtempSync(join(tmpdir(), "gridseal-disk-"));
const mounted = mount();
process.on("exit", () => {
  if (mounted) execFileSync("umount", ["-l", folder]);
  rmSync(folder, { recursive: true, force: true });
});

function mount(): boolean {
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=2m", "gridseal", folder], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

test("says that the disk is full, writes nothing of the batch, and goes on when there is room", {
  skip: mounted ? false : "a file system in memory wants root",
}, async (t) => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => void unhandled.push(reason);
  process.on("unhandledRejection", note);
  t.after(() => process.off("unhandledRejection", note));
  const path = join(folder, "data");
  const store = await openStore(path, owner, false);
  const block = new Uint8Array(100_000).fill(7);
  await store.write((writer) => writer.put(blocks, blockKey(1, 1), block));
  const { bavail, bsize } = statfsSync(folder);
  writeFileSync(join(folder, "filler"), Buffer.alloc(bavail * bsize));
  await assert.rejects(
    store.write((writer) => {
      writer.put(blocks, blockKey(1, 2), block);
      writer.put(blocks, blockKey(2, 1), block);
    }),
    (error: { readonly code?: string; readonly message: string }) => {
      assert.equal(error.code, "STORE_FULL");
      assert.match(error.message, /cannot be written: .*No space left on device/);
      return true;
    },
  );
  assert.equal(store.get(blocks, blockKey(1, 2)), undefined);
  assert.deepEqual(new Uint8Array(store.get(blocks, blockKey(1, 1))!), block);
  unlinkSync(join(folder, "filler"));
  await store.close();
  const again = await openStore(path, owner, false);
  t.after(() => again.close());
  assert.equal(again.get(blocks, blockKey(2, 1)), undefined);
  await again.write((writer) => writer.put(blocks, blockKey(2, 1), block));
  assert.deepEqual(new Uint8Array(again.get(blocks, blockKey(2, 1))!), block);
  assert.deepEqual(unhandled, []);
});
