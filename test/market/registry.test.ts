// The registry comes to what its vectors say, in the engine that nodes run it in.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { testContract } from "../../tools/provisioning/contracts/trying.js";
import { vectorsPathOf } from "../../tools/provisioning/contracts/vectors.js";

const file = fileURLToPath(new URL("../../tools/market/registry/registry.ts", import.meta.url));

test("the registry comes to what its vectors say", async () => {
  const { complaint, tried } = await testContract(file, vectorsPathOf(file, undefined));
  assert.equal(complaint, undefined);
  assert.ok(tried.length >= 8, `${tried.length} vectors`);
});
