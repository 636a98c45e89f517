// What a node does with each message of a peer, before the rules look at it. Nothing a peer sends throws or grows memory.

import { equalBytes } from "../../src/wire/bytes.js";
import { checkCommit, checkPolka, isGenuine, isPolka, learnPolka, precommitsOf, takeCommit } from "./certificates.js";
import type { MessageDrop, Outcome } from "./drops.js";
import { isReported, receiveEvidence, reportEvidence } from "./evidence.js";
import { headOf } from "./messages.js";
import { answerAbove, answerBelow, answerEarlier, keepWaiting, noteHeight } from "./peers.js";
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

/** Takes a message from an authenticated peer: of this height at once, of another as that asks for. Says why where it is dropped. */
export function receive(state: State, from: NodeId, message: Message): Outcome {
  if (message.type === "evidence") return receiveEvidence(state, message);
  if (message.type === "vouch") return takeVouch(state, from, message);
  const { height } = message;
  if (message.type !== "decision") noteHeight(state, from, height);
  if (height === state.height) {
    if (state.step === "decided") return "consensus-decided";
    const outcome = receiveHere(state, from, message);
    if ("round" in message && message.round < state.round) answerEarlier(state, from);
    return outcome;
  }
  if (height < state.height) {
    return message.type === "decision" ? "consensus-height-sealed" : answerBelow(state, from, message);
  }
  const kept = keepWaiting(state, from, message);
  const outcome = message.type === "decision" ? receiveLaterDecision(state, from, message) : kept;
  answerAbove(state, from);
  return outcome;
}

function receiveHere(state: State, from: NodeId, message: Exclude<Message, { type: "evidence" | "vouch" }>): Outcome {
  // Once the commit is known, only its body is missing.
  if (state.commit !== undefined && message.type !== "proposal" && message.type !== "decision")
    return "consensus-decided";
  switch (message.type) {
    case "proposal":
      return receiveProposal(state, message);
    case "prevote":
    case "precommit":
      return receiveVote(state, message);
    case "polka":
      return receivePolka(state, message);
    case "round":
      return receiveRound(state, message);
    case "decision":
      return receiveDecision(state, from, message);
    case "status":
      inquire(state, from); // this very height: a member that has its record has nothing to say
      return "taken";
    case "inquiry":
      answerInquiry(state, from, message);
      return "taken";
  }
}

function receiveProposal(state: State, proposal: Proposal): Outcome {
  const { height, round, vr, id } = proposal;
  if (round > state.round + PROPOSAL_ROUNDS_AHEAD) return "consensus-round-ahead";
  if (!isMember(state, proposal.node)) return "consensus-stranger";
  if (proposal.node !== proposerOf(state, round)) return "consensus-not-proposer";
  if (round < state.round && !isWanted(state, id)) return "consensus-round-past"; // only a missing body is of use
  if (round < state.round - ROUNDS_KEPT) return "consensus-round-past";
  const { proposals } = roundVotes(state.keeper, round);
  const copy = proposals.find((kept) => equalBytes(kept.proposal.signature, proposal.signature));
  if (copy !== undefined && equalBytes(copy.proposal.body, proposal.body)) return "consensus-repeated";
  const head = headOf(proposal);
  const first = proposals[0];
  const limit = round > state.round ? 1 : PROPOSALS_PER_ROUND;
  if (proposals.length >= limit && isReported(state, head)) return "consensus-no-room";
  if (!verifyStatement(state, head)) return "consensus-unproven";
  if (first !== undefined) {
    if (isSameProposal(first.proposal, proposal)) return "consensus-repeated";
    reportEvidence(state, headOf(first.proposal), head);
  }
  if (proposals.length >= limit) return "consensus-no-room";
  if (vr >= 0) {
    if (!isPolka(state, proposal.polka)) return "consensus-unproven";
    learnPolka(state, { type: "polka", height, round: vr, id, votes: proposal.polka });
  }
  proposals.push({ proposal, asked: undefined, freshValid: undefined, valid: undefined });
  return "taken";
}

/** Whether two genuine proposals of one round say the same; a polka beside them is not signed and may differ. */
function isSameProposal(left: Proposal, right: Proposal): boolean {
  return left.vr === right.vr && sameId(left.id, right.id) && equalBytes(left.body, right.body);
}

/** Takes a vote of this height, whoever sent it: its signature names its signer. */
function receiveVote(state: State, vote: Vote): Outcome {
  const use = useOf(state, vote);
  return use === "of use" ? takeVote(state, vote, () => verifyStatement(state, vote)) : use;
}

