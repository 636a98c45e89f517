// What the runs of a sealed block come to when they are made again, beside what the block has sealed of each; with their calls, where
// somebody wants to look on.

import { equalBytes } from "../../src/wire/bytes.js";
import type { EntryOutcome } from "../../src/wire/outcome.js";
import type { Outcome, RunResult } from "../ledger/outcome.js";
import type { RunPlan } from "../ledger/run-plan.js";
import type { Engine, GuestCall } from "./engine.js";
import { runPlan } from "./run-plan.js";

/** A run as it came to something here. */
export interface ReplayedRun {
  readonly contract: string;
  /** the kind of what it ran for */
  readonly entry: string;
  readonly outcome: Outcome;
  readonly calls: readonly GuestCall[];
}

/** What a plan came to, with the calls of each of its runs. */
export interface RanPlan {
  readonly outcomes: readonly RunResult[];
  readonly calls: readonly (readonly GuestCall[] | undefined)[];
}

/** In this thread, which its calls can be told to. */
export async function runTraced(engine: Engine, plan: RunPlan): Promise<RanPlan> {
  const calls: GuestCall[][] = [];
  const outcomes = await runPlan(engine, plan, (index, call) => {
    const own = calls[index] ?? [];
    own.push(call);
    calls[index] = own;
  });
  return { outcomes, calls };
}

/** The runs of a block; those that it has postponed are in a later one. */
export function replayedRuns(plan: RunPlan, { outcomes, calls }: RanPlan): ReplayedRun[] {
  return plan.calls.flatMap(({ contract, entry }, index): ReplayedRun[] => {
    const outcome = outcomes[index]!;
    if (outcome.type === "postponed") return [];
    return [{ contract: plan.contracts[contract]!.name, entry, outcome, calls: calls[index] ?? [] }];
  });
}

/** A run beside what is sealed of it. */
export interface HeldRun extends ReplayedRun {
  /** undefined where nothing is */
  readonly sealed: EntryOutcome | undefined;
  readonly isSame: boolean;
}

/** `outcomes` as the block has sealed them. */
export function heldRuns(outcomes: readonly EntryOutcome[], runs: readonly ReplayedRun[]): HeldRun[] {
  const ran = outcomes.filter((outcome) => "contract" in outcome);
  return runs.map((run, index) => {
    const sealed = ran[index];
    return { ...run, sealed, isSame: sealed !== undefined && isAsSealed(sealed, run) };
  });
}

/** What a run that has not failed is called in results. */
export function kindOf(outcome: Outcome): "done" | "denied" {
  return outcome.type === "done" && outcome.emissions.some(({ type }) => type === "denial") ? "denied" : "done";
}

/** As far as a sealed outcome goes; violations and what is written are in the audit's verdict. */
export function isAsSealed(
  sealed: EntryOutcome,
  { contract, outcome }: Pick<ReplayedRun, "contract" | "outcome">,
): boolean {
  if (!("contract" in sealed) || sealed.contract !== contract || sealed.used !== outcome.used) return false;
  if (outcome.type === "failed") return sealed.type === "failed" && sealed.reason === outcome.reason;
  if (sealed.type === "failed" || sealed.type !== kindOf(outcome)) return false;
  const effects = outcome.emissions.filter(({ type }) => type === "effect" || type === "message");
  const denials = outcome.emissions.filter(({ type }) => type === "denial");
  const ofSealed = sealed.type === "denied" ? sealed.denials.map(({ rule, body }) => ({ name: rule, body })) : [];
  return areSame(effects, sealed.effects) && areSame(denials, ofSealed);
}

interface Said {
  readonly name: string;
  readonly body: Uint8Array;
}

function areSame(ones: readonly Said[], others: readonly Said[]): boolean {
  const isSame = ({ name, body }: Said, other: Said) => name === other.name && equalBytes(body, other.body);
  return ones.length === others.length && ones.every((one, index) => isSame(one, others[index]!));
}
