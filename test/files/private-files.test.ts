import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createKeyFile, readKeyFile } from "../../tools/files/key-file.js";
import { createFile, createFolder, PUBLIC } from "../../tools/files/made-once.js";
import { closeFolder, refuseExposed, SECRET } from "../../tools/files/private-files.js";

const options = { skip: process.platform === "win32" && "no modes" };

for (const mask of [0o000, 0o022, 0o077]) {
  test(`files and folders have the modes that are stated, with mask ${mask.toString(8)}`, options, async (t) => {
    const folder = temporary(t, mask);
    await createFile(join(folder, "secret"), "", SECRET);
    await createFile(join(folder, "public"), "", PUBLIC);
    await createFolder(join(folder, "made"), async () => {});
    await closeFolder(join(folder, "closed"));
    assert.equal(modeOf(join(folder, "secret")), 0o600);
    assert.equal(modeOf(join(folder, "public")) & 0o600, 0o600);
    assert.equal(modeOf(join(folder, "public")) & 0o022, 0, "nobody else may write");
    assert.equal(modeOf(join(folder, "made")), 0o700);
    assert.equal(modeOf(join(folder, "closed")), 0o700);
  });
}

test("a folder that is open to others is closed", options, async (t) => {
  const folder = join(temporary(t), "open");
  mkdirSync(folder);
  for (const mode of [0o777, 0o755, 0o750, 0o701]) {
    chmodSync(folder, mode);
    await closeFolder(folder);
    assert.equal(modeOf(folder), 0o700);
  }
});

test("a secret that others may read is refused with what to type", options, async (t) => {
  const path = join(temporary(t), "secret");
  await refuseExposed(path); // what is not there exposes nothing
  writeFileSync(path, "");
  for (const mode of [0o644, 0o640, 0o604, 0o620, 0o602, 0o660]) {
    chmodSync(path, mode);
    await assert.rejects(refuseExposed(path), { code: "FILE_EXPOSED", message: new RegExp(`chmod 0600 ${path}$`) });
  }
  for (const mode of [0o600, 0o400]) {
    chmodSync(path, mode);
    await refuseExposed(path);
  }
});

test("a key file that others may read is not used", options, async (t) => {
  const path = join(temporary(t), "key.json");
  await createKeyFile(path);
  await readKeyFile(path);
  chmodSync(path, 0o644);
  await assert.rejects(readKeyFile(path), { code: "FILE_EXPOSED" });
});

function modeOf(path: string): number {
  return statSync(path).mode & 0o777;
}

function temporary(t: TestContext, mask?: number): string {
  const folder = mkdtempSync(join(tmpdir(), "gridseal-private-"));
  const before = mask === undefined ? undefined : process.umask(mask);
  t.after(() => {
    if (before !== undefined) process.umask(before);
    rmSync(folder, { recursive: true });
  });
  return folder;
}
