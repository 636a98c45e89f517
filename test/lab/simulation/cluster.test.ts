import assert from "node:assert/strict";
import { test } from "node:test";
import { type ClusterReport, runCluster } from "../../../tools/lab/simulation/cluster.js";
import { starvings } from "../../../tools/lab/simulation/faults/liar.js";
import { lapsed, misrunning, picked, starved, toiling } from "../../../tools/lab/simulation/mutants/ordeals.js";
import { optionsOf } from "../../../tools/lab/simulation/options.js";

const SEEDS = 80;
/** Beyond these the seeds that once found a bug: TRACK_RECORD.md names them. */
const found = [173, 310, 3025];
/** What runs have come to, which no test makes again. */
const known = new Map<number, ClusterReport>();
const reportOf = async (seed: number): Promise<ClusterReport> => {
  const report = known.get(seed) ?? (await runCluster(optionsOf(seed)));
  known.set(seed, report);
  return report;
};

test(`${SEEDS} clusters under faults keep every invariant and seal everything once they heal`, async () => {
  const reports: ClusterReport[] = [];
  for (const seed of [...Array.from({ length: SEEDS }, (_, index) => index + 1), ...found]) {
    try {
      reports.push(await reportOf(seed));
    } catch (error) {
      throw new Error(`seed ${seed}: npm run simulate -- --seed ${seed} --trace`, { cause: error });
    }
  }
  const total = (of: (report: ClusterReport) => number) => reports.reduce((sum, report) => sum + of(report), 0);
  // That faults happened and were lived through.
  assert.ok(total(({ blocks }) => blocks) > 5 * SEEDS);
  assert.ok(total(({ records }) => records) > 10 * SEEDS);
  assert.ok(total(({ receipts }) => receipts) > 2 * SEEDS);
  assert.ok(total(({ roundChanges }) => roundChanges) > SEEDS / 2);
  assert.ok(total(({ restarts }) => restarts) > 2 * SEEDS);
  assert.ok(total(({ crashesInCalls }) => crashesInCalls) > SEEDS / 2);
  assert.ok(total(({ partitions }) => partitions) > SEEDS);
  assert.ok(total(({ linksHealed }) => linksHealed) > SEEDS);
  assert.ok(total(({ framesLost }) => framesLost) > 20 * SEEDS);
  const rare = [
    "operations",
    "catchUps",
    "consensusRecordsLost",
    "rowsDamaged",
    "disksRepaired",
    "disksFull",
    "equivocations",
    "meterViolations",
    "standstills",
    "hiddenSealed",
    "disclosuresServed",
    "sharesDivided",
  ] as const;
  const ordered = ["ordersSealed", "ordersRefused", "memberChanges", "metersRuled", "accused"] as const;
  for (const name of [...rare, ...ordered]) {
    assert.ok(total((report) => report[name]) > 0, name);
  }
});

test("contracts that come and go under faults keep every invariant: slow threads, lost ones, members that lie about outcomes", async () => {
  const reports: ClusterReport[] = [];
  for (let seed = 1; seed <= 12; seed += 1) {
    const more = {
      governed: true,
      contracts: 8,
      engineFaults: 0.2,
      slowEngine_ms: 1_500,
      meters: 4,
      recordsPerMeter: 20,
    };
    const lies = seed % 2 === 0 ? misrunning : {};
    reports.push(await runCluster({ ...optionsOf(seed), ...lies, ...more }));
  }
  const total = (of: (report: ClusterReport) => number) => reports.reduce((sum, report) => sum + of(report), 0);
  const counted = ["contractsOrdered", "runsSealed", "runsFailed", "operationsExpired", "effectsSealed"] as const;
  for (const name of [...counted, "engineFaults", "misrun", "deadlines"] as const) {
    assert.ok(total((report) => report[name]) > 0, name);
  }
});

test("credentials that end and are prolonged under faults keep every invariant, and all is sealed in the end", async () => {
  const reports: ClusterReport[] = [];
  for (let seed = 1; seed <= 8; seed += 1) {
    const more = { lapses: true, meters: 4, recordsPerMeter: 20 };
    reports.push(await runCluster({ ...optionsOf(seed), ...(seed % 2 === 0 ? lapsed : {}), ...more }));
  }
  assert.ok(reports.reduce((sum, { credentialsProlonged }) => sum + credentialsProlonged, 0) > reports.length / 2);
});

test("on machines that take 1.2 s for each call a chain goes on with smaller shares of its blocks", async () => {
  const reports: ClusterReport[] = [];
  for (const seed of [3, 5]) reports.push(await runCluster({ ...optionsOf(seed), ...toiling }));
  assert.ok(reports.every(({ runsSealed }) => runsSealed > 10));
});

test("an agent whose first broker, or whose only one, lies is named for no gap and has all its receipts", async () => {
  let forged = 0;
  for (const [index, starving] of starvings.entries()) {
    let lies = 0;
    // In one run alone it may have nothing to lie about.
    for (const seed of [1, 11, 21]) {
      const report = await runCluster({ ...optionsOf(index + seed), ...picked, starving });
      lies += report.refusalsForged + report.recordsKeptBack;
      forged += report.refusalsForged;
    }
    assert.ok(lies > 0, starving);
  }
  assert.ok(forged > 0);
  const { blocks, records } = await runCluster({ ...optionsOf(1), ...starved });
  assert.ok(blocks > 0 && records === starved.recordsPerMeter);
});

test("the same seed gives the same run, whatever else the process did before", async () => {
  for (const seed of [2, 11, 19, 40, 221]) {
    const first = await reportOf(seed);
    await runCluster(optionsOf(seed + 1));
    assert.deepEqual(await runCluster(optionsOf(seed)), first);
  }
});

test("different seeds give different runs", async () => {
  const hashes = new Set<number>();
  for (let seed = 1; seed <= 8; seed += 1) hashes.add((await reportOf(seed)).traceHash);
  assert.equal(hashes.size, 8);
});
