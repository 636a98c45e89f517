// Services by the names of the genesis, beside their numbers.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { servicesNamed } from "../../tools/cli/services.js";
import { createNetwork } from "../../tools/provisioning/network.js";

test("services go by name and by number, each once, and what the genesis does not name is refused", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "gridseal-services-"));
  t.after(() => rm(folder, { recursive: true }));
  const network = join(folder, "network");
  const chains = [
    { service: 5, name: "contracts", nodes: [1] },
    { service: 6, name: "heat", nodes: [1] },
  ];
  const place = { host: "127.0.0.1", basePort: 1, target: 0 };
  await createNetwork(network, { network: "named", nodes: 1, chains, meters: 0, ...place }, new Date());
  const genesis = join(network, "genesis.cbor");
  assert.deepEqual(await servicesNamed(["heat", "5", "6"], genesis), [5, 6]);
  assert.deepEqual(await servicesNamed(["7", "1"], join(folder, "none")), [1, 7], "numbers alone need no genesis");
  await assert.rejects(servicesNamed(["water"], genesis), { code: "NOT_FOUND", message: /heat \(6\)/ });
});
