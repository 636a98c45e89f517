// The rules of Tendermint (arXiv 1807.04938, algorithm 1; L = its line), each a function that fires where it applies, and the
// fixpoint over them. Changes to the paper: rest without work, certificates in place of gossip, polkas of earlier rounds count.

import { sha256 } from "../../src/wire/hash.js";
import { assertInvariant } from "./assert.js";
import { checkCommit, checkPolka } from "./certificates.js";
import { beginRound, enterRound, isCalled, startTimer } from "./rounds.js";
import {
  clearTimer,
  isProposer,
  keepValue,
  knownValue,
  quorumOf,
  type State,
  sameId,
  send,
  signStatement,
  supportOf,
  type Value,
} from "./state.js";
import type { Choice, Polka, Precommit, Prevote, Proposal } from "./types.js";
import { askShell, awaitResend, verdictOf } from "./values.js";
import { type Candidate, highestVotes, keepVote, prevotesFor, roundVotes } from "./votes.js";

/** Far more than any input can make fire: what fires advances a step or a round for which votes are kept. */
const PASSES_MAX = 256;
const rules: readonly ((state: State) => boolean)[] = [
  skipRound,
  startRound,
  propose,
  prevoteFresh,
  prevoteAgain,
  applyPolka,
  adoptPolka,
  precommitNil,
  awaitPrevotes,
  awaitPrecommits,
];

/** Fires rules until none applies, then asks the shell for what they wait for. A known commit ends the rounds of its height. */
export function evaluate(state: State): void {
  for (let pass = 0; pass < PASSES_MAX; pass += 1) {
    if (state.step === "decided") return;
    const fired = state.commit === undefined ? rules.some((rule) => rule(state)) : decide(state);
    if (!fired) {
      askShell(state);
      if (state.step !== "idle" && !state.deadlines.has("resend") && isCalled(state)) awaitResend(state);
      return;
    }
  }
  assertInvariant(false, "the rules reach a fixpoint");
}

/** L49: a value and a quorum's precommits for it in one round, whichever: decide, at any step. */
function decide(state: State): boolean {
  if (state.commit === undefined) return false;
  const { id, certificate } = state.commit;
  const value = knownValue(state, id);
  if (value === undefined) return false;
  const { height } = state;
  state.step = "decided";
  for (const name of ["propose", "prevote", "precommit", "resend"] as const) clearTimer(state, name);
  state.behindRecord.push({ type: "decide", height, round: certificate.round, id, body: value.body, certificate });
  return true;
}

/** L55: f+1 members in higher rounds: jump to the (f+1)-th highest, which a correct one has reached. */
function skipRound(state: State): boolean {
  const ahead = highestVotes(state.keeper, state.round + 1);
  const support = supportOf(state);
  if (ahead.length < support) return false;
  enterRound(state, ahead[support - 1]!.round, ahead.slice(0, support));
  return true;
}

/** L10, without empty blocks: a round starts once the node is called. */
function startRound(state: State): boolean {
  if (state.step !== "idle" || !state.voting || !isCalled(state)) return false;
  beginRound(state);
  return true;
}

/** L14 to L19: the proposer proposes its valid value, or else a new one; with nothing to propose it says nothing. */
function propose(state: State): boolean {
  if (state.step !== "propose" || !isProposer(state) || state.ownProposals.has(state.round)) return false;
  const { valid, height, round } = state;
  if (valid !== undefined) {
    sendProposal(state, valid.value, valid.round, valid.polka.votes);
    return true;
  }
  if (!state.work || state.building === round) return false;
  state.building = round;
  state.beforeRecord.push({ type: "build", height, round });
  return true;
}

/** L19: signs a proposal, once a round, and counts it as received. */
export function sendProposal(state: State, value: Value, vr: number, polka: readonly Prevote[]): void {
  const { height, round } = state;
  const { id, body } = value;
  assertInvariant(
    isProposer(state) && state.step === "propose",
    "the proposer of a round proposes in its propose step",
  );
  assertInvariant(!state.ownProposals.has(round) && vr < round, "one proposal a round, with a polka of an earlier one");
  const head = { type: "head" as const, height, round, vr, id, bodyHash: sha256(body) };
  const signature = signStatement(state, head);
  const proposal: Proposal = { type: "proposal", height, round, vr, id, body, polka, node: state.self!, signature };
  state.ownProposals.set(round, proposal);
  keepValue(state, value);
  const candidate: Candidate = { proposal, asked: undefined, freshValid: true, valid: true };
  roundVotes(state.keeper, round).proposals.unshift(candidate);
  send(state, "all", proposal);
}

/** L22: a new value: prevote it where it is valid and no lock forbids it. */
function prevoteFresh(state: State): boolean {
  const first = roundVotes(state.keeper, state.round).proposals[0];
  if (state.step !== "propose" || first === undefined || first.proposal.vr >= 0) return false;
  const verdict = verdictOf(state, first);
  if (verdict === undefined) return false;
  const { id } = first.proposal;
  const free = state.locked === undefined || sameId(state.locked.value.id, id);
  sendPrevote(state, verdict && free ? id : null, -1);
  return true;
}

