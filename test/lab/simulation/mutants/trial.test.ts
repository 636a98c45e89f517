import assert from "node:assert/strict";
import { test } from "node:test";
import { invariantOf, violatedAt_ms } from "../../../../tools/lab/simulation/checks/violation.js";
import { runCluster, runClusterUntil } from "../../../../tools/lab/simulation/cluster.js";
import { catches } from "../../../../tools/lab/simulation/mutants/catches.js";
import { mutants } from "../../../../tools/lab/simulation/mutants/mutants.js";
import { runnerWith } from "../../../../tools/lab/simulation/mutants/runner.js";
import { createTrial } from "../../../../tools/lab/simulation/mutants/trial.js";
import { optionsOf } from "../../../../tools/lab/simulation/options.js";

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
  for (const withRule of ["to-its-end", "as-far"] as const) {
    const judge = await createTrial({ name: "none", lacks: "nothing", needs: hopeless }, withRule);
    const verdicts = [];
    for (let seed = 1; seed <= 3; seed += 1) verdicts.push((await judge(seed)).type);
    assert.ok(verdicts.includes("unfit"), verdicts.join());
    assert.ok(!verdicts.includes("caught"), verdicts.join());
  }
});

test("a run goes as far as it is to, and no failure behind that is seen", async () => {
  const options = {
    ...optionsOf(1),
    renewed: 1,
    members: 4,
    fault: "byzantine",
    faulty: 1,
    behaviours: ["mute"],
  } as const;
  const failure = await runCluster(options).then(
    () => undefined,
    (error: unknown) => error,
  );
  const at_ms = violatedAt_ms(failure);
  assert.ok(at_ms !== undefined && at_ms > 0, String(failure));
  await runClusterUntil(options, at_ms / 2);
  await assert.rejects(runClusterUntil(options, at_ms), (error) => invariantOf(error) === invariantOf(failure));
});
