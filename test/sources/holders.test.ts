// Who signs on a chain, as a node tells it and as its export does: the same rows.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { toHex } from "../../src/wire/bytes.js";
import { metersOfFiles } from "../../tools/cli/meter/known.js";
import { blocks } from "../../tools/node/chain/tables/blocks.js";
import { blockKey } from "../../tools/node/store/keys.js";
import type { HolderRow } from "../../tools/routes/holders.js";
import { openApiSource } from "../../tools/sources/api.js";
import { exportedHolders } from "../../tools/sources/exported-holders.js";
import { heardMeters } from "../../tools/sources/heard.js";
import { buildChain, makeMeter } from "../audit/chain-builder.js";
import { createNodeApi } from "../node/api/api.js";
import { SERVICE } from "../node/chain/cluster.js";

async function withFile(bytes: Uint8Array, use: (file: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "gridseal-holders-"));
  try {
    const file = join(folder, "chain.cbor");
    await writeFile(file, bytes);
    await use(file);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("a node tells of its signers what the export of its chain does", async (t) => {
  const { base, cluster, meter, seal } = await createNodeApi(t);
  await seal();
  const { store, chain } = cluster.nodes[0]!;
  const source = openApiSource(base);
  const told: HolderRow[] = [];
  for await (const row of source.holders(SERVICE)) told.push(row);
  assert.deepEqual(
    told.map(({ kid, high, missing }) => [toHex(kid), high, missing]),
    [[toHex(meter.kid), 5, 0]],
  );
  assert.ok(told[0]!.time_s! > 0 && told[0]!.sealed_s! >= told[0]!.time_s! - 86_400);
  const sealed = Array.from(
    { length: chain.head.height },
    (_, index) => store.get(blocks, blockKey(SERVICE, index + 1))!,
  );
  await withFile(Buffer.concat(sealed), async (file) => {
    const { holders } = await exportedHolders(file);
    assert.deepEqual(holders, told);
  });
  assert.deepEqual(await heardMeters(source), new Set([toHex(meter.kid)]));
  assert.deepEqual((await source.genesis()).hash, cluster.genesis.hash);
});

test("an exported chain has each meter with its newest record and what is missing before it", async () => {
  const [one, other, silent] = [makeMeter(1), makeMeter(2), makeMeter(3)];
  const participant = makeMeter(4, [1], undefined, ["supplier"]);
  const chain = buildChain();
  chain.seal({
    records: [one.record(), one.record({ seq: 4, time_s: 1_700_000_050 })],
    credentials: [one, participant].map(({ credential }) => credential),
  });
  chain.seal({ records: [other.record(), one.record({ seq: 2 })], credentials: [other.credential] });
  await withFile(Buffer.concat(chain.blocks), async (file) => {
    const { meters, hasOrders } = await metersOfFiles([file], undefined);
    assert.equal(hasOrders, false);
    assert.deepEqual(
      meters.map(({ id, chain: name, state, number, missing, time_s }) => ({
        id,
        name,
        state,
        number,
        missing,
        time_s,
      })),
      [one, other]
        .map((meter, index) => ({ id: `meter-${index + 1}`, kid: toHex(meter.kid) }))
        .sort((left, right) => (left.kid < right.kid ? -1 : 1))
        .map(({ id }) =>
          id === "meter-1"
            ? { id, name: "trading", state: "valid", number: 4, missing: 2, time_s: 1_700_000_050 }
            : { id, name: "trading", state: "valid", number: 0, missing: 0, time_s: 1_700_000_000 },
        ),
    );
    assert.ok(!meters.some(({ meter }) => meter === toHex(silent.kid)));
  });
});
