import assert from "node:assert/strict";
import { dirname, join } from "node:path/posix";
import { test } from "node:test";
import { root } from "../../tools/firmware/builds.js";
import { compileSources } from "../../tools/firmware/compile.js";

test("the firmware has what the meter reaches, and neither modules nor exports that only nodes use", async () => {
  const modules = new Map((await compileSources(root)).map(({ name, code }) => [name, code]));
  for (const name of ["src/main.js", "src/agent/agent.js", "hosts/esp32/host.js", "hosts/simulator/window.js"])
    assert.ok(modules.has(name), name);
  assert.ok(!modules.has("src/wire/batch.js"), "temporary blocks are the nodes' own");
  const receipt = modules.get("src/wire/receipt.js")!;
  assert.match(receipt, /\bconst decodeReceipt\b/);
  assert.doesNotMatch(receipt, /receiptEncoder/);
  for (const [name, code] of modules) {
    for (const [, path] of code.matchAll(/from ['"](\.[^'"]+)['"]/g))
      assert.ok(modules.has(join(dirname(name), path!)), `${name} imports ${path}`);
    assert.doesNotMatch(code, /^\s*(?:interface|declare) /m, `${name} is JavaScript`);
  }
});

test("the firmware reads no order but the one that adds a chain", async () => {
  const names = (await compileSources(root)).map(({ name }) => name);
  assert.ok(names.includes("src/wire/founding-order.js"));
  assert.ok(!names.includes("src/wire/order.js"));
});
