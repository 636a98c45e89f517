// What a node does with each message of a peer, before the rules look at it. Nothing a peer sends throws or grows memory.

import { equalBytes } from "../../src/wire/bytes.js";
import { checkCommit, checkPolka, isGenuine, isPolka, learnPolka, precommitsOf, takeCommit } from "./certificates.js";
import { isReported, receiveEvidence, reportEvidence } from "./evidence.js";
import { headOf } from "./messages.js";
import { answerAbove, answerBelow, keepWaiting, noteHeight } from "./peers.js";
import { answerInquiry, inquire, takeVouch } from "./regaining.js";
import { enterRound } from "./rounds.js";
import { isMember, proposerOf, type State, sameId, supportOf, verifyStatement } from "./state.js";
import type { Decision, Message, NodeId, Polka, Precommit, Proposal, RoundCertificate, Vote } from "./types.js";
import { isWanted } from "./values.js";
import {
  highestOf,
  keepSettled,
  keepVote,
  keptVote,
  PROPOSAL_ROUNDS_AHEAD,
  PROPOSALS_PER_ROUND,
  ROUNDS_KEPT,
  roundVotes,
  sameVote,
} from "./votes.js";

/** Takes a message from an authenticated peer: of this height at once, of another as that asks for. */
export function receive(state: State, from: NodeId, message: Message): void {
  if (message.type === "evidence") {
    receiveEvidence(state, message);
    return;
  }
  if (message.type === "vouch") {
    takeVouch(state, from, message);
    return;
  }
  const { height } = message;
  if (message.type !== "decision") noteHeight(state, from, height);
  if (height < state.height) {
    if (message.type !== "decision") answerBelow(state, from, message);
  } else if (height > state.height) {
    keepWaiting(state, from, message);
    if (message.type === "decision") receiveLaterDecision(state, from, message);
    answerAbove(state, from);
  } else if (state.step !== "decided") {
    receiveHere(state, from, message);
  }
}

function receiveHere(state: State, from: NodeId, message: Exclude<Message, { type: "evidence" | "vouch" }>): void {
  // Once the commit is known, only its body is missing.
  if (state.commit !== undefined && message.type !== "proposal" && message.type !== "decision") return;
  switch (message.type) {
    case "proposal":
      receiveProposal(state, message);
      return;
    case "prevote":
    case "precommit":
      receiveVote(state, message);
      return;
    case "polka":
      receivePolka(state, message);
      return;
    case "round":
      receiveRound(state, message);
      return;
    case "decision":
      receiveDecision(state, from, message);
      return;
    case "status":
      inquire(state, from); // this very height: a member that has its record has nothing to say
      return;
    case "inquiry":
      answerInquiry(state, from, message);
      return;
  }
}

function receiveProposal(state: State, proposal: Proposal): void {
  const { height, round, vr, id } = proposal;
  if (round > state.round + PROPOSAL_ROUNDS_AHEAD || !isMember(state, proposal.node)) return;
  if (proposal.node !== proposerOf(state, round)) return;
  if (round < state.round && !isWanted(state, id)) return; // of an earlier round only a missing body is of use
  if (round < state.round - ROUNDS_KEPT) return;
  const { proposals } = roundVotes(state.keeper, round);
  const copy = proposals.find((kept) => equalBytes(kept.proposal.signature, proposal.signature));
  if (copy !== undefined && equalBytes(copy.proposal.body, proposal.body)) return;
  const head = headOf(proposal);
  const first = proposals[0];
  const limit = round > state.round ? 1 : PROPOSALS_PER_ROUND;
  if (proposals.length >= limit && isReported(state, head)) return;
  if (!verifyStatement(state, head)) return;
  if (first !== undefined) {
    if (isSameProposal(first.proposal, proposal)) return;
    reportEvidence(state, headOf(first.proposal), head);
  }
  if (proposals.length >= limit) return;
  if (vr >= 0) {
    if (!isPolka(state, proposal.polka)) return;
    learnPolka(state, { type: "polka", height, round: vr, id, votes: proposal.polka });
  }
  proposals.push({ proposal, asked: undefined, freshValid: undefined, valid: undefined });
}

