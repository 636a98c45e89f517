import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { lockFolder } from "../tools/lock.js";

test("a folder has one owner of a kind at a time", {
  skip: process.platform !== "linux" && "no abstract sockets",
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "gridseal-lock-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const unlock = await lockFolder(folder, "node");
  await assert.rejects(lockFolder(folder, "node"), { code: "FOLDER_IN_USE", message: /another node runs in/ });
  await (await lockFolder(folder, "meter"))();
  await unlock();
  await (await lockFolder(folder, "node"))();
});
