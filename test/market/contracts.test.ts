// The market's contracts pass lint and come to what their vectors say, in the engine that nodes run them in.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { lintSource } from "../../tools/cli/contract/rules.js";
import { bundleContract } from "../../tools/provisioning/contracts/bundle.js";
import { testContract } from "../../tools/provisioning/contracts/trying.js";
import { vectorsPathOf } from "../../tools/provisioning/contracts/vectors.js";

for (const name of ["community", "auction", "cases"]) {
  const file = fileURLToPath(new URL(`../../tools/market/${name}/${name}.ts`, import.meta.url));

  test(`the contract ${name} uses nothing that a contract must not`, async () => {
    const { files } = await bundleContract(file);
    for (const path of files) assert.deepEqual(lintSource(await readFile(path, "utf8"), path), [], path);
  });

  test(`the contract ${name} comes to what its vectors say`, async () => {
    const { complaint } = await testContract(file, vectorsPathOf(file, undefined));
    assert.equal(complaint, undefined);
  });
}
