// LMDB's file as it lies on the disk: what is refused before it is mapped, and what only looks short.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { open } from "lmdb";
import { checkPageFile } from "../../tools/files/page-file.js";

const PAGE = 4_096;

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "gridseal-pages-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** A database with rows of all sizes in two tables, and pages at the end that were taken and given back at once. */
async function shortDatabase(folder: string, rows = 400): Promise<string> {
  const root = open<Buffer, number>({ path: folder, noSubdir: false, overlappingSync: false, encoding: "binary" });
  const table = root.openDB<Buffer, number>({ name: "rows", encoding: "binary" });
  for (let row = 0; row < rows; row += 1) await table.put(row, Buffer.alloc(row % 50 === 0 ? 3 * PAGE : 200, row));
  await table.transaction(() => {
    table.putSync(100_000, Buffer.alloc(20 * PAGE));
    table.removeSync(100_000);
  });
  await root.close();
  return join(folder, "data.mdb");
}

/** The pages that the newest of the two metas counts: LMDB's mm_last_pg, 120 bytes after the header of 24, and mm_txnid behind it. */
function countedPages(path: string): number {
  const bytes = readFileSync(path);
  const [first, second] = [0, PAGE].map((at) => ({
    last: Number(bytes.readBigUInt64LE(at + 144)),
    transaction: bytes.readBigUInt64LE(at + 152),
  }));
  return (first!.transaction > second!.transaction ? first! : second!).last + 1;
}

test("a file that is shorter than its pages, of which the last were never used, is well", async (t) => {
  const folder = folderOf(t);
  const path = await shortDatabase(folder);
  assert.ok(statSync(path).size < countedPages(path) * PAGE, "LMDB wrote what it gave back");
  checkPageFile(folder);
  const root = open<Buffer, number>({ path: folder, noSubdir: false, readOnly: true, encoding: "binary" });
  const table = root.openDB<Buffer, number>({ name: "rows", encoding: "binary" });
  assert.deepEqual([...table.getRange({})].map(({ value }) => value.length).filter((length) => length > 200).length, 8);
  await root.close();
});

test("a file that lacks a page which is used is refused, wherever it was cut", async (t) => {
  const folder = folderOf(t);
  const path = await shortDatabase(folder);
  const whole = readFileSync(path);
  let refused = 0;
  for (let pages = whole.length / PAGE - 1; pages >= 2; pages -= 1) {
    truncateSync(path, pages * PAGE);
    try {
      checkPageFile(folder);
      assert.equal(refused, 0, `${pages} pages are well, and more were not`);
    } catch (error) {
      assert.match((error as Error).message, /data\.mdb is truncated: it has \d+ bytes of \d+/);
      refused += 1;
    }
  }
  assert.ok(refused > 0.8 * (whole.length / PAGE), `${refused} cuts were refused`);
});

test("what is taken of a file that was cut can be read to its last row, whichever table has the page that is missing", async (t) => {
  const folder = folderOf(t);
  const tables = Array.from({ length: 24 }, (_, table) => `table-${table}`);
  const root = open<Buffer, number>({
    path: folder,
    noSubdir: false,
    overlappingSync: false,
    encoding: "binary",
    maxDbs: 32,
  });
  // Rows are written again, so that pages are given back, and the roots of the trees do not stand at the end.
  for (let write = 0; write < 300; write += 1) {
    const row = (write * write) % 61;
    const table = root.openDB<Buffer, number>({ name: tables[row % tables.length]!, encoding: "binary" });
    await table.put(row, Buffer.alloc((write * 37) % 9 === 0 ? 3 * PAGE : 900, write));
  }
  await root.close();
  const path = join(folder, "data.mdb");
  const { length } = readFileSync(path);
  let well = 0;
  for (let pages = length / PAGE - 1; pages > length / PAGE - 40; pages -= 1) {
    truncateSync(path, pages * PAGE);
    try {
      checkPageFile(folder);
    } catch {
      continue;
    }
    well += 1;
    const script = `
      const { open } = require("lmdb");
      const root = open({ path: process.argv[1], noSubdir: false, readOnly: true, encoding: "binary", maxDbs: 32 });
      let bytes = 0;
      for (const name of process.argv.slice(2))
        for (const { value } of root.openDB({ name, encoding: "binary" }).getRange({})) for (const byte of value) bytes += byte;
      console.log(bytes);`;
    const { status, signal, stdout } = spawnSync(process.execPath, ["-e", script, folder, ...tables], {
      encoding: "utf8",
    });
    assert.deepEqual([status, signal], [0, null], `cut to ${pages} of ${length / PAGE} pages`);
    assert.match(stdout, /^\d+$/m);
  }
  assert.ok(well < 30, `${well} of 39 cuts are well`);
});

test("a file that is cut within a page, or is none of LMDB's, is refused", async (t) => {
  const folder = folderOf(t);
  const path = await shortDatabase(folder);
  truncateSync(path, Math.floor(statSync(path).size / 2) + 100);
  assert.throws(() => checkPageFile(folder), /is truncated/);
  writeFileSync(path, Buffer.alloc(4 * PAGE, 7));
  assert.throws(() => checkPageFile(folder), /is no database/);
});

test("a short file whose pages are nonsense ends with an answer", async (t) => {
  const folder = folderOf(t);
  const path = await shortDatabase(folder);
  const whole = readFileSync(path);
  for (const fill of [0, 1, 2, 3, 0x55, 0xff]) {
    writeFileSync(path, Buffer.from(whole).fill(fill, 2 * PAGE));
    try {
      checkPageFile(folder);
    } catch (error) {
      assert.match((error as Error).message, /is truncated/);
    }
  }
});
