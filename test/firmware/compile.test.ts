import assert from "node:assert/strict";
import { dirname, join } from "node:path/posix";
import { test } from "node:test";
import { protocols } from "../../src/meter/reader.js";
import { root } from "../../tools/firmware/builds.js";
import { compileSources, leftOutBy } from "../../tools/firmware/compile.js";

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

test("a manifest leaves protocols out, and what only they need", async () => {
  const named = async (leftOut: Parameters<typeof compileSources>[2]): Promise<Map<string, string>> =>
    new Map((await compileSources(root, "noble", leftOut)).map(({ name, code }) => [name, code]));
  const size = (modules: ReadonlyMap<string, string>): number =>
    [...modules.values()].reduce((sum, code) => sum + code.length, 0);
  const whole = await named([]);
  for (const protocol of protocols) {
    const without = await named([protocol]);
    assert.ok(size(without) < size(whole), protocol);
  }
  const small = await named(["tic", "mbus", "hdlc", "push"]);
  for (const name of ["src/meter/tic/reader.js", "src/meter/mbus/records.js", "src/meter/dlms/axdr.js"]) {
    assert.ok(whole.has(name) && !small.has(name), name);
  }
  assert.ok(small.has("src/meter/p1/reader.js") && small.has("src/meter/dlms/time.js"), "EMI's clock is of DLMS");
  assert.deepEqual(leftOutBy({ config: { leftOut: ["tic"] } }), ["tic"]);
  assert.deepEqual(leftOutBy({}), []);
  assert.throws(() => leftOutBy({ config: { leftOut: ["abacus"] } }), /leaves out abacus: expected p1/);
});

test("the firmware reads no order but the one that adds a chain", async () => {
  const names = (await compileSources(root)).map(({ name }) => name);
  assert.ok(names.includes("src/wire/founding-order.js"));
  assert.ok(!names.includes("src/wire/order.js"));
});
