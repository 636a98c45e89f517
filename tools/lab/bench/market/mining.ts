// What studies cost: readings of so many meters as tables, then each kind of study over them. The tables stand for those that an export
// has verified: `npm run bench:history` measures what verifying a chain costs.

import { join } from "node:path";
import { columns, type Row } from "../../../analytics/columns.js";
import { digestOf, FORMAT, type Manifest } from "../../../analytics/manifest.js";
import { createParts } from "../../../analytics/parts.js";
import { runStudy } from "../../../analytics/study.js";
import { type StudyFields, termsFrom } from "../../../analytics/terms.js";
import { secondText } from "../../../terminal/output.js";
import { energiesAt, SLOT_S } from "./homes.js";
import { pointOf } from "./metered.js";

const SERVICE = 1;
const WH = 30;
const MILLI = -3;
const SLOTS_A_DAY = 96;
/** 2026-06-01T00:00:00Z */
const BEGIN_S = 1_780_272_000;
const kinds = ["load-curve", "day-shapes", "anomalies", "forecast", "quality"] as const;

export interface MiningMeasurement {
  readonly meters: number;
  readonly slots: number;
  /** rows of the tables, written a second, and their bytes each */
  readonly rows_per_s: number;
  readonly row_bytes: number;
  /** meters' slots a second, by kind, with reading the tables */
  readonly slots_per_s: readonly (readonly [kind: string, per_s: number])[];
}

export async function measureMining(meters: number, days: number, folder: string): Promise<MiningMeasurement> {
  const tables = join(folder, "tables");
  const begin_ms = performance.now();
  const { files, rows } = writeTables(tables, meters, days);
  const written_s = (performance.now() - begin_ms) / 1_000;
  const slots = days * SLOTS_A_DAY;
  const hash = "00".repeat(32);
  const chain = { service: SERVICE, name: "trading", from: 1, to: slots + 1, header: hash };
  const manifest: Manifest = {
    ...{ format: FORMAT, network: "bench", genesis: hash, columns, files },
    chains: [{ ...chain, records: meters * (slots + 1), meters, rows, hidden: 0, beyond: 0 }],
  };
  const [from, to] = [BEGIN_S, BEGIN_S + slots * SLOT_S].map(secondText);
  const slots_per_s: [string, number][] = [];
  for (const kind of kinds) {
    const fields: StudyFields = { kind, service: SERVICE, from, to, least: meters };
    const study_ms = performance.now();
    await runStudy({ folder: tables, manifest }, termsFrom(fields, kind));
    slots_per_s.push([kind, (meters * slots) / ((performance.now() - study_ms) / 1_000)]);
  }
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return { meters, slots, rows_per_s: rows / written_s, row_bytes: bytes / rows, slots_per_s };
}

function writeTables(
  folder: string,
  meters: number,
  days: number,
): Pick<Manifest, "files"> & { readonly rows: number } {
  const parts = createParts(folder, ["parquet"]);
  const counters = Array.from({ length: meters }, () => ({ taken: 0n, given: 0n }));
  let rows = 0;
  for (let slot = 0; slot <= days * SLOTS_A_DAY; slot += 1) {
    const time_s = BEGIN_S + slot * SLOT_S;
    const energies = energiesAt(meters, time_s - SLOT_S);
    for (const [meter, counter] of counters.entries()) {
      counter.taken += BigInt(energies[meter]!.taken);
      counter.given += BigInt(energies[meter]!.given);
      const of = { height: slot + 1, leaf: meter + 1, record: digestOf(`${meter}/${slot}`) };
      const reading = {
        ...of,
        meter: pointOf(meter),
        number: slot,
        time_s,
        quality: 2,
        hidden: 0,
        scaler: MILLI,
        unit: "Wh",
        unit_code: WH,
        age_s: null,
      };
      const registers: Row[] = [
        { ...reading, obis: "1-0:1.8.0*255", value: counter.taken },
        { ...reading, obis: "1-0:2.8.0*255", value: counter.given },
      ];
      for (const row of registers) parts.add(SERVICE, row);
      rows += registers.length;
    }
  }
  return { files: parts.finish(), rows };
}
