// The contracts that come with Gridseal pass lint and their own vectors, in the engine that nodes run them in.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { testContract } from "../../tools/provisioning/contracts/trying.js";
import { vectorsPathOf } from "../../tools/provisioning/contracts/vectors.js";

const file = fileURLToPath(new URL("../../tools/market/metering/metering.ts", import.meta.url));

test("the metering contract comes to what its vectors say", async () => {
  const { complaint } = await testContract(file, vectorsPathOf(file, undefined));
  assert.equal(complaint, undefined);
});
