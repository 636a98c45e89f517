// `gridseal market bill show`: what it finds in the effects of a run.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type BillsFound, findBills, type Place, readBills } from "../../../tools/cli/market/bill/read.js";
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

test("for a period that is not billed those that are get named, the newest twelve of them", async () => {
  const refusalOf = async (...begins: readonly number[]) => {
    const entries = begins.map((begin) => ({
      key: `run/sun/${String(begin).padStart(13, "0")}`,
      value: [["final", 7]],
    }));
    const source = {
      async *stateEntries({ prefix }: { readonly prefix: string }) {
        yield* entries.filter(({ key }) => key.startsWith(prefix));
      },
    };
    const place = { source, service: 1, contract: "community", genesis: undefined } as unknown as Place;
    return readBills(place, "sun", { service: "trading", contract: "community", period: PERIOD }).then(
      () => "",
      (error: Error) => error.message,
    );
  };
  assert.match(await refusalOf(), /no period that begins at 2026-09-21T14:13:20Z: none yet/);
  const all = Array.from({ length: 14 }, (_, index) => PERIOD - 60 * (14 - index));
  const message = await refusalOf(...all);
  assert.equal(message.match(/2026-/g)?.length, 13, message);
  assert.match(message, /begin at .*, 2026-09-21T14:12:20Z; --height/);
});
