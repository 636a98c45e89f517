// Runs plans of contracts in this thread, each once: the nodes of a simulation ask for the same ones. Whoever checks lets a share of
// them run again.

import { toHex } from "../../../../src/wire/bytes.js";
import { encodeCbor } from "../../../../src/wire/cbor.js";
import { sha256 } from "../../../../src/wire/hash.js";
import { valueToCbor } from "../../../../src/wire/value.js";
import { BoundedMap } from "../../../bounded-map.js";
import { createEngine, type Engine } from "../../../contracts/engine.js";
import { runPlan } from "../../../contracts/run-plan.js";
import type { RunResult } from "../../../ledger/outcome.js";
import type { RunPlan } from "../../../ledger/run-plan.js";
import { readEngine } from "../../../node/contracts/sandbox.js";

export interface PlanRunner {
  /** The outcomes of a plan that has run before; undefined where it has not, or was asked for long ago. */
  known(plan: RunPlan): readonly RunResult[] | undefined;
  /** Runs it, and keeps what it comes to. */
  run(plan: RunPlan): Promise<readonly RunResult[]>;
}

const KEPT = 1_024;

let engine: Promise<Engine> | undefined;

export function createPlanRunner(): PlanRunner {
  const outcomes = new BoundedMap<string, readonly RunResult[]>(KEPT);
  return {
    known: (plan) => outcomes.get(nameOf(plan)),
    async run(plan) {
      engine ??= readEngine().then(createEngine);
      const made = await runPlan(await engine, plan);
      outcomes.set(nameOf(plan), made);
      return made;
    },
  };
}

/** All that the outcomes of a plan depend on, hashed. */
export function nameOf({ height, time_s, contracts, calls, state }: RunPlan): string {
  const planned = contracts.map(({ name, source, limits, taken }) => [
    ...[name, source, limits.budget, limits.pages, limits.output, [...taken]],
  ]);
  const called = calls.map(({ contract, entry, argument, parameters, hops }) => [
    ...[contract, entry, hops],
    ...[valueToCbor(argument), valueToCbor(parameters)],
  ]);
  return toHex(sha256(encodeCbor([height, time_s, planned, called, state.root])));
}
