// What the services cost, as a table: shares of 1,000 and of 10,000 points beside the same shares in plain SQL, and studies.

import { rm } from "node:fs/promises";
import { join } from "node:path";
import { GridsealError } from "../../../errors.js";
import { pairs, table } from "../../../terminal/output.js";
import { type MiningMeasurement, measureMining } from "./mining.js";
import { measureSharing, type SharingMeasurement } from "./sharing.js";
import { measureSql, type SqlSharing } from "./sql-sharing.js";

const SIZES = [1_000, 10_000] as const;
const STUDIED = { meters: 50, days: 28 } as const;
const KB = 1_000;

interface Beside {
  readonly sharing: Omit<SharingMeasurement, "slots">;
  readonly sql: SqlSharing | undefined;
}

export interface ServicesMeasurement {
  readonly sizes: readonly Beside[];
  readonly mining: MiningMeasurement;
}

/** Of so many slots; files are made in `folder` and removed. */
export async function measureServices(
  slots: number,
  folder: string,
  tell: (text: string) => void,
): Promise<ServicesMeasurement> {
  const sizes: Beside[] = [];
  for (const points of SIZES) {
    tell(`sharing among ${points} points`);
    const { slots: shared, ...sharing } = await measureSharing(points, slots);
    tell(`the same in SQL`);
    sizes.push({ sharing, sql: await measureSql(shared, sharing.communities / sharing.chains, folder) });
  }
  tell("running studies");
  const mining = await measureMining(STUDIED.meters, STUDIED.days, folder);
  await Promise.all(
    ["tables", "shares.duckdb"].map((name) => rm(join(folder, name), { recursive: true, force: true })),
  );
  return { sizes, mining };
}

/** Rows of SQL that say something else than the contract. */
export function faultsOf({ sizes }: ServicesMeasurement): number {
  return sizes.reduce((sum, { sql }) => sum + (sql?.differing ?? 0), 0);
}

export function serviceLines({ sizes, mining }: ServicesMeasurement): string[] {
  const heads = ["points", "chains", "slots/s", "operations/s", "readings kB", "shares kB", "kept kB", "by"];
  return [
    "A slot of all points by one core; bytes a point and year, kept: that stay. SQL proves nothing and signs nothing.",
    "",
    ...table(heads, sizes.flatMap(rowsOf)),
    ...(sizes.some(({ sql }) => sql === undefined) ? ["", missing()] : []),
    "",
    ...pairs([
      ["studies: meters, slots of each", `${mining.meters}, ${mining.slots}`],
      ["rows written to tables", `${Math.round(mining.rows_per_s)}/s, ${mining.row_bytes.toFixed(1)} bytes each`],
      ...mining.slots_per_s.map(([kind, per_s]) => [`${kind}: meters' slots`, `${Math.round(per_s)}/s`] as const),
    ]),
  ];
}

function missing(): string {
  const { message, remedy } = new GridsealError("DUCKDB_MISSING", "SQL did not run: DuckDB is not installed");
  return `${message}. ${remedy}`;
}

function rowsOf({ sharing, sql }: Beside): (string | number)[][] {
  const { points, chains, slots_per_s, operations_per_s, readings_bytes, sealed_bytes, kept_bytes } = sharing;
  const own = [readings_bytes, sealed_bytes, kept_bytes].map((bytes) => (bytes / KB).toFixed(1));
  return [
    [points, `${chains}`, slots_per_s.toFixed(2), operations_per_s.toFixed(0), ...own, "the contract"],
    sql === undefined
      ? [points, "-", "-", "-", "-", "-", "-", "SQL: not run"]
      : [
          points,
          "-",
          (sql.slots_per_s / chains).toFixed(2),
          "-",
          "-",
          (sql.stored_bytes / KB).toFixed(1),
          "-",
          said(sql),
        ],
  ];
}

function said({ engine, differing }: SqlSharing): string {
  return `SQL, ${engine}: ${differing === 0 ? "the same rows" : `${differing} rows differ`}`;
}
