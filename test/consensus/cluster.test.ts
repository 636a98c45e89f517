import assert from "node:assert/strict";
import { test } from "node:test";
import { faults } from "../../src/wire/quorum.js";
import { Violation } from "./checks.js";
import { type ClusterOptions, type ClusterReport, runCluster } from "./cluster.js";
import type { Mutant } from "./node.js";

const SEEDS = 100;

/** Faults differ by seed: four members mostly, some clusters of seven, three and one; twins in every third. */
function optionsOf(seed: number, mutant: Mutant = "none"): ClusterOptions {
  const members = seed % 4 === 3 ? 7 : seed % 16 === 5 ? 3 : seed % 16 === 9 ? 1 : 4;
  const twins = seed % 3 === 0 ? faults(members) : 0;
  const spare = twins === 0 && members >= 4; // one fault of another kind may happen
  return {
    seed,
    members,
    twins,
    items: 12,
    withdrawals: mutant === "alwaysWorks",
    faults_ms: 20_000,
    loss: [0, 0.05, 0.2, 0.1, 0.1][seed % 5]!,
    crashes: seed % 2 === 0,
    partitions: seed % 5 !== 0,
    damage: spare && seed % 8 === 2,
    clock: spare && seed % 8 === 6,
    mutant,
  };
}

test(`${SEEDS} clusters under faults keep every invariant and seal everything once they heal`, () => {
  const reports: ClusterReport[] = [];
  for (let seed = 0; seed < SEEDS; seed += 1) {
    try {
      reports.push(runCluster(optionsOf(seed)));
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
  }
  const total = (of: (report: ClusterReport) => number) => reports.reduce((sum, report) => sum + of(report), 0);
  // That faults happened: blocks, failed rounds, restarts, partitions, lost messages, equivocations seen.
  assert.ok(total(({ blocks }) => blocks) > 5 * SEEDS);
  assert.ok(total(({ rounds }) => rounds) > SEEDS);
  assert.ok(total(({ restarts }) => restarts) > 2 * SEEDS);
  assert.ok(total(({ partitions }) => partitions) > 2 * SEEDS);
  assert.ok(total(({ lost }) => lost) > 50 * SEEDS);
  assert.ok(total(({ evidence }) => evidence) > SEEDS);
});

test("what a round was begun for may go: the cluster comes to rest, and seals what comes then", () => {
  for (let seed = 0; seed < SEEDS; seed += 1) {
    try {
      runCluster({ ...optionsOf(seed), items: 1 + (seed % 5), withdrawals: true });
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
  }
});

test("the same seed gives the same run", () => {
  for (const seed of [3, 6, 10]) assert.deepEqual(runCluster(optionsOf(seed)), runCluster(optionsOf(seed)));
});

const mutants: readonly { readonly mutant: Mutant; readonly caught: RegExp }[] = [
  { mutant: "forgetsLock", caught: /I5/ },
  { mutant: "forgetsVotes", caught: /I3|invariant does not hold/ },
  { mutant: "rebuildsProposal", caught: /I3|invariant does not hold/ },
  { mutant: "losesRecord", caught: /I4/ },
  { mutant: "sendsBeforeDurable", caught: /I4/ },
  { mutant: "countsTwice", caught: /I6|I11/ },
  { mutant: "neverResends", caught: /I9/ },
  { mutant: "alwaysWorks", caught: /I10/ },
];

for (const { mutant, caught } of mutants) {
  test(`catches a shell that ${mutant.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)}`, () => {
    const thrown = firstThrown(200, (seed) => optionsOf(seed, mutant));
    assert.match(thrown.message, caught);
  });
}

test("sees disagreement where more than f members equivocate", () => {
  const thrown = firstThrown(
    400,
    (seed) => ({ ...optionsOf(seed), members: 4, twins: 2, crashes: false, loss: 0 }),
    /I1/,
  );
  assert.ok(thrown instanceof Violation);
});

/** What the first of the seeds that fails throws. */
function firstThrown(seeds: number, optionsFor: (seed: number) => ClusterOptions, expected = /./): Error {
  for (let seed = 0; seed < seeds; seed += 1) {
    try {
      runCluster(optionsFor(seed));
    } catch (error) {
      if (error instanceof Error && expected.test(error.message)) return error;
    }
  }
  throw new Error("no seed failed");
}
