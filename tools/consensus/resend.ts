// Rebroadcast in place of gossip: what peers may have missed of this node's, as the signed bytes that left before, and the
// certificates that bring others to where it is.

import { sendStatus } from "./peers.js";
import { isCalled } from "./rounds.js";
import { type State, send, setTimer } from "./state.js";
import { need } from "./values.js";

/** Every two seconds while something calls; once the height's commit is known, only that, until the body is here. */
export function resend(state: State): void {
  state.needed.clear(); // what is still missing is asked for again
  const { round, locked, valid, commit, height } = state;
  if (commit !== undefined) {
    send(state, "all", { type: "decision", height, id: commit.id, certificate: commit.certificate });
  } else if (state.step !== "idle" && isCalled(state)) {
    const own = [
      state.ownProposals.get(round),
      state.ownPrevotes.get(round),
      state.ownPrecommits.get(round),
      locked === undefined || locked.round === round ? undefined : state.ownPrecommits.get(locked.round),
    ];
    for (const message of own) if (message !== undefined) send(state, "all", message);
    if (valid !== undefined) send(state, "all", valid.polka);
    if (state.roundCertificate.length > 0) send(state, "all", { type: "round", height, votes: state.roundCertificate });
  } else {
    return;
  }
  sendStatus(state, "all");
  setTimer(state, "resend", state.config.timeouts.resend_ms);
  if (commit !== undefined) need(state, commit.id, commit.from); // its body, or temporary blocks that nobody has any more
}
