import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { chipCompiler } from "../../tools/firmware/builds.js";
import { Missing } from "../../tools/firmware/sdk.js";

test("sizes are compiled for 32 bits, or not at all", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "gridseal-compiler-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const sdkWhere = async (status: number) => {
    const bin = join(folder, `bin-${status}`);
    await mkdir(bin);
    await writeFile(join(bin, "cc"), `#!/bin/sh\nexit ${status}\n`);
    await chmod(join(bin, "cc"), 0o755);
    return { folder, environment: { PATH: `${bin}:/bin:/usr/bin` } };
  };
  await assert.rejects(
    chipCompiler(await sdkWhere(1)),
    (thrown) => thrown instanceof Missing && /gcc-multilib/.test(thrown.message),
    "a compiler for 64 bits alone",
  );
  assert.ok((await chipCompiler(await sdkWhere(0))).includes("-m32"), "a compiler for 32 bits");
});
