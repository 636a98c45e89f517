import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { cpuSecondsOf, memoryOf, readProcessUsage, writtenBytesOf } from "../../../tools/lab/rig/process-usage.js";

test("reads user and system time behind a name with blanks and brackets", () => {
  const stat = "42 (node (1) x) S 1 42 42 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 11 0 300 1 2";
  assert.equal(cpuSecondsOf(stat), 3);
});

test("reads the bytes that a process wrote", () => {
  assert.equal(writtenBytesOf("rchar: 1\nwchar: 2\nsyscr: 3\nwrite_bytes: 4096\ncancelled_write_bytes: 9\n"), 4096);
});

test("counts as a process's memory what is part of no file", () => {
  assert.equal(memoryOf("VmRSS:\t  900 kB\nRssAnon:\t  500 kB\nRssFile:\t  400 kB\n", "RssAnon"), 512_000);
});

test("tells what this process has used", { skip: !existsSync("/proc/self/io") && "there is no /proc" }, () => {
  const usage = readProcessUsage(process.pid)!;
  assert.ok(usage.cpu_s > 0 && usage.written_bytes >= 0);
});

test("tells nothing of a process that is not there", () => {
  assert.equal(readProcessUsage(2 ** 30), undefined);
});
