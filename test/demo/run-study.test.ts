// The study of the demo's story, over a chain of short slots: what is signed is what anybody comes to who runs the files it leaves.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { readManifest } from "../../tools/analytics/manifest.js";
import { resultHash, runStudy } from "../../tools/analytics/study.js";
import { termsFrom } from "../../tools/analytics/terms.js";
import { SLOT_S } from "../../tools/demo/community/contracts.js";
import { runWantedStudy } from "../../tools/demo/community/run-study.js";
import { queryOf } from "../../tools/demo/community/study-plan.js";
import type { ReceiptSource } from "../../tools/sources/source.js";
import { emptyFolder, FROM_S, householdChain } from "../analytics/tables.js";

test("the demo's study leaves files from which it is run again, and is made anew where it is run again", async (t) => {
  const { chain, ids } = householdChain(
    [{ taken: [3, 4, 5, 6] }, { taken: [1, 1, 1, 1] }, { taken: [9, 8, 7, 6] }],
    2,
    SLOT_S,
  );
  const members = [...ids].sort();
  const source = {
    chains: async () => [{ service: 1, height: chain.blocks.length }],
    async *blocks() {
      yield* chain.blocks;
    },
  } as unknown as ReceiptSource;
  const folder = join(await emptyFolder(t), "study");
  const wanted = { study: "s-1", from_s: FROM_S, to_s: FROM_S + 4 * SLOT_S };
  const run = () => runWantedStudy(wanted, { genesis: chain.genesis, source, folder, members });
  const body = (await run()) as { readonly [name: string]: unknown };
  assert.deepEqual([body.study, body.group, body.to], ["s-1", 3, chain.blocks.length]);
  assert.deepEqual(await run(), body);
  const tables = join(folder, "tables");
  const terms = termsFrom(JSON.parse(await readFile(join(folder, "study.json"), "utf8")), "study.json");
  const again = await runStudy({ folder: tables, manifest: await readManifest(tables) }, terms);
  assert.deepEqual([resultHash(again), again.query], [body.result, queryOf(members)]);
});
