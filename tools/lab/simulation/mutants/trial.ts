// Whether a seed catches a mutant: the run fails that lacks the rule. Once for each mutant the same seed is run with the rule, and
// passes: what fails anyway shows nothing.

import { reasonOf } from "../../../errors.js";
import { runCluster } from "../cluster.js";
import { type ClusterOptions, optionsOf } from "../options.js";
import type { Mutant } from "./mutant.js";
import { runnerWith } from "./runner.js";

/** `unfit`: the run fails with the rule, too. */
export type Verdict =
  | { readonly type: "survives" }
  | { readonly type: "caught"; readonly error: Error }
  | { readonly type: "unfit"; readonly error: Error };

/** Tries one seed after another. Rejects where the mutant's edits do not fit the sources. */
export async function createTrial(mutant: Mutant): Promise<(seed: number) => Promise<Verdict>> {
  const run = mutant.edits === undefined ? runCluster : await runnerWith(mutant.edits);
  let isFit = false;
  return async (seed) => {
    const options = { ...optionsOf(seed), ...mutant.needs };
    const error = await failureOf(() => run(options, mutant));
    if (error === undefined) return { type: "survives" };
    const other = isFit ? undefined : await failureWithRules(options);
    if (other !== undefined) return { type: "unfit", error: other };
    isFit = true;
    return { type: "caught", error };
  };
}

/** Runs that nothing was taken away from, by their options: mutants of one ordeal share them. */
const withRules = new Map<string, Promise<Error | undefined>>();

function failureWithRules(options: ClusterOptions): Promise<Error | undefined> {
  const name = JSON.stringify(options);
  const known = withRules.get(name) ?? failureOf(() => runCluster(options));
  withRules.set(name, known);
  return known;
}

async function failureOf(run: () => Promise<unknown>): Promise<Error | undefined> {
  try {
    await run();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(reasonOf(error));
  }
}
