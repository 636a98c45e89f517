// Tests that the checks notice each mutant of a list: in the seed that the table has for it, or in one of a few others where changed
// code has its runs go otherwise. What outlives those all is looked for outside the suite.

import assert from "node:assert/strict";
import { test } from "node:test";
import { invariantOf } from "../../../../tools/lab/simulation/checks/violation.js";
import { catches } from "../../../../tools/lab/simulation/mutants/catches.js";
import type { Mutant } from "../../../../tools/lab/simulation/mutants/mutant.js";
import { createTrial } from "../../../../tools/lab/simulation/mutants/trial.js";

const OTHER_SEEDS = 6;

/** A test for each of the mutants that the table has. */
export function catchEach(mutants: readonly Mutant[]): void {
  for (const mutant of mutants) {
    const known = catches[mutant.name];
    if (known === undefined) continue;
    test(`notices a cluster whose nodes lack the rule: ${mutant.lacks}`, async (t) => {
      const judge = await createTrial(mutant, "as-far");
      const others = Array.from({ length: OTHER_SEEDS }, (_, place) => place + 1);
      for (const seed of [known.seed, ...others.filter((other) => other !== known.seed)]) {
        const verdict = await judge(seed);
        if (verdict.type === "survives") continue;
        assert.equal(verdict.type, "caught", `seed ${seed} fails with the rule, too: ${verdict.error.message}`);
        assert.match(invariantOf(verdict.error) ?? String(verdict.error), known.by);
        if (seed !== known.seed) t.diagnostic(`${mutant.name} is caught by seed ${seed}, and no more by ${known.seed}`);
        return;
      }
      assert.fail(`${mutant.name} outlives its seeds: npm run simulate -- --catches looks for another`);
    });
  }
}
