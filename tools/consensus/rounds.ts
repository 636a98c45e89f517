// Entering a round, its timers, and forgetting what earlier rounds left: memory is bounded however many rounds a height takes.

import { assertInvariant } from "./assert.js";
import { clearTimer, type State, setTimer } from "./state.js";
import type { Timeouts, Vote } from "./types.js";
import { forgetValues } from "./values.js";
import { forgetBefore, ROUNDS_KEPT } from "./votes.js";

/** L11 to L21. `certificate` is what lets others follow. A node that does not vote keeps up with the rounds without timers. */
export function enterRound(state: State, round: number, certificate: readonly Vote[]): void {
  assertInvariant(round > state.round || (round === 0 && state.step === "idle"), "rounds only grow");
  state.round = round;
  state.roundCertificate = certificate;
  state.building = undefined;
  forgetBefore(state.keeper, round);
  forgetOwn(state);
  forgetValues(state);
  if (!state.voting) return;
  state.step = "propose";
  for (const name of ["prevote", "precommit"] as const) clearTimer(state, name);
  startTimer(state, "propose");
  if (!state.deadlines.has("resend")) setTimer(state, "resend", state.config.timeouts.resend_ms);
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
