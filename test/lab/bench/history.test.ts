import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { makeHistory } from "../../../tools/lab/bench/history-maker.js";
import { heads as headTable } from "../../../tools/node/chain/tables/heads.js";
import { chainKey } from "../../../tools/node/store/keys.js";
import { openStoreReadOnly } from "../../../tools/node/store/open-store.js";
import { createNetwork } from "../../../tools/provisioning/network.js";

test("refuses what it does not understand with exit status 2, before anything is measured", () => {
  const history = fileURLToPath(new URL("../../../tools/lab/bench/history.ts", import.meta.url));
  const { status, stderr } = spawnSync(process.execPath, ["--import", "tsx", history, "--records", "1"], {
    encoding: "utf8",
  });
  assert.equal(status, 2);
  assert.match(stderr, /error: /);
});

test("seals every record at each of a quorum of members", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "gridseal-history-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const network = join(folder, "network");
  const chains = [{ service: 1, name: "trading", nodes: [1, 2, 3, 4] }];
  const plan = { network: "bench", nodes: 4, chains, meters: 3, host: "127.0.0.1", basePort: 20_000, target: 0 };
  const { nodes, meters } = await createNetwork(network, plan, new Date());
  const nodeFolders = nodes.slice(0, 3).map(({ name }) => join(network, "nodes", name));
  const told: number[] = [];
  await makeHistory({
    service: 1,
    nodeFolders,
    meterFolders: meters.map(({ name }) => join(network, "meters", name)),
    records: 300,
    every: 100,
    onProgress: (sealed) => told.push(sealed),
  });
  assert.deepEqual(told, [100, 200, 300]);
  const heads = nodeFolders.map((path) => {
    const store = openStoreReadOnly(join(path, "data"));
    t.after(() => store.close());
    return store.get(headTable, chainKey(1));
  });
  assert.equal(heads[0]?.records, 300);
  assert.equal(heads[0]?.counter, 3, "one record of a hundred names not the one before it");
  for (const head of heads) assert.deepEqual(head, heads[0]);
});
