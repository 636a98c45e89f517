// What a faulty member says that contracts came to: something else than they did, in any of its parts.

import type { Outcome, RunResult } from "../../../ledger/outcome.js";
import type { Random } from "../../rig/random.js";
import type { Coverage } from "../coverage.js";

/**
 * The outcomes with one of them changed; now and then as they are, or the member would not come along with the chain.
 */
export function misrunning(
  random: Random,
  coverage: Pick<Coverage, "misrun">,
): (honest: readonly RunResult[]) => readonly RunResult[] {
  return (honest) => {
    if (random.chance(0.5)) return honest;
    coverage.misrun += 1;
    const any = random.below(honest.length);
    // Behind what is postponed all of its kind is: what had no room is said to have had it where that begins.
    const chosen = honest[any]!.type === "postponed" ? honest.findIndex(({ type }) => type === "postponed") : any;
    return honest.with(chosen, changed(random, honest[chosen]!));
  };
}

function changed(random: Random, outcome: RunResult): RunResult {
  if (outcome.type === "postponed") return nothing;
  const used = outcome.used + 1;
  if (outcome.type === "failed") return random.pick([{ ...outcome, used }, { ...outcome, reason: "memory" }, nothing]);
  const { writes, emissions } = outcome;
  return random.pick<Outcome>([
    { ...outcome, used },
    { ...outcome, writes: [...writes.slice(1), ["own/~", Uint8Array.of(1)]] },
    { ...outcome, emissions: [...emissions, { type: "effect", name: "told", body: Uint8Array.of(1) }] },
    emissions.length > 1 ? { ...outcome, emissions: emissions.toReversed() } : { ...outcome, used },
    { type: "failed", used: outcome.used, reason: "threw", detail: "" },
  ]);
}

const nothing: Outcome = { type: "done", used: 0, writes: [], emissions: [] };
