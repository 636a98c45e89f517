// What a settlement costs, alone on one core: a reading with it and without, and the close of a slot of many points.

import { fileURLToPath } from "node:url";
import type { Genesis } from "../../../src/wire/genesis.js";
import { keyId, type Signer } from "../../../src/wire/key.js";
import { parseRecord, signRecord } from "../../../src/wire/record.js";
import { defaultLimits } from "../../contracts/limits.js";
import { nodeVerify, signerFromSeed } from "../../crypto/signatures.js";
import { assertInvariant } from "../../errors.js";
import { execute } from "../../ledger/execution.js";
import { initialGovernance } from "../../ledger/governance.js";
import { MemoryState } from "../../ledger/memory-state.js";
import { atOnce } from "../../ledger/pieces.js";
import { type ExecutionRecord, readSignedRecords } from "../../ledger/record-scan.js";
import { kindShare, type PlannedCall, type RunPlan } from "../../ledger/run-plan.js";
import { MemorySettlement } from "../../ledger/settlement/memory-settlement.js";
import {
  type ClosedSlot,
  closeSlots,
  restingSettlement,
  SHOWN_ROWS_MAX,
  SLOT_RUNS_MAX,
  takeReadings,
} from "../../ledger/settlement/settle.js";
import { emptyMeterState, encodeMeterState } from "../../ledger/state.js";
import { counters, slots } from "../../node/chain/tables/settlement.js";
import { encodeRow } from "../../node/store/table.js";
import { bundleContract } from "../../provisioning/contracts/bundle.js";
import { createPlanRunner } from "../rig/contracts/runner.js";

const METERING = fileURLToPath(new URL("../../market/metering/metering.ts", import.meta.url));
const SLOT_S = 900;
const OPEN_S = 1_790_000_100;
/** Records of one block. */
const TOGETHER = 1_000;
/** Rounds of readings, of which the first compile what the others run. */
const ROUNDS = 5;
const COLD_ROUNDS = 2;
const SAMPLE = 500;
const plan = { slot_s: SLOT_S, lateness_s: 3_600, gapMax_s: 3_600 };

/** Milliseconds, or microseconds a reading. */
export interface SettlementMeasurement {
  readonly points: number;
  readonly verify_us: number;
  readonly rules_us: number;
  /** what a reading costs more where its chain settles, with the rows that are kept of it */
  readonly settlement_us: number;
  /** the block that closes the slot, without its contracts */
  readonly close_ms: number;
  /** encoding the slot's rows for the store */
  readonly rows_ms: number;
  /** how often `metering` runs for them, and what that takes in all */
  readonly shows: number;
  readonly shown_ms: number;
}

/** As many meters as points, each a point of its own. */
export async function measureSettlement(points: number): Promise<SettlementMeasurement> {
  const signer = signerFromSeed(new Uint8Array(32).fill(1));
  const chain = createSettledChain(keyId(signer.key));
  const recordsAt = (round: number) => readSignedRecords(signedAt(signer, points, round)).map(({ record }) => record);
  const rounds = Array.from({ length: ROUNDS }, (_, round) => recordsAt(round));
  const totals = { rules_ms: 0, settlement_ms: 0 };
  for (const [round, records] of rounds.entries()) {
    for (const block of inBlocks(records)) {
      const sealed = chain.seal(block, timeOf(round));
      if (round < COLD_ROUNDS) continue;
      totals.rules_ms += sealed.rules_ms;
      totals.settlement_ms += sealed.settle_ms + sealed.rows_ms;
    }
  }
  const sample = rounds[0]!.slice(0, SAMPLE).map(({ bytes }) => parseRecord(bytes));
  const verify_ms = taken(() => {
    for (const { signedBytes, signature } of sample) nodeVerify(signer.key, signedBytes, signature);
  });
  const closing = inBlocks(recordsAt(ROUNDS))
    .map((block) => chain.seal(block, OPEN_S + SLOT_S))
    .at(-1)!;
  const [slot] = closing.closed;
  assertInvariant(slot?.rows.length === points, "the slot of all points is closed");
  const rows_ms = taken(() => void encodeRow(slots, { height: 1, rows: slot.rows }));
  const each_us = (ms: number, count: number) => (1_000 * ms) / count;
  const count = (ROUNDS - COLD_ROUNDS) * points;
  return {
    ...{ points, rows_ms, close_ms: closing.settle_ms, ...(await measureShowing(slot)) },
    verify_us: each_us(verify_ms, sample.length),
    rules_us: each_us(totals.rules_ms, count),
    settlement_us: each_us(totals.settlement_ms, count),
  };
}

