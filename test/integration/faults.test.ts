// Every fault that a running cluster is put through, once: see tools/soak.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import { faults } from "../../tools/lab/soak/faults.js";

test("a cluster of processes outlives every fault, with every record sealed once and every receipt verified", {
  timeout: 280_000,
}, async (t) => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    "--import",
    "tsx",
    "tools/lab/soak/soak.ts",
    "--each",
    "--meters",
    "3",
  ]);
  for (const { name } of faults) {
    const missing = new RegExp(`^not run: ${name}, (.*)$`, "m").exec(stdout)?.[1];
    await t.test(name, { skip: missing ?? false }, () => {
      assert.match(stdout, new RegExp(`^${name}: .* then sealing everywhere`, "m"), stdout);
    });
  }
  const total = (what: string) => Number(new RegExp(`^${what} +(\\d+)$`, "m").exec(stdout)?.[1]);
  assert.ok(total("published") > 50, stdout);
  assert.equal(total("sealed"), total("published"));
  assert.equal(total("receipts verified"), total("published"));
});
