import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { fingerprint } from "../../tools/firmware/fingerprint.js";

/** A folder with these files, each with its path as its text. */
async function folderOf(t: TestContext, paths: readonly string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "gridseal-fingerprint-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  for (const path of paths) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), path);
  }
  return folder;
}

test("changes with any source, any file of the SDK and any setting, and with nothing else", async (t) => {
  const root = await folderOf(t, [
    "src/main.ts",
    "hosts/simulator/native.c",
    "tools/firmware/vendor.ts",
    "tools/other.ts",
    "manifest.json",
    "package-lock.json",
  ]);
  const sdk = await folderOf(t, ["build/bin/lin/release/xsl", "examples/a.js", "modules/io/b.js", "xs/sources/c.c"]);
  const print = (...settings: string[]): Promise<string> =>
    fingerprint(root, { folder: sdk, environment: {} }, settings);
  const first = await print();
  assert.equal(await print(), first);
  assert.notEqual(await print("version=2"), first);

  const seen = new Set([first]);
  for (const path of ["src/main.ts", "src/new.ts", "hosts/simulator/native.c", "manifest.json", "package-lock.json"]) {
    await writeFile(join(root, path), "changed");
    seen.add(await print());
  }
  await utimes(join(sdk, "xs/sources/c.c"), 1, 1);
  seen.add(await print());
  assert.equal(seen.size, 7, "a hash for each change");

  const last = await print();
  await writeFile(join(root, "tools/other.ts"), "changed");
  await utimes(join(root, "src/main.ts"), 1, 1);
  assert.equal(await print(), last);
});
