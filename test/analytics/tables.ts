// Chains of readings for the tests of exports and studies: households whose counters follow what is stated of each slot.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { toHex } from "../../src/wire/bytes.js";
import { type ExportPlan, exportReadings } from "../../tools/analytics/export.js";
import type { FileForm, Manifest } from "../../tools/analytics/manifest.js";
import type { Export } from "../../tools/analytics/read.js";
import { throwWorst } from "../../tools/cli/chain/audit.js";
import { buildChain, type ChainBuilder, makeMeter, type TestMeter } from "../audit/chain-builder.js";

/** A midnight of UTC. */
export const FROM_S = 1_700_006_400;
const SLOT_S = 900;

/** What a meter takes slot by slot, and gives where it has a counter of that; Wh. */
export interface Household {
  readonly taken: readonly number[];
  readonly given?: readonly number[];
}

export interface Built {
  readonly chain: ChainBuilder;
  /** ids in the order of the households */
  readonly ids: readonly string[];
}

const register = (group: number, value: number) => ({
  ...{ obis: Uint8Array.of(1, 0, group, 8, 0, 255), value, scaler: 0, unit: 30 },
});

/** A reading at each end of a slot, so many slots' readings in a block. */
export function householdChain(households: readonly Household[], slotsInBlock = 8, slot_s = SLOT_S): Built {
  const chain = buildChain();
  const meters = households.map((_, index) => makeMeter(index + 1));
  const sums = households.map(() => [0, 0] as [number, number]);
  const slots = Math.max(...households.map(({ taken }) => taken.length));
  for (let first = 0; first <= slots; first += slotsInBlock) {
    const records: Uint8Array[] = [];
    for (let at = first; at < Math.min(first + slotsInBlock, slots + 1); at += 1) {
      for (const [index, { taken, given }] of households.entries()) {
        const sum = sums[index]!;
        if (at > 0) {
          sum[0] += taken[at - 1] ?? 0;
          sum[1] += given?.[at - 1] ?? 0;
        }
        if (at > taken.length) continue;
        const registers = [register(1, sum[0]), ...(given === undefined ? [] : [register(2, sum[1])])];
        records.push(meters[index]!.record({ time_s: FROM_S + at * slot_s, registers }));
      }
    }
    chain.seal({ records, credentials: first === 0 ? meters.map(({ credential }) => credential) : [] });
  }
  return { chain, ids: meters.map(({ kid }: TestMeter) => toHex(kid)) };
}

export async function emptyFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "gridseal-analytics-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export function planOf(chain: ChainBuilder, out: string, more: Partial<ExportPlan> = {}): ExportPlan {
  async function* blocks(): AsyncGenerator<Uint8Array> {
    yield* chain.blocks;
  }
  const forms: readonly FileForm[] = ["parquet"];
  return {
    ...{ genesis: chain.genesis, services: [1], from: 1, to: 1_000, forms, out, runContracts: undefined },
    open: (service) => (service === 1 ? blocks : undefined),
    judge: (reports) => throwWorst(reports, []),
    ...more,
  };
}

export async function exported(t: TestContext, chain: ChainBuilder, more: Partial<ExportPlan> = {}): Promise<Export> {
  const folder = join(await emptyFolder(t), "tables");
  const manifest: Manifest = await exportReadings(planOf(chain, folder, more));
  return { folder, manifest };
}
