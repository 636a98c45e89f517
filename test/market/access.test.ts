// Each rule of the access contract, broken and kept, in the engine that nodes run it in.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { testContract } from "../../tools/provisioning/contracts/trying.js";
import { vectorsPathOf } from "../../tools/provisioning/contracts/vectors.js";

const file = fileURLToPath(new URL("../../tools/market/access/access.ts", import.meta.url));

test("the access contract comes to what its vectors say", async () => {
  const { complaint } = await testContract(file, vectorsPathOf(file, undefined));
  assert.equal(complaint, undefined);
});
