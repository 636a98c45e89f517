// What a command leaves that was killed while it made a folder or a file: the next one of that name takes it away, and nothing else.

import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { lockFolder } from "../../tools/files/lock.js";
import { createFile, createFolder } from "../../tools/files/made-once.js";

const AGO = new Date(Date.now() - 3_600_000);

test("what was left unfinished under the same name goes, what is being made or has another name stays", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "gridseal-made-"));
  t.after(() => rm(folder, { recursive: true }));
  const leave = async (name: string, at = AGO) => {
    await mkdir(join(folder, name));
    await writeFile(join(folder, name, "key.json"), "a seed");
    await utimes(join(folder, name), at, at);
  };
  await leave("grid.00000001.unfinished");
  await leave("grid.00000002.unfinished");
  await leave("grid.00000003.unfinished", new Date());
  await leave("other.00000004.unfinished");
  await leave("grid.copy.unfinished");
  const unlock = await lockFolder(join(folder, "grid.00000002.unfinished"), "maker");
  await utimes(join(folder, "grid.00000002.unfinished"), AGO, AGO);
  await createFolder(join(folder, "grid"), (unfinished) => writeFile(join(unfinished, "made"), ""));
  await unlock();
  assert.deepEqual((await readdir(folder)).sort(), [
    "grid",
    ...["grid.00000002.unfinished", "grid.00000003.unfinished", "grid.copy.unfinished", "other.00000004.unfinished"],
  ]);
  assert.deepEqual(await readdir(join(folder, "grid")), ["made"], "no lock is left in it");
});

test("so does a file that grows no more", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "gridseal-made-"));
  t.after(() => rm(folder, { recursive: true }));
  for (const name of ["chain.cbor.0000000a.unfinished", "chain.cbor.0000000b.unfinished"])
    await writeFile(join(folder, name), "");
  await utimes(join(folder, "chain.cbor.0000000a.unfinished"), AGO, AGO);
  await createFile(join(folder, "chain.cbor"), "whole");
  assert.deepEqual((await readdir(folder)).sort(), ["chain.cbor", "chain.cbor.0000000b.unfinished"]);
});
