import assert from "node:assert/strict";
import { test } from "node:test";
import { runCluster } from "../../tools/simulation/cluster.js";
import { mutants } from "../../tools/simulation/mutants.js";
import { optionsOf } from "../../tools/simulation/options.js";
import { Violation } from "../../tools/simulation/violation.js";

const SEEDS_MAX = 60;

/** What notices a node that lacks the rule, in the first of the seeds that does. */
const caughtBy: Readonly<Record<string, RegExp>> = {
  "sends-before-durable": /^I4/,
  "puback-before-durable": /^I4/,
  "acknowledges-before-durable": /^I4/,
  "receipt-before-durable": /^I13/,
  "loses-record": /^I4/,
  "forgets-votes": /^I3|^I4|^I5/,
  "rebuilds-proposal": /^I3/,
  "forgets-batches": /^I3|^I9/,
  "skips-duplicate-check": /^I7|^I14/,
  "no-catch-up": /^I9/,
  "never-resends": /^I9/,
  "no-timeouts": /^I9/,
};

for (const [name, invariant] of Object.entries(caughtBy)) {
  const mutant = mutants.find((candidate) => candidate.name === name)!;
  test(`notices a cluster whose nodes lack the rule: ${mutant.lacks}`, async () => {
    for (let seed = 1; seed <= SEEDS_MAX; seed += 1) {
      try {
        await runCluster({ ...optionsOf(seed), ...mutant.needs }, mutant);
      } catch (error) {
        assert.ok(error instanceof Violation, String(error));
        assert.match(error.invariant, invariant);
        return;
      }
    }
    assert.fail(`${name} survives ${SEEDS_MAX} seeds`);
  });
}
