// Entering a round, resting in it or going on, its timers, and forgetting what earlier rounds left: memory is bounded however many
// rounds a height takes.

import { assertInvariant } from "./assert.js";
import { clearTimer, type State, setTimer, supportOf } from "./state.js";
import type { Timeouts, Vote } from "./types.js";
import { awaitResend, forgetValues, verdictOf } from "./values.js";
import { forgetBefore, highestVotes, ROUNDS_KEPT, roundVotes } from "./votes.js";

/**
 * Whether something keeps this node going in its round: work, a valid value or a polka that may become one, a valid proposal, or that
 * f+1 members vote. Where nothing does, it rests: what a round was begun for may have gone, as orders end what is waiting.
 */
export function isCalled(state: State): boolean {
  if (state.work || state.valid !== undefined || state.polkas.length > 0) return true;
  const first = roundVotes(state.keeper, state.round).proposals[0];
  if (first !== undefined && verdictOf(state, first) === true) return true;
  return highestVotes(state.keeper, state.round).length >= supportOf(state);
}

/** L11 to L21, as far as they set timers: the propose step of the round that this node is in. */
export function beginRound(state: State): void {
  state.step = "propose";
  startTimer(state, "propose");
  awaitResend(state);
}

/** `certificate` is what lets others follow. The node rests there until it is called; one that does not vote stays so. */
export function enterRound(state: State, round: number, certificate: readonly Vote[]): void {
  assertInvariant(round > state.round, "rounds only grow");
  state.round = round;
  state.roundCertificate = certificate;
  state.building = undefined;
  forgetBefore(state.keeper, round);
  forgetOwn(state);
  forgetValues(state);
  if (!state.voting) return;
  state.step = "idle";
  for (const name of ["propose", "prevote", "precommit"] as const) clearTimer(state, name);
}

/** Starts the timer of a step of this round; later rounds wait longer, up to the cap. */
export function startTimer(state: State, name: "propose" | "prevote" | "precommit"): void {
  setTimer(state, name, delayOf(state.config.timeouts, name, state.round));
}

function delayOf(timeouts: Timeouts, name: "propose" | "prevote" | "precommit", round: number): number {
  const [base_ms, step_ms] =
    name === "propose" ? [timeouts.propose_ms, timeouts.proposeStep_ms] : [timeouts.vote_ms, timeouts.voteStep_ms];
  return Math.min(timeouts.cap_ms, base_ms + step_ms * round);
}

/**
 * Own messages of rounds behind the window go, but for the precommit at the locked round: the record's round already keeps this
 * node from signing for an earlier one.
 */
function forgetOwn(state: State): void {
  const oldest = state.round - ROUNDS_KEPT;
  for (const own of [state.ownProposals, state.ownPrevotes, state.ownPrecommits]) {
    for (const round of own.keys()) {
      const isLock = own === state.ownPrecommits && round === state.locked?.round;
      if (round < oldest && !isLock) own.delete(round);
    }
  }
}
