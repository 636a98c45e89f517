// Tests that the checks notice each mutant of a list, in the seed that the table has for it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { invariantOf } from "../../../../tools/lab/simulation/checks/violation.js";
import { catches } from "../../../../tools/lab/simulation/mutants/catches.js";
import type { Mutant } from "../../../../tools/lab/simulation/mutants/mutant.js";
import { createTrial } from "../../../../tools/lab/simulation/mutants/trial.js";

/** A test for each of the mutants that the table has. */
export function catchEach(mutants: readonly Mutant[]): void {
  for (const mutant of mutants) {
    const known = catches[mutant.name];
    if (known === undefined) continue;
    test(`notices a cluster whose nodes lack the rule: ${mutant.lacks}`, async () => {
      const { name } = mutant;
      const verdict = await (await createTrial(mutant))(known.seed);
      const another = `npm run simulate -- --mutants --only ${name} finds another seed for mutants/catches.ts`;
      assert.notEqual(verdict.type, "survives", `${name} outlives seed ${known.seed}: ${another}`);
      if (verdict.type === "survives") return;
      assert.equal(verdict.type, "caught", `seed ${known.seed} fails with the rule, too: ${verdict.error.message}`);
      assert.match(invariantOf(verdict.error) ?? String(verdict.error), known.by);
    });
  }
}
