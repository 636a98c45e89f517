// The contracts that come with Gridseal pass lint and their own vectors, in the engine that nodes run them in.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Value } from "../../src/wire/value.js";
import { testContract } from "../../tools/provisioning/contracts/trying.js";
import { vectorsPathOf } from "../../tools/provisioning/contracts/vectors.js";
import { effects, openChains, type Row } from "./chain.js";

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
  assert.deepEqual(new Set(kept.map(([, flaws]) => flaws.join("/"))), new Set(["0/3/0/0"]));
  const heard = await metering.close(
    902_700,
    names.map((name) => [name, 1, null, 1]),
  );
  assert.deepEqual(
    effects(heard, "heard").map(({ point }) => point),
    names,
  );
});

test("where nobody speaks any more, slots close by a deadline, and all silent meters are in breach", async (t) => {
  const { chain, close } = await openChains(file);
  t.after(close);
  const metering = chain({ silent_slots: 2, kept_days: 1 });
  const meters = ["a", "b"].map((digit) => `cc0000000000000${digit}`);
  const rows = (quality: number): Row[] => meters.map((id) => [id, quality === 3 ? null : 1, null, quality]);
  await metering.close(900_000, rows(1));
  const dueAt = () => (metering.get("due/slots") as readonly [number, Value])[0];
  assert.equal(dueAt(), metering.time_s + 1_800, "a block comes though no record does");
  assert.deepEqual(await metering.pass(dueAt()), []);
  const next_s = dueAt();
  assert.equal(next_s, metering.time_s + 1_800, "and the next one, as long as the slots are not late enough");
  metering.time_s = next_s;
  const said = [...(await metering.close(900_900, rows(3))), ...(await metering.close(901_800, rows(3)))];
  assert.deepEqual(
    said.map(({ type, name, subject }) => [type, name, subject]),
    meters.map((id) => ["violation", "silent", id]),
  );
  for (let passed = 0; passed < 60 && metering.get("due/slots") !== undefined; passed += 1)
    await metering.pass(dueAt());
  assert.equal(metering.get("due/slots"), undefined, "a chain that settles nothing rests after the days that are kept");
});
