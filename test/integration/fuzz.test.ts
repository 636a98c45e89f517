import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";

test("nodes outlive changed messages on every way in, and meters get their receipts meanwhile", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    "dist/tools/lab/fuzz/fuzz.js",
    "--messages",
    "30000",
    "--seed",
    "7",
  ]);
  assert.match(stdout, /^receipts of records +(\d+)\/\1 (\d+)\/\2 (\d+)\/\3$/m);
  for (const surface of ["MQTT node-1", "HTTP node-2", "peers", "strangers"]) {
    assert.match(stdout, new RegExp(`^${surface} +[1-9]`, "m"), stdout);
  }
});
