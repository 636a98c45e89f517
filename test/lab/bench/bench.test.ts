import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const bench = fileURLToPath(new URL("../../../tools/lab/bench/bench.ts", import.meta.url));

function run(...args: readonly string[]) {
  return spawnSync(process.execPath, ["--import", "tsx", bench, ...args], { encoding: "utf8" });
}

test("refuses what it does not understand with exit status 2, before anything is measured", () => {
  for (const args of [["--seconds", "0"], ["--nodes", "many"], ["--fast"]]) {
    const { status, stderr } = run(...args);
    assert.equal(status, 2, args.join(" "));
    assert.match(stderr, /error: /);
  }
});

test("says what it takes", () => {
  const { status, stdout } = run("--help");
  assert.equal(status, 0);
  assert.match(stdout, /--seconds/);
});