/** Whether two genuine proposals of one round say the same; a polka beside them is not signed and may differ. */
function isSameProposal(left: Proposal, right: Proposal): boolean {
  return left.vr === right.vr && sameId(left.id, right.id) && equalBytes(left.body, right.body);
}

/** Takes a vote of this height, whoever sent it: its signature names its signer. */
function receiveVote(state: State, vote: Vote): void {
  if (isOfUse(state, vote)) takeVote(state, vote, () => verifyStatement(state, vote));
}

/** Of earlier rounds only precommits for a value matter: L49 decides in any round. */
function isOfUse(state: State, vote: Vote): boolean {
  if (!isMember(state, vote.node) || vote.round > state.round + ROUNDS_KEPT) return false;
  return vote.round >= state.round || (vote.type === "precommit" && vote.id !== null);
}

/** Keeps a vote that `isOfUse`, if it is genuine and the first of its signer there; a different second one is evidence. */
function takeVote(state: State, vote: Vote, genuine: () => boolean): void {
  if (vote.type === "precommit" && vote.round < state.round - ROUNDS_KEPT) {
    takeSettled(state, vote, genuine);
    return;
  }
  const kept = keptVote(state.keeper, vote);
  if (kept !== undefined) {
    if (!sameVote(kept, vote) && !isReported(state, vote) && genuine()) reportEvidence(state, kept, vote);
    return;
  }
  if (!genuine()) return;
  keepVote(state.keeper, vote);
  if (vote.type === "prevote") checkPolka(state, vote);
  else checkCommit(state, vote);
}

function takeSettled(state: State, precommit: Precommit, genuine: () => boolean): void {
  const known = state.keeper.settled.get(precommit.node);
  if ((known !== undefined && (known.round > precommit.round || sameSettled(known, precommit))) || !genuine()) return;
  keepSettled(state.keeper, precommit);
  checkCommit(state, precommit);
}

function sameSettled(left: Precommit, right: Precommit): boolean {
  return left.round === right.round && sameVote(left, right);
}

/** A polka counts as a whole, whichever of its votes this node holds; one of a later round lets it in there (L55). */
function receivePolka(state: State, polka: Polka): void {
  const { round, votes } = polka;
  const known = round >= state.round ? state.keeper.rounds.get(round)?.polka !== undefined : isOldPolka(state, round);
  if (known || !isPolka(state, votes)) return;
  if (round > state.round) enterRound(state, round, votes.slice(0, supportOf(state)));
  learnPolka(state, polka);
  for (const vote of votes) if (isOfUse(state, vote)) takeVote(state, vote, () => true);
}

function isOldPolka(state: State, round: number): boolean {
  return round <= (state.valid?.round ?? -1) || state.polkas.some((polka) => polka.round === round);
}

/**
 * Votes of f+1 members in later rounds let this node into the (f+1)-th highest (L55), however far. Precommits of a quorum are such
 * votes for their own round: the wait of L47 then follows here too, else a faulty member could hurry the others past a decision.
 */
function receiveRound(state: State, { votes }: RoundCertificate): void {
  const useful = votes.filter((vote) => vote.round > state.round || isOfUse(state, vote));
  if (!useful.every((vote) => isGenuine(state, vote))) return;
  const highest = highestOf(useful.filter(({ round }) => round > state.round));
  const support = supportOf(state);
  if (highest.length >= support) enterRound(state, highest[support - 1]!.round, highest.slice(0, support));
  for (const vote of useful) if (isOfUse(state, vote)) takeVote(state, vote, () => true);
}

function receiveDecision(state: State, from: NodeId, decision: Decision): void {
  const { id, certificate } = decision;
  if (state.commit !== undefined && state.commit.from[0] === from) return;
  const precommits = precommitsOf(state, state.height, id, certificate);
  if (precommits === undefined) return;
  if (state.commit !== undefined) state.needed.clear(); // this peer has the body, the others may not
  takeCommit(state, id, certificate, from);
  for (const vote of precommits) if (isOfUse(state, vote)) takeVote(state, vote, () => true);
}

/** A decision of a later height proves how far its sender is, as long as the members are the same. */
function receiveLaterDecision(state: State, from: NodeId, { height, id, certificate }: Decision): void {
  if (precommitsOf(state, height, id, certificate) === undefined) return;
  state.behindRecord.push({ type: "behind", height, peer: from });
}