/** Of earlier rounds only precommits for a value matter: L49 decides in any round. */
function useOf(state: State, vote: Vote): "of use" | MessageDrop {
  if (!isMember(state, vote.node)) return "consensus-stranger";
  if (vote.round > state.round + ROUNDS_KEPT) return "consensus-round-ahead";
  if (vote.round >= state.round || (vote.type === "precommit" && vote.id !== null)) return "of use";
  return "consensus-round-past";
}

/** Takes those votes of a verified certificate that are of use. */
function takeVotes(state: State, votes: readonly Vote[]): void {
  for (const vote of votes) if (useOf(state, vote) === "of use") takeVote(state, vote, alreadyVerified);
}

function alreadyVerified(): boolean {
  return true;
}

/** Keeps a vote that is of use, if it is genuine and the first of its signer there; a different second one is evidence. */
function takeVote(state: State, vote: Vote, genuine: () => boolean): Outcome {
  if (vote.type === "precommit" && vote.round < state.round - ROUNDS_KEPT) return takeSettled(state, vote, genuine);
  const kept = keptVote(state.keeper, vote);
  if (kept !== undefined) {
    if (sameVote(kept, vote) || isReported(state, vote)) return "consensus-repeated";
    if (!genuine()) return "consensus-unproven";
    reportEvidence(state, kept, vote);
    return "taken";
  }
  if (!genuine()) return "consensus-unproven";
  keepVote(state.keeper, vote);
  if (vote.type === "prevote") checkPolka(state, vote);
  else checkCommit(state, vote);
  return "taken";
}

function takeSettled(state: State, precommit: Precommit, genuine: () => boolean): Outcome {
  const known = state.keeper.settled.get(precommit.node);
  if (known !== undefined && known.round > precommit.round) return "consensus-round-past";
  if (known !== undefined && sameSettled(known, precommit)) return "consensus-repeated";
  if (!genuine()) return "consensus-unproven";
  keepSettled(state.keeper, precommit);
  checkCommit(state, precommit);
  return "taken";
}

function sameSettled(left: Precommit, right: Precommit): boolean {
  return left.round === right.round && sameVote(left, right);
}

/** A polka counts as a whole, whichever of its votes this node holds; one of a later round lets it in there (L55). */
function receivePolka(state: State, polka: Polka): Outcome {
  const { round, votes } = polka;
  const known = round >= state.round ? state.keeper.rounds.get(round)?.polka !== undefined : isOldPolka(state, round);
  if (known) return "consensus-repeated";
  if (!isPolka(state, votes)) return "consensus-unproven";
  if (round > state.round) enterRound(state, round, votes.slice(0, supportOf(state)));
  learnPolka(state, polka);
  takeVotes(state, votes);
  return "taken";
}

function isOldPolka(state: State, round: number): boolean {
  return round <= (state.valid?.round ?? -1) || state.polkas.some((polka) => polka.round === round);
}

/**
 * Votes of f+1 members in later rounds let this node into the (f+1)-th highest (L55), however far. Precommits of a quorum are such
 * votes for their own round: the wait of L47 then follows here too, else a faulty member could hurry the others past a decision.
 */
function receiveRound(state: State, { votes }: RoundCertificate): Outcome {
  const useful = votes.filter((vote) => vote.round > state.round || useOf(state, vote) === "of use");
  if (useful.length === 0) return "consensus-round-past";
  if (!useful.every((vote) => isGenuine(state, vote))) return "consensus-unproven";
  const highest = highestOf(useful.filter(({ round }) => round > state.round));
  const support = supportOf(state);
  if (highest.length >= support) enterRound(state, highest[support - 1]!.round, highest.slice(0, support));
  takeVotes(state, useful);
  return "taken";
}

function receiveDecision(state: State, from: NodeId, decision: Decision): Outcome {
  const { id, certificate } = decision;
  if (state.commit !== undefined && state.commit.from[0] === from) return "consensus-repeated";
  const precommits = precommitsOf(state, state.height, id, certificate);
  if (precommits === undefined) return "consensus-unproven";
  if (state.commit !== undefined) state.needed.clear(); // this peer has the body, the others may not
  takeCommit(state, id, certificate, from);
  takeVotes(state, precommits);
  return "taken";
}

/** A decision of a later height proves how far its sender is, as long as the members are the same. */
function receiveLaterDecision(state: State, from: NodeId, { height, id, certificate }: Decision): Outcome {
  if (precommitsOf(state, height, id, certificate) === undefined) return "consensus-unproven";
  state.behindRecord.push({ type: "behind", height, peer: from });
  return "taken";
}
