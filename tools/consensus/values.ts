// Bodies of values: which are known to be valid, which the shell is asked to judge or to fetch, and which are forgotten.

import { assertInvariant } from "./assert.js";
import { holders, keepValue, knownValue, type State, setTimer } from "./state.js";
import type { NodeId } from "./types.js";
import { type Candidate, candidatesFor, keyOf, roundVotes } from "./votes.js";

/** Values that this node prevoted in so many of its last rounds are kept, so that a polka which shows later finds their bodies. */
const PREVOTED_KEPT = 4;

/** Whether a proposal is valid, as its kind is judged: a new value is held to the clock. Undefined until the shell has said. */
export function verdictOf(state: State, candidate: Candidate): boolean | undefined {
  const fresh = candidate.proposal.vr < 0;
  const value = knownValue(state, candidate.proposal.id);
  if (value !== undefined && (value.fresh || !fresh)) return true;
  return fresh ? candidate.freshValid : candidate.valid;
}

/** Asks the shell to judge or to fetch the bodies that the rules wait for. Nothing is asked twice while it is open. */
export function askShell(state: State): void {
  const first = roundVotes(state.keeper, state.round).proposals[0];
  const undecided = state.step === "idle" || state.step === "propose";
  if (state.voting && undecided && first !== undefined && verdictOf(state, first) === undefined) {
    ask(state, first, first.proposal.vr < 0);
  }
  for (const { id, from } of wanted(state)) {
    if (knownValue(state, id) !== undefined) continue;
    const candidates = candidatesFor(state.keeper, id);
    if (candidates.some((candidate) => candidate.asked !== undefined)) continue;
    const untried = candidates.find((candidate) => candidate.valid === undefined);
    if (untried !== undefined) ask(state, untried, false);
    else need(state, id, from);
  }
  if (state.commit !== undefined) awaitResend(state); // the shell may lack what it would judge the value by
}

/** Takes the shell's answer to `validate`; one to no open question is ignored. */
export function takeVerdict(state: State, round: number, id: Uint8Array, fresh: boolean, valid: boolean): void {
  const kind = fresh ? "fresh" : "settled";
  const candidate = candidatesFor(state.keeper, id).find(
    ({ proposal, asked }) => proposal.round === round && asked === kind,
  );
  if (candidate === undefined) return;
  candidate.asked = undefined;
  if (fresh) candidate.freshValid = valid;
  else candidate.valid = valid;
  if (valid) keepValue(state, { id: candidate.proposal.id, body: candidate.proposal.body, fresh });
}

/** Takes a body that the shell fetched and judged; one that nothing waits for is ignored. */
export function takeBody(state: State, id: Uint8Array, body: Uint8Array): void {
  if (isWanted(state, id)) keepValue(state, { id, body, fresh: false });
}

/** Whether a certificate names the value. */
export function isWanted(state: State, id: Uint8Array): boolean {
  const key = keyOf(id);
  return wanted(state).some((value) => keyOf(value.id) === key);
}

/** The values that certificates name, with who is likely to have them. */
function wanted(state: State): { readonly id: Uint8Array; readonly from: readonly NodeId[] }[] {
  if (state.commit !== undefined) return [state.commit];
  if (!state.voting) return [];
  return state.polkas.map((polka) => ({
    id: polka.id,
    from: holders(
      undefined,
      polka.votes.map(({ node }) => node),
    ),
  }));
}

function ask(state: State, candidate: Candidate, fresh: boolean): void {
  if (candidate.asked !== undefined) return;
  candidate.asked = fresh ? "fresh" : "settled";
  const { height, round, id, body } = candidate.proposal;
  assertInvariant(height === state.height, "proposals are kept for their own height");
  state.beforeRecord.push({ type: "validate", height, round, id, body, fresh });
}

/** Asks for a value, or for what the shell misses to judge it: once until the next resend. */
export function need(state: State, id: Uint8Array, from: readonly NodeId[]): void {
  const key = keyOf(id);
  if (state.needed.has(key)) return;
  state.needed.add(key);
  state.beforeRecord.push({ type: "need", height: state.height, id, from: from.filter((node) => node !== state.self) });
  awaitResend(state);
}

/** Sets the timer of the next resend where none is set. */
export function awaitResend(state: State): void {
  if (!state.deadlines.has("resend")) setTimer(state, "resend", state.config.timeouts.resend_ms);
}

/** Keeps the bodies that a lock, a certificate, a recent own prevote or a kept proposal names. */
export function forgetValues(state: State): void {
  const kept = new Set<string>();
  if (state.locked !== undefined) kept.add(keyOf(state.locked.value.id));
  if (state.valid !== undefined) kept.add(keyOf(state.valid.value.id));
  for (const { id } of wanted(state)) kept.add(keyOf(id));
  const prevoted = [...state.ownPrevotes.values()].filter(({ id }) => id !== null).slice(-PREVOTED_KEPT);
  for (const { id } of prevoted) if (id !== null) kept.add(keyOf(id));
  for (const votes of state.keeper.rounds.values()) {
    for (const { proposal } of votes.proposals) kept.add(keyOf(proposal.id));
  }
  for (const key of state.values.keys()) if (!kept.has(key)) state.values.delete(key);
}
