// SQL over an export, where DuckDB is at hand: tables of groups alone, files and settings locked off, whole numbers out.

import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { runQuery } from "../../tools/analytics/sql.js";
import { resultHash } from "../../tools/analytics/study.js";
import { type StudyFields, termsFrom } from "../../tools/analytics/terms.js";
import { exported, FROM_S, householdChain } from "./tables.js";

const name = "@duckdb/node-api";
const isThere = await import(name).then(
  () => true,
  () => false,
);
const skip = isThere ? false : `${name} is absent`;
const time = (time_s: number) => new Date(time_s * 1_000).toISOString().replace(".000Z", "Z");
const fields: StudyFields = {
  ...{ kind: "sql", service: 1, from: time(FROM_S), to: time(FROM_S + 3_600), least: 2 },
};
const terms = (sql: string, more: StudyFields = {}) => termsFrom({ ...fields, sql, ...more }, "a test");
const { chain } = householdChain([{ taken: [100, 50, 20, 30] }, { taken: [10, 10] }]);

test("a query of SQL without DuckDB says what to install", { skip: isThere ? "it is there" : false }, async (t) => {
  const of = await exported(t, chain);
  await assert.rejects(runQuery(of, terms("SELECT 1")), { code: "DUCKDB_MISSING" });
});

test("a query sees sums of groups that are large enough, and no readings", { skip }, async (t) => {
  const of = await exported(t, chain);
  const result = await runQuery(of, terms("SELECT start_s, members, taken_mWh FROM totals ORDER BY start_s"));
  assert.deepEqual(result.figures, {
    columns: ["start_s", "members", "taken_mWh"],
    rows: [
      [BigInt(FROM_S), 2n, 110_000n],
      [BigInt(FROM_S + 900), 2n, 60_000n],
    ],
  });
  assert.match(result.engine, /^duckdb\//);
  await assert.rejects(runQuery(of, terms("SELECT * FROM readings")), { code: "QUERY_REFUSED" });
  const again = await runQuery(of, terms("SELECT start_s, members, taken_mWh FROM totals ORDER BY start_s"));
  assert.equal(resultHash(again), resultHash(result));
});

test("who may see members has the readings", { skip }, async (t) => {
  const of = await exported(t, chain);
  const sql = "SELECT count(*) AS n, count(DISTINCT meter) AS meters FROM readings";
  const { figures } = await runQuery(of, terms(sql, { audience: "members" }));
  assert.deepEqual(figures.rows, [[7n, 2n]]);
});

test("files, settings and extensions are locked off", { skip }, async (t) => {
  const of = await exported(t, chain);
  const place = (name: string) => `'${join(tmpdir(), name)}'`;
  for (const sql of [
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_text('/etc/passwd')",
    `COPY totals TO ${place("gridseal-stolen.csv")}`,
    `ATTACH ${place("gridseal-other.db")}`,
    "SET enable_external_access=true",
    "SET lock_configuration=false",
    "INSTALL httpfs",
    "LOAD httpfs",
    `EXPORT DATABASE ${place("gridseal-stolen")}`,
  ]) {
    await assert.rejects(runQuery(of, terms(sql)), { code: "QUERY_REFUSED" }, sql);
  }
});

test("fractions, endless rows and broken queries are refused", { skip }, async (t) => {
  const of = await exported(t, chain);
  for (const sql of ["SELECT avg(taken_mWh) FROM totals", "SELECT * FROM range(20000)", "SELEC 1"]) {
    await assert.rejects(runQuery(of, terms(sql)), { code: "QUERY_REFUSED" }, sql);
  }
});
