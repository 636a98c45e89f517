import assert from "node:assert/strict";
import { test } from "node:test";
import { catches } from "../../../../tools/lab/simulation/mutants/catches.js";
import { mutants } from "../../../../tools/lab/simulation/mutants/mutants.js";
import { runnerWith } from "../../../../tools/lab/simulation/mutants/runner.js";
import { createTrial } from "../../../../tools/lab/simulation/mutants/trial.js";

test("the table of seeds names mutants that there are", () => {
  const names = mutants.map(({ name }) => name);
  assert.deepEqual(
    Object.keys(catches).filter((name) => !names.includes(name)),
    [],
  );
});

test("an edit that does not fit the sources is an error, not a mutant that survives", async () => {
  const edits = [{ file: "tools/consensus/rules.ts", replaced: [["no such text", ""]] as const }];
  await assert.rejects(runnerWith(edits), /stands there 0 times, not once: no such text/);
});

test("a seed that fails with the rule, too, catches no mutant", async () => {
  const hopeless = { renewed: 1, members: 4, fault: "byzantine", faulty: 1, behaviours: ["mute"] } as const;
  const judge = await createTrial({ name: "none", lacks: "nothing", needs: hopeless });
  const verdicts = [];
  for (let seed = 1; seed <= 3; seed += 1) verdicts.push((await judge(seed)).type);
  assert.ok(verdicts.includes("unfit"), verdicts.join());
  assert.ok(!verdicts.includes("caught"), verdicts.join());
});
