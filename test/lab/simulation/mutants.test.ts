import assert from "node:assert/strict";
import { test } from "node:test";
import { invariantOf } from "../../../tools/lab/simulation/checks/violation.js";
import { mutants } from "../../../tools/lab/simulation/mutants/mutants.js";
import { runnerWith } from "../../../tools/lab/simulation/mutants/runner.js";
import { createTrial } from "../../../tools/lab/simulation/mutants/trial.js";

const SEEDS_MAX = 40;

/** What notices a node that lacks the rule, in the seed that does. */
const caughtBy: Readonly<Record<string, RegExp>> = {
  "sends-before-durable": /^I4/,
  "puback-before-durable": /^I4/,
  "acknowledges-before-durable": /^I4/,
  "receipt-before-durable": /^I13/,
  "loses-record": /^I4/,
  "forgets-votes": /^I3|^I4|^I5/,
  "rebuilds-proposal": /^I3/,
  "votes-without-record": /^I3|^I4/,
  "vouches-for-anything": /^I3/,
  "regains-unvouched": /^I3/,
  "never-vouches": /^I9/,
  "remembers-loss-for-ever": /^I9/,
  "forgets-batches": /^I3|^I9/,
  "skips-duplicate-check": /^I7|^I14/,
  "no-catch-up": /^I9/,
  "never-resends": /^I9/,
  "no-heartbeat": /^I9/,
  "no-timeouts": /^I9|^I24/,
  "ignores-lock": /^I5/,
  "quorum-of-votes-less-one": /^I6/,
  "counts-vote-twice": /^I6/,
  "trusts-kept-votes": /^I6/,
  "trusts-decisions": /^I6/,
  "follows-one-member": /^I6/,
  "uncapped-timeouts": /^I9/,
  "seals-empty-blocks": /^I8/,
  "proposes-oldest": /^I9/,
  "believes-evidence": /^I11/,
  "counts-removed-votes": /^I6|^I12/,
  "keeps-first-members": /^I/,
  "ignores-effective-height": /^I12/,
  "takes-orders-out-of-turn": /^I12/,
  "trusts-orders": /^I12/,
  "skips-suspension": /^I23/,
  "resumes-too-early": /^I23/,
  "never-resumes": /^I9/,
  "ignores-end": /^I23/,
  "ends-all": /^I9/,
  "counts-one-signature": /^I12/,
  "keeps-evidence-to-itself": /^I11/,
  "accuses-without-proof": /^I11/,
  "parked-uncounted": /^I18/,
  "refusal-believed": /^I9/,
  "stays-starved": /^I9/,
  "deferred-unchecked": /^I13/,
  "unproved-kept": /^I9/,
  "no-bound": /^a correct node does not stop by itself/,
  "fatal-judging": /^a correct node does not stop by itself/,
  "half-write": /^I/,
  "waits-for-anchors": /^I16 no chain waits/,
  "one-chain-at-a-time": /^I16 no chain waits/,
  "anchor-unproved": /^I16/,
  "anchor-uncompared": /^I16/,
  "uses-damaged-rows": /^I|^bad input never throws|^a correct node does not stop by itself/,
  "repairs-without-batches": /^I9/,
  "repairs-without-admitted": /^I9/,
  "counts-stored-as-verified": /^I7/,
  "duty-by-who-asks": /^I7/,
  "no-take-over": /^I9|^I25/,
  "no-disproof": /^I24/,
  "disproof-without-record": /^I24/,
  "never-verifies-later": /^I25/,
  "repeats-free": /^I21/,
  "holds-all-repeats": /^I17/,
  "reports-evidence-twice": /^I11/,
  "votes-as-follower": /^I12/,
  "hands-over-to-former-members": /^I13 handovers/,
  "judges-by-first-members": /^I13 handovers/,
  "keeps-what-failed": /^I28/,
  "tells-effects-backwards": /^I29/,
  "believes-state-root": /^I13|^I15/,
  "charges-no-run": /^I27/,
  "fails-what-has-no-room": /^I34/,
  "takes-any-engine": /^I12/,
  "installs-untried": /^I12/,
  "believes-tried": /^I12/,
  "runs-what-expired": /^I26/,
  "runs-what-is-retired": /^I26/,
  "mixes-jurisdictions": /^I29/,
  "takes-fault-for-failure": /^I14/,
  "adopts-without-state": /^I9|^I14/,
  "takes-messages-twice": /^I32/,
  "takes-messages-out-of-turn": /^I32/,
  "due-before-its-time": /^I33/,
  "due-again-and-again": /^I/,
};

/** The seed that noticed it when last looked for, where that was not the first: it is tried before all others. */
const noticedBy: Readonly<Record<string, number>> = {
  "forgets-votes": 2,
  "rebuilds-proposal": 2,
  "regains-unvouched": 2,
  "forgets-batches": 2,
  "no-heartbeat": 2,
  "trusts-decisions": 2,
  "seals-empty-blocks": 5,
  "proposes-oldest": 2,
  "counts-removed-votes": 6,
  "ignores-effective-height": 5,
  "trusts-orders": 4,
  "skips-suspension": 2,
  "resumes-too-early": 2,
  "ends-all": 2,
  "accuses-without-proof": 3,
  "parked-uncounted": 2,
  "stays-starved": 2,
  "deferred-unchecked": 2,
  "unproved-kept": 2,
  "no-bound": 4,
  "half-write": 4,
  "uses-damaged-rows": 2,
  "repairs-without-batches": 12,
  "disproof-without-record": 4,
  "votes-as-follower": 2,
  "fails-what-has-no-room": 6,
};

for (const [name, invariant] of Object.entries(caughtBy)) {
  const mutant = mutants.find((candidate) => candidate.name === name)!;
  test(`notices a cluster whose nodes lack the rule: ${mutant.lacks}`, async () => {
    const judge = await createTrial(mutant);
    for (let tried = 0; tried <= SEEDS_MAX; tried += 1) {
      const seed = tried === 0 ? (noticedBy[name] ?? 1) : tried;
      const verdict = await judge(seed);
      if (verdict.type === "survives") continue;
      assert.equal(verdict.type, "caught", `seed ${seed} fails with the rule, too: ${verdict.error.message}`);
      assert.match(invariantOf(verdict.error) ?? String(verdict.error), invariant);
      return;
    }
    assert.fail(`${name} survives ${SEEDS_MAX} seeds`);
  });
}

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
