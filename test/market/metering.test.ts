// The contracts that come with Gridseal pass lint and their own vectors, in the engine that nodes run them in.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { testContract } from "../../tools/provisioning/contracts/trying.js";
import { vectorsPathOf } from "../../tools/provisioning/contracts/vectors.js";
import { effects, openChains } from "./chain.js";

const file = fileURLToPath(new URL("../../tools/market/metering/metering.ts", import.meta.url));

test("the metering contract comes to what its vectors say", async () => {
  const { complaint } = await testContract(file, vectorsPathOf(file, undefined));
  assert.equal(complaint, undefined);
});

test("points may be called anything, and those with the longest names all have a place", async (t) => {
  const { chain, close } = await openChains(file);
  t.after(close);
  const metering = chain({ silent_slots: 2 });
  const odd = ["__proto__", "constructor", "hasOwnProperty", "toString"];
  const long = Array.from({ length: 500 - odd.length }, (_, index) => `x${String(index).padStart(63, "0")}`);
  const names = [...odd, ...long].sort();
  for (const start_s of [900_000, 900_900, 901_800]) {
    await metering.close(
      start_s,
      names.map((name) => [name, null, null, 3]),
    );
  }
  const kept = [0, 1, 2, 3].flatMap(
    (place) => metering.get(`day/10/${place}`) as readonly [string, readonly number[]][],
  );
  assert.deepEqual(
    kept.map(([name]) => name),
    names,
  );
  assert.deepEqual(new Set(kept.map(([, flaws]) => flaws.join("/"))), new Set(["0/3"]));
  const heard = await metering.close(
    902_700,
    names.map((name) => [name, 1, null, 1]),
  );
  assert.deepEqual(
    effects(heard, "heard").map(({ point }) => point),
    names,
  );
});
