// Runs the calls of a plan, one behind the other, each in the state that those before it have left. The runs for one kind of entry
// share what a block has for that kind. At the first that needs more than is left, it and those of its kind behind it are postponed:
// what it did is undone and counts for nothing, so that the block is the same as one that never called for it.
// What a run comes to does not depend on what is left: it has its contract's own limits, and fails by them wherever it stands. Its budget
// alone ends where its kind's does, so that a block takes no longer; then it is postponed, for nobody knows what else it would have done.

import { MESSAGE_HOPS_MAX } from "../../src/wire/bounds.js";
import type { CalledKind } from "../../src/wire/entry.js";
import { assertInvariant } from "../errors.js";
import type { ContractStates } from "../ledger/contract-states.js";
import type { Done, Outcome, RunResult } from "../ledger/outcome.js";
import { BLOCK_CALLS_MAX, kindShare, type PlannedCall, type RunPlan } from "../ledger/run-plan.js";
import type { Engine, GuestCall } from "./engine.js";
import { stateIn, WrittenState } from "./run-state.js";

/** A plan where the state is at hand. */
export interface StatedPlan extends Omit<RunPlan, "state"> {
  readonly state: ContractStates;
}

type Share = { -readonly [Of in keyof typeof kindShare]: number };

/** Is told what the guest of the index-th call of a plan calls. */
export type TracePlan = (index: number, call: GuestCall) => void;

/** A result for each call. Rejects with ENGINE_FAULT where this machine is at fault. */
export async function runPlan(engine: Engine, plan: StatedPlan, trace?: TracePlan): Promise<RunResult[]> {
  const { contracts, calls } = plan;
  assertInvariant(calls.length <= BLOCK_CALLS_MAX, `a block calls contracts at most ${BLOCK_CALLS_MAX} times`);
  const states = contracts.map(({ name, taken }) => {
    const state = new WrittenState(stateIn(plan.state, name));
    for (const key of taken) state.set(key, null);
    return state;
  });
  const shares = new Map<CalledKind, Share>();
  const exhausted = new Set<CalledKind>();
  const results: RunResult[] = [];
  for (const [index, call] of calls.entries()) {
    const left = shares.get(call.entry) ?? { ...kindShare };
    shares.set(call.entry, left);
    const state = states[call.contract]!;
    const place = { state, left, onCall: trace && ((guest: GuestCall) => trace(index, guest)) };
    const result = exhausted.has(call.entry) ? postponed : await runCall(engine, plan, call, place);
    results.push(result);
    if (result.type === "postponed") exhausted.add(call.entry);
    else take(left, state, result);
  }
  return results;
}

const postponed: RunResult = { type: "postponed" };

interface RunPlace {
  readonly state: WrittenState;
  /** of the share of its kind */
  readonly left: Readonly<Share>;
  readonly onCall: ((call: GuestCall) => void) | undefined;
}

async function runCall(
  engine: Engine,
  { contracts, height, time_s }: StatedPlan,
  { contract, entry, argument, parameters, hops }: PlannedCall,
  { state, left, onCall }: RunPlace,
): Promise<RunResult> {
  const { source, limits: own } = contracts[contract]!;
  if (left.budget === 0) return postponed;
  const limits = { ...own, budget: Math.min(own.budget, left.budget) };
  const traced = onCall && { onCall };
  const run = { source, entry, argument, height, time_s, parameters, state, limits, ...traced };
  const ran = withinHops(await engine.run(run), hops);
  return isCrowded(ran, left, own.budget) ? postponed : ran;
}

/** A message that would be one too many in a row fails its run: contracts cannot answer each other without end. */
function withinHops(outcome: Outcome, hops: number): Outcome {
  if (outcome.type === "failed" || hops <= MESSAGE_HOPS_MAX) return outcome;
  if (outcome.emissions.every(({ type }) => type !== "message")) return outcome;
  const detail = `it answers a message that ${MESSAGE_HOPS_MAX} others led to`;
  return { type: "failed", reason: "hops", used: outcome.used, detail };
}

/** Whether more is needed than is left: of what stays, or of the budget that its contract has. */
function isCrowded(outcome: Outcome, left: Readonly<Share>, budget: number): boolean {
  if (outcome.type === "failed") return outcome.reason === "budget" && left.budget < budget;
  const { emissions, writes } = outcome;
  return emissions.length > left.emissions || writes.length > left.writes || outputOf(outcome) > left.output;
}

/** Takes off the share what stays of a run. */
function take(left: Share, state: WrittenState, outcome: Outcome): void {
  left.budget -= outcome.used;
  if (outcome.type === "failed") return;
  left.output -= outputOf(outcome);
  left.emissions -= outcome.emissions.length;
  left.writes -= outcome.writes.length;
  for (const [key, value] of outcome.writes) state.set(key, value);
}

const utf8 = new TextEncoder();

/** Bytes that stay of what a run has put out. */
function outputOf({ writes, emissions }: Done): number {
  let bytes = 0;
  for (const [key, value] of writes) bytes += utf8.encode(key).length + (value?.length ?? 0);
  for (const { name, body } of emissions) bytes += name.length + body.length;
  return bytes;
}
