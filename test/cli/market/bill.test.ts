// `gridseal market bill show`: what it finds in the effects of a run.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type BillsFound, findBills } from "../../../tools/cli/market/bill/read.js";
import type { SealedEffect } from "../../../tools/cli/market/sealed-effects.js";

const PERIOD = 1_790_000_000;

async function* effectsOf(...said: readonly (readonly [name: string, body: object])[]) {
  for (const [index, [name, body]] of said.entries()) yield { height: 7, index, name, body } as unknown as SealedEffect;
}

async function foundIn(...said: readonly (readonly [name: string, body: object])[]): Promise<BillsFound> {
  const found: BillsFound = { bills: [], hasEmptyRun: false };
  await findBills(found, effectsOf(...said), "sun", { period: PERIOD });
  return found;
}

test("a preview before a slot has closed is a run without bills, and no missing one", async () => {
  const run = { community: "sun", kind: "preview", period: [PERIOD, null], bills: 0 };
  assert.deepEqual(await foundIn(["bills", run]), { bills: [], hasEmptyRun: true });
  for (const other of [{ community: "moon" }, { period: [PERIOD + 60, null] }, { bills: 1 }]) {
    assert.equal((await foundIn(["bills", { ...run, ...other }])).hasEmptyRun, false, JSON.stringify(other));
  }
  assert.equal((await foundIn()).hasEmptyRun, false);
});

test("a bill of the period is found with its place", async () => {
  const bill = { community: "sun", period: [PERIOD, null], point: "AT-1" };
  const { bills } = await foundIn(["bill", bill], ["bill", { ...bill, community: "moon" }]);
  assert.deepEqual(
    bills.map(({ point, height, index }) => [point, height, index]),
    [["AT-1", 7, 0]],
  );
});