/** Shows the slot to the metering contract, part by part, in blocks of as many runs as there may be. */
async function measureShowing({ slot, rows }: ClosedSlot): Promise<Pick<SettlementMeasurement, "shows" | "shown_ms">> {
  const { source } = await bundleContract(METERING);
  const runner = createPlanRunner();
  const place = { height: 1, time_s: slot.start_s + SLOT_S };
  const limits = { ...defaultLimits, output: kindShare.output };
  const contracts = [{ name: "metering", source, limits, taken: [] }];
  const run = (calls: RunPlan["calls"]) => runner.run({ ...place, contracts, calls, state: new MemoryState() });
  await run([]); // the engine starts once
  const { start_s, slot_s: length_s, points: count } = slot;
  const calls: PlannedCall[] = [];
  for (let first = 0; first < rows.length; first += SHOWN_ROWS_MAX) {
    const points = rows
      .slice(first, first + SHOWN_ROWS_MAX)
      .map(({ point, imported, exported, quality, doubts }) => [point, imported, exported, quality, doubts]);
    const argument = { start_s, length_s, count, first, points };
    calls.push({ contract: 0, entry: "slot", argument, parameters: {}, hops: 0 });
  }
  const begin = performance.now();
  for (let block = 0; block < calls.length; block += SLOT_RUNS_MAX) {
    const results = await run(calls.slice(block, block + SLOT_RUNS_MAX));
    assertInvariant(
      results.every(({ type }) => type === "done"),
      "metering is shown every part",
    );
  }
  return { shows: calls.length, shown_ms: performance.now() - begin };
}

/** The last readings reach the slot's end. */
function timeOf(round: number): number {
  return OPEN_S + (round * SLOT_S) / ROUNDS;
}

/** A record of each meter, with the registers of a household: two tariffs each way, and power. */
function signedAt(signer: Signer, points: number, round: number): Uint8Array[] {
  return Array.from({ length: points }, (_, meter) => {
    const kid = new Uint8Array(8);
    new DataView(kid.buffer).setUint32(4, meter);
    const counter = (group: number, tariff: number, value: number) => {
      return { obis: Uint8Array.of(1, 0, group, 8, tariff, 255), value, scaler: 0, unit: 30 };
    };
    const registers = [
      ...[counter(1, 1, 1_000 + round * 100), counter(1, 2, 5_000), counter(2, 1, 0), counter(2, 2, 7)],
      { obis: Uint8Array.of(1, 0, 1, 7, 0, 255), value: 300, scaler: 0, unit: 27 },
    ];
    const place = { service: 1, serviceId: 0, seq: round, previous: new Uint8Array(round === 0 ? 0 : 32) };
    return signRecord({ ...place, time_s: timeOf(round), quality: 2, registers }, [], signer, kid);
  });
}

function inBlocks(records: readonly ExecutionRecord[]): ExecutionRecord[][] {
  return Array.from({ length: Math.ceil(records.length / TOGETHER) }, (_, block) =>
    records.slice(block * TOGETHER, (block + 1) * TOGETHER),
  );
}

/** Milliseconds that it takes. */
function taken(work: () => void): number {
  const begin = performance.now();
  work();
  return performance.now() - begin;
}

/** A chain in memory, of whose blocks the rules and the settlement are timed apart. */
function createSettledChain(origin: Uint8Array) {
  const view = new MemorySettlement();
  const meters = new Map<string, typeof emptyMeterState>();
  const governance = initialGovernance({ chains: [], nodes: [] } as unknown as Genesis);
  const chainView = {
    ...{ meter: (kid: string) => meters.get(kid) ?? emptyMeterState, origin: () => undefined, faults: () => [] },
    ...{ sealedHash: () => undefined, credential: () => undefined, state: new MemoryState(), settlement: view },
  };
  let height = 0;
  return {
    seal(records: readonly ExecutionRecord[], time_s: number) {
      height += 1;
      const time_ms = 1_000 * time_s;
      const place = { service: 1, height, governance, judgedAt: 0, time_ms, view: chainView };
      const rules_ms = taken(() => {
        const execution = execute(place, [{ origin, number: height, notices: [], records }]);
        for (const [kid, state] of execution.meters) {
          encodeMeterState(state);
          meters.set(kid, state);
        }
      });
      let settlement = restingSettlement;
      const settling = { height, time_ms, judgedAt: 0, plan, asking: ["metering"], assignments: new Map(), view };
      const settle_ms = taken(() => {
        settlement = atOnce(closeSlots(takeReadings(settling, records)));
      });
      view.apply(settlement);
      const rows_ms = taken(() => {
        for (const row of settlement.counters.values()) encodeRow(counters, row);
      });
      return { rules_ms, settle_ms, rows_ms, closed: settlement.closed };
    },
  };
}
