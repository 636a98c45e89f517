// The yardstick of sharing: the same shares of the same energies in plain SQL, in DuckDB where it is installed. It signs nothing, proves
// nothing and forgets what was before a correction. What it comes to is held against what the contract says, row by row.

import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { decodeOutput } from "../../../../src/wire/value.js";
import { type DuckDb, loadDuckDb } from "../../../analytics/sql.js";
import { GridsealError } from "../../../errors.js";
import { pointOf } from "./metered.js";
import { communityOf, type SharedSlot } from "./sharing.js";

const YEAR_SLOTS = 35_040;

export interface SqlSharing {
  readonly engine: string;
  /** of the points that were run, by one thread: rows are there already */
  readonly slots_per_s: number;
  /** of its file, a point and year */
  readonly stored_bytes: number;
  /** rows that the contract says otherwise, or that one of them lacks */
  readonly differing: number;
}

/** By the largest remainders, as the contract's `conserving`: first what is offered, then what is left over. */
const SHARES = `
CREATE TABLE shares AS
WITH whole AS (
  SELECT *, sum(taken) OVER slot AS all_taken, sum(given) OVER slot AS all_given FROM energies
  WINDOW slot AS (PARTITION BY start_s, community)),
parted AS (
  SELECT *, CASE WHEN all_taken = 0 THEN 0 ELSE all_given * taken // all_taken END AS part,
    CASE WHEN all_taken = 0 THEN 0 ELSE all_given * taken % all_taken END AS remainder FROM whole),
ordered AS (
  SELECT *, row_number() OVER (PARTITION BY start_s, community ORDER BY remainder DESC, point) AS place,
    CASE WHEN all_taken = 0 THEN 0 ELSE all_given END - sum(part) OVER slot AS spare FROM parted
  WINDOW slot AS (PARTITION BY start_s, community)),
offered AS (SELECT *, part + CASE WHEN place <= spare THEN 1 ELSE 0 END AS offer FROM ordered),
covered AS (SELECT *, least(taken, offer) AS cover FROM offered),
rest AS (
  SELECT *, all_given - sum(cover) OVER slot AS uncovered FROM covered WINDOW slot AS (PARTITION BY start_s, community)),
left_over AS (
  SELECT *, CASE WHEN all_given = 0 THEN 0 ELSE uncovered * given // all_given END AS rest_part,
    CASE WHEN all_given = 0 THEN 0 ELSE uncovered * given % all_given END AS rest_remainder FROM rest),
placed AS (
  SELECT *, row_number() OVER (PARTITION BY start_s, community ORDER BY rest_remainder DESC, point) AS rest_place,
    CASE WHEN all_given = 0 THEN 0 ELSE uncovered END - sum(rest_part) OVER slot AS rest_spare FROM left_over
  WINDOW slot AS (PARTITION BY start_s, community))
SELECT start_s, point, taken::BIGINT AS taken, offer::BIGINT AS offer, cover::BIGINT AS cover, given::BIGINT AS given,
  (rest_part + CASE WHEN rest_place <= rest_spare THEN 1 ELSE 0 END)::BIGINT AS surplus FROM placed`;

/** Undefined where DuckDB is not installed. */
export async function measureSql(
  slots: readonly SharedSlot[],
  communities: number,
  folder: string,
): Promise<SqlSharing | undefined> {
  const duck = await loadDuckDb().catch((cause: unknown) => {
    if (cause instanceof GridsealError && cause.code === "DUCKDB_MISSING") return undefined;
    throw cause;
  });
  if (duck === undefined) return undefined;
  const path = join(folder, "shares.duckdb");
  await rm(path, { force: true });
  const instance = await duck.DuckDBInstance.create(path, { threads: "1" });
  const connection = await instance.connect();
  try {
    await fillEnergies(connection, slots, communities);
    const begin_ms = performance.now();
    await connection.run(SHARES);
    const seconds = (performance.now() - begin_ms) / 1_000;
    const reader = await connection.streamAndReadUntil(
      "SELECT start_s, point, taken, offer, cover, given, surplus FROM shares",
      Number.MAX_SAFE_INTEGER,
    );
    const differing = differingIn(reader.getRows(), slots);
    await connection.run("CHECKPOINT");
    const points = slots[0]!.energies.length;
    const bytes = (await stat(path)).size;
    const stored_bytes = (bytes / points / slots.length) * YEAR_SLOTS;
    return { engine: `DuckDB ${duck.version()}`, slots_per_s: slots.length / seconds, stored_bytes, differing };
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

type Connection = Awaited<ReturnType<Awaited<ReturnType<DuckDb["DuckDBInstance"]["create"]>>["connect"]>>;

async function fillEnergies(connection: Connection, slots: readonly SharedSlot[], communities: number): Promise<void> {
  await connection.run(
    "CREATE TABLE energies (start_s BIGINT, community VARCHAR, point VARCHAR, taken HUGEINT, given HUGEINT)",
  );
  await connection.run("CREATE TEMP TABLE read (start_s BIGINT, community VARCHAR, point VARCHAR, t BIGINT, g BIGINT)");
  const appender = await connection.createAppender("read");
  for (const { start_s, energies } of slots) {
    for (const [home, { taken, given }] of energies.entries()) {
      appender.appendBigInt(BigInt(start_s));
      appender.appendVarchar(communityOf(home, communities));
      appender.appendVarchar(pointOf(home));
      appender.appendBigInt(BigInt(taken));
      appender.appendBigInt(BigInt(given));
      appender.endRow();
    }
    appender.flushSync();
  }
  appender.closeSync();
  await connection.run("INSERT INTO energies SELECT * FROM read");
  await connection.run("DROP TABLE read");
}

interface Effect {
  readonly start: number;
  readonly rows: readonly (readonly [string, ...(number | bigint)[]])[];
}

function differingIn(rows: readonly (readonly unknown[])[], slots: readonly SharedSlot[]): number {
  const said = new Set<string>();
  for (const { said: effects } of slots) {
    for (const { name, body } of effects) {
      if (name !== "shares") continue;
      const { start, rows: shared } = decodeOutput(body) as unknown as Effect;
      for (const row of shared) said.add([start, ...row.slice(0, 6)].join(" "));
    }
  }
  const missing = rows.filter((row) => !said.delete(row.join(" "))).length;
  return missing + said.size;
}
