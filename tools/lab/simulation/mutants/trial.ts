// Whether a seed catches a mutant: the run fails that lacks the rule. Once for each mutant the same seed is run with the rule, and
// passes: what fails anyway shows nothing. It need not go further than to the moment at which the other has failed.

import { reasonOf } from "../../../errors.js";
import { violatedAt_ms } from "../checks/violation.js";
import { runCluster, runClusterUntil } from "../cluster.js";
import { type ClusterOptions, optionsOf } from "../options.js";
import type { Mutant } from "./mutant.js";
import { runnerWith } from "./runner.js";

/** `unfit`: the run fails with the rule, too. */
export type Verdict =
  | { readonly type: "survives" }
  | { readonly type: "caught"; readonly error: Error }
  | { readonly type: "unfit"; readonly error: Error };

/** How far a seed is run with the rule: to its end, or to where it has failed without. */
export type WithRule = "to-its-end" | "as-far";

/** Tries one seed after another. Rejects where the mutant's edits do not fit the sources. */
export async function createTrial(mutant: Mutant, withRule: WithRule): Promise<(seed: number) => Promise<Verdict>> {
  const run = mutant.edits === undefined ? runCluster : await runnerWith(mutant.edits);
  let isFit = false;
  return async (seed) => {
    const options = { ...optionsOf(seed), ...mutant.needs };
    const error = await failureOf(() => run(options, mutant));
    if (error === undefined) return { type: "survives" };
    const until_ms = withRule === "as-far" ? violatedAt_ms(error) : undefined;
    const other = isFit ? undefined : await failureWithRules(options, until_ms);
    if (other !== undefined) return { type: "unfit", error: other };
    isFit = true;
    return { type: "caught", error };
  };
}

interface RunWithRules {
  /** of virtual time; its end where undefined */
  readonly until_ms: number | undefined;
  readonly failure: Promise<Error | undefined>;
}

/** Runs that nothing was taken away from, by their options: mutants of one ordeal share them. */
const withRules = new Map<string, RunWithRules>();

function failureWithRules(options: ClusterOptions, until_ms: number | undefined): Promise<Error | undefined> {
  const name = JSON.stringify(options);
  const known = withRules.get(name);
  if (known !== undefined && (known.until_ms ?? Number.POSITIVE_INFINITY) >= (until_ms ?? Number.POSITIVE_INFINITY)) {
    return known.failure;
  }
  const run = () => (until_ms === undefined ? runCluster(options) : runClusterUntil(options, until_ms));
  const failure = failureOf(run);
  withRules.set(name, { until_ms, failure });
  return failure;
}

async function failureOf(run: () => Promise<unknown>): Promise<Error | undefined> {
  try {
    await run();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(reasonOf(error));
  }
}