/** L28: a value with the polka of an earlier round, which came with it: prevote it unless locked later on another. */
function prevoteAgain(state: State): boolean {
  const first = roundVotes(state.keeper, state.round).proposals[0];
  if (state.step !== "propose" || first === undefined || first.proposal.vr < 0) return false;
  const verdict = verdictOf(state, first);
  if (verdict === undefined) return false;
  const { id, vr } = first.proposal;
  const free = state.locked === undefined || state.locked.round <= vr || sameId(state.locked.value.id, id);
  if (verdict && free) sendPrevote(state, id, vr);
  else sendPrevote(state, null, -1);
  return true;
}

/** L36: the first polka of this round whose value is here: lock and precommit in the prevote step; in both, it is the valid value. */
function applyPolka(state: State): boolean {
  if (state.step !== "prevote" && state.step !== "precommit") return false;
  const votes = roundVotes(state.keeper, state.round);
  const { polka } = votes;
  if (polka === undefined || votes.polkaApplied) return false;
  const value = knownValue(state, polka.id);
  if (value === undefined) return false;
  votes.polkaApplied = true;
  setValid(state, polka, value);
  if (state.step === "prevote") {
    assertInvariant(state.locked === undefined || state.locked.round < state.round, "a lock moves to a later round");
    state.locked = { round: state.round, value };
    sendPrecommit(state, polka.id);
  }
  return true;
}

/**
 * A polka of an earlier round that came late becomes the valid value too, as it would have in its round: links between nodes
 * lack the paper's gossip property, and a lock that others hold is only undone by proposing its value again.
 */
function adoptPolka(state: State): boolean {
  if (!state.voting) return false;
  for (const polka of state.polkas) {
    const value = polka.round < state.round ? knownValue(state, polka.id) : undefined;
    if (value === undefined) continue;
    setValid(state, polka, value);
    return true;
  }
  return false;
}

function setValid(state: State, polka: Polka, value: Value): void {
  if (state.valid === undefined || state.valid.round < polka.round) state.valid = { round: polka.round, value, polka };
  const { round } = state.valid;
  state.polkas = state.polkas.filter((other) => other.round > round);
}

/** L44: a quorum prevoted nil. */
function precommitNil(state: State): boolean {
  if (state.step !== "prevote") return false;
  if (prevotesFor(roundVotes(state.keeper, state.round), null).length < quorumOf(state)) return false;
  sendPrecommit(state, null);
  return true;
}

/** L34: a quorum prevoted, whatever: wait a little for a polka. */
function awaitPrevotes(state: State): boolean {
  const votes = roundVotes(state.keeper, state.round);
  if (state.step !== "prevote" || votes.prevoteTimerSet || votes.prevotes.size < quorumOf(state)) return false;
  votes.prevoteTimerSet = true;
  startTimer(state, "prevote");
  return true;
}

/** L47: a quorum precommitted, whatever: wait a little for a decision. */
function awaitPrecommits(state: State): boolean {
  const votes = roundVotes(state.keeper, state.round);
  if (state.step === "idle" || votes.precommitTimerSet || votes.precommits.size < quorumOf(state)) return false;
  votes.precommitTimerSet = true;
  startTimer(state, "precommit");
  return true;
}

/** L57, L61, L65: a step took too long. */
export function timeOut(state: State, name: "propose" | "prevote" | "precommit"): void {
  if (state.commit !== undefined) return;
  if (name === "propose" && state.step === "propose") sendPrevote(state, null, -1);
  else if (name === "prevote" && state.step === "prevote") sendPrecommit(state, null);
  else if (name === "precommit" && state.step !== "idle") {
    const precommits = [...roundVotes(state.keeper, state.round).precommits.values()];
    enterRound(state, state.round + 1, precommits.slice(0, quorumOf(state)));
  }
}

function sendPrevote(state: State, id: Choice, vr: number): void {
  const { height, round, locked } = state;
  assertInvariant(state.step === "propose" && !state.ownPrevotes.has(round), "one prevote a round");
  assertInvariant(
    id === null || locked === undefined || sameId(locked.value.id, id) || (locked.round <= vr && vr < round),
    "a prevote against the lock has a polka that is not older than it",
  );
  const signature = signStatement(state, { type: "prevote", height, round, id, vr });
  const prevote: Prevote = { type: "prevote", height, round, id, vr, node: state.self!, signature };
  state.step = "prevote";
  state.ownPrevotes.set(round, prevote);
  clearTimer(state, "propose");
  keepVote(state.keeper, prevote);
  checkPolka(state, prevote);
  send(state, "all", prevote);
}

function sendPrecommit(state: State, id: Choice): void {
  const { height, round } = state;
  assertInvariant(state.step === "prevote" && !state.ownPrecommits.has(round), "one precommit a round");
  const signature = signStatement(state, { type: "precommit", height, round, id });
  const precommit: Precommit = { type: "precommit", height, round, id, node: state.self!, signature };
  state.step = "precommit";
  state.ownPrecommits.set(round, precommit);
  clearTimer(state, "prevote");
  keepVote(state.keeper, precommit);
  checkCommit(state, precommit);
  send(state, "all", precommit);
}
