// The emulated processor that counts: its C compiles without a warning, its counts are the same in every run, its signatures are good.

import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { nodeVerify, signerFromSeed } from "../../tools/crypto/signatures.js";
import { cache, chipCompiler, root } from "../../tools/firmware/builds.js";
import { buildCounted, findProcessor, processorCompiler, startProcessor } from "../../tools/firmware/counted.js";
import { Missing, runTool } from "../../tools/firmware/sdk.js";
import { theSdk, withoutSdk } from "./harness.js";

const sources = join(root, "hosts/simulator/counted");
const seed = Uint8Array.from({ length: 32 }, (_, index) => index);
const message = new Uint8Array(200).fill(7);

/** Why this machine cannot compile for the processor or run it. */
async function missing(): Promise<string | false> {
  if (withoutSdk !== false) return withoutSdk;
  return findProcessor(theSdk()).then(
    () => false,
    (thrown: unknown) => {
      if (thrown instanceof Missing) return thrown.message;
      throw thrown;
    },
  );
}

const skip = await missing();

/** A meter without a configuration: nothing but its engine runs. */
async function started(t: TestContext) {
  const processor = startProcessor(await buildCounted(theSdk()));
  t.after(() => processor.close());
  await processor.ask("clock", { text: "1790000000000" });
  await processor.ask("value", { text: "configuration", bytes: new TextEncoder().encode("{}") });
  const { said } = await processor.ask("boot");
  assert.ok(
    said.some(({ word, text }) => word === "state" && text === "configuration_refused"),
    "the agent looked at its configuration",
  );
  return processor;
}

test("the C of the counting processor compiles for it without a warning", { skip }, async () => {
  await buildCounted(theSdk());
  const project = join(cache, "counted/noble/tmp/lin/mc/release/counted");
  const words = await chipCompiler(theSdk());
  const meant = words.slice(words.indexOf("-DINCLUDE_XSPLATFORM=1"));
  const warnings = ["-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter", "-fsyntax-only"];
  for (const name of (await readdir(sources)).filter((file) => file.endsWith(".c"))) {
    const [compiler, ...options] = processorCompiler;
    const rest = [...meant, "-I", sources, "-I", project, ...warnings, join(sources, name)];
    const { status, output } = await runTool(theSdk(), compiler, [...options, ...rest], project);
    assert.equal(status, 0, `${name}:\n${output}`);
  }
});

test("a signature takes as many instructions in one run as in another, and is the key's", { skip }, async (t) => {
  const counts: number[] = [];
  for (let run = 0; run < 2; run++) {
    const processor = await started(t);
    await processor.ask("key", { bytes: seed });
    const { said, instructions } = await processor.ask("sign", { bytes: message });
    const signature = said.find(({ word }) => word === "signature")?.bytes;
    assert.ok(signature !== undefined && nodeVerify(signerFromSeed(seed).key, message, signature), "signed");
    counts.push(instructions);
  }
  assert.equal(counts[0], counts[1]);
  assert.ok(counts[0]! > 1_000_000, `${counts[0]} instructions for a signature in JavaScript`);
});

test("a changed signature is refused", { skip }, async (t) => {
  const processor = await started(t);
  const { key, sign } = signerFromSeed(seed);
  const x = (key as { readonly x: Uint8Array }).x;
  const signature = sign(message);
  for (const [bytes, verdict] of [
    [signature, 1],
    [signature.map((byte, index) => (index === 5 ? byte ^ 1 : byte)), 0],
  ] as const) {
    const { said } = await processor.ask("verify", { bytes: Uint8Array.from([...x, ...bytes, ...message]) });
    assert.equal(said.find(({ word }) => word === "verdict")?.number, verdict);
  }
});

test("what the processor does not know it refuses, and goes on", { skip }, async (t) => {
  const processor = startProcessor(await buildCounted(theSdk()));
  t.after(() => processor.close());
  await assert.rejects(processor.ask("key", { bytes: seed }), /key: refused 0 key/, "before it has booted");
  const { instructions } = await processor.ask("clock", { text: "1790000000000" });
  assert.ok(instructions > 0, "counted");
});
