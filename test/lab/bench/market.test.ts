// What the benchmarks of services rest on: a community's day comes to the bills that are reckoned beside it, and a bill that is wrong shows.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { measureYear } from "../../../tools/lab/bench/market/community-year.js";
import { energiesAt } from "../../../tools/lab/bench/market/homes.js";
import { pointOf } from "../../../tools/lab/bench/market/metered.js";
import { Reckoning, terms } from "../../../tools/lab/bench/market/reckoning.js";
import { measureSharing } from "../../../tools/lab/bench/market/sharing.js";
import { measureSql } from "../../../tools/lab/bench/market/sql-sharing.js";
import { emptyFolder } from "../../analytics/tables.js";

const duck = await import("@duckdb/node-api" as string).then(
  () => true,
  () => false,
);

test("a day of a community goes through slots, shares, bills and ratings, and adds up between members and supplier", async () => {
  const days: number[] = [];
  const { parts, bills, ratings, faults } = await measureYear({ points: 3, days: 1 }, 1, (day) => days.push(day));
  assert.deepEqual(days, [1]);
  assert.deepEqual([parts[0]!.slots, bills], [96, 3]);
  assert.ok(ratings >= 3, "credit hears of the bills");
  assert.deepEqual(faults, { bills: 0, money: 0n });
  for (const bytes of [parts[0]!.records_bytes, parts[0]!.sealed_bytes, parts[0]!.kept_bytes]) assert.ok(bytes > 0);
});

test("the reckoning tells a bill that differs, one that is missing, and money that does not add up", () => {
  const bills = [pointOf(0), pointOf(1)].map((point) => ({ point, amount: BigInt(terms.fee) }));
  const fees = BigInt(2 * terms.fee);
  const reckoned = () => new Reckoning(2);
  assert.deepEqual(reckoned().close(bills, -fees, pointOf), { bills: 0, money: 0n });
  assert.equal(reckoned().close([bills[0]!, { ...bills[1]!, amount: 1n }], -fees, pointOf).bills, 1);
  assert.equal(reckoned().close(bills.slice(1), -fees, pointOf).bills, 2, "one is missing and has no amount");
  assert.equal(reckoned().close(bills, -fees + 7n, pointOf).money, 7n);
});

test("homes take and give whole mWh, and the same ones each time", () => {
  const noon_s = 1_780_315_200;
  const energies = energiesAt(50, noon_s);
  assert.deepEqual(energies, energiesAt(50, noon_s));
  assert.ok(energies.some(({ taken }) => taken > 0) && energies.some(({ given }) => given > 0));
  for (const { taken, given } of energies) {
    assert.ok(Number.isSafeInteger(taken) && Number.isSafeInteger(given) && taken >= 0 && given >= 0);
    assert.ok(taken === 0 || given === 0);
  }
});

test("plain SQL comes to the same shares as the contract", {
  skip: duck ? false : "DuckDB is not installed",
}, async (t) => {
  const { slots } = await measureSharing(12, 3);
  const sql = await measureSql(slots, 1, await emptyFolder(t));
  assert.equal(sql?.differing, 0);
});

test("without DuckDB there is no yardstick, and nothing fails", { skip: duck ? "it is there" : false }, async (t) => {
  const { slots } = await measureSharing(3, 1);
  assert.equal(await measureSql(slots, 1, await emptyFolder(t)), undefined);
});

test("the commands refuse what they do not understand with exit status 2, before anything is measured", () => {
  for (const [name, ...args] of [
    ["year", "--points", "0"],
    ["year", "--days", "x"],
    ["services", "--slots", "0"],
  ] as const) {
    const bench = fileURLToPath(new URL(`../../../tools/lab/bench/${name}.ts`, import.meta.url));
    const { status, stderr } = spawnSync(process.execPath, ["--import", "tsx", bench, ...args], { encoding: "utf8" });
    assert.equal(status, 2, args.join(" "));
    assert.match(stderr, /error: /);
  }
});
