// The dispatch contract comes to what its vectors say, in the engine that nodes run it in.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { testContract } from "../../tools/provisioning/contracts/trying.js";
import { vectorsPathOf } from "../../tools/provisioning/contracts/vectors.js";

test("the dispatch contract comes to what its vectors say", async () => {
  const file = fileURLToPath(new URL("../../tools/dispatch/contract/dispatch.ts", import.meta.url));
  const { complaint } = await testContract(file, vectorsPathOf(file, undefined));
  assert.equal(complaint, undefined);
});
