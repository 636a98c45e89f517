// The vote keeper: one vote a signer, round and type, within a window of rounds; equivocation shows as a second, different vote.
// Certificates stand beside it, so that what an equivocator told this node first does not hide what it told a quorum.

import { equalBytes, toHex } from "../../src/wire/bytes.js";
import type { Choice, NodeId, Polka, Precommit, Prevote, Proposal, Vote } from "./types.js";

/** Votes of later rounds are kept up to this far ahead; earlier rounds are kept as long. */
export const ROUNDS_KEPT = 16;
/** Proposals of later rounds are kept up to this far ahead, one a round: they are large. */
export const PROPOSAL_ROUNDS_AHEAD = 4;
/** Proposals kept of the current round; only an equivocator makes more than one. */
export const PROPOSALS_PER_ROUND = 4;

/** A received proposal and what the shell has said about its body. */
export interface Candidate {
  readonly proposal: Proposal;
  /** the question that the shell has not answered yet */
  asked: "fresh" | "settled" | undefined;
  /** held to the clock, as a new value is */
  freshValid: boolean | undefined;
  /** apart from the clock */
  valid: boolean | undefined;
}

export interface RoundVotes {
  readonly round: number;
  /** in the order of arrival: the first one is voted on */
  proposals: Candidate[];
  readonly prevotes: Map<NodeId, Prevote>;
  readonly precommits: Map<NodeId, Precommit>;
  /** the first polka seen for a value, by votes or by certificate */
  polka: Polka | undefined;
  /** L36 fires once a round */
  polkaApplied: boolean;
  /** L34 and L47 fire once a round */
  prevoteTimerSet: boolean;
  precommitTimerSet: boolean;
}

export interface VoteKeeper {
  readonly rounds: Map<number, RoundVotes>;
  /** the newest precommit of each member for a value in a round that is no longer kept */
  readonly settled: Map<NodeId, Precommit>;
}

export function createVoteKeeper(): VoteKeeper {
  return { rounds: new Map(), settled: new Map() };
}

/** The votes of a round, empty ones made where there are none. Callers keep to the window. */
export function roundVotes(keeper: VoteKeeper, round: number): RoundVotes {
  const known = keeper.rounds.get(round);
  if (known !== undefined) return known;
  const votes: RoundVotes = {
    round,
    proposals: [],
    prevotes: new Map(),
    precommits: new Map(),
    polka: undefined,
    polkaApplied: false,
    prevoteTimerSet: false,
    precommitTimerSet: false,
  };
  keeper.rounds.set(round, votes);
  return votes;
}

/** The vote that is kept of this vote's signer, round and type. */
export function keptVote(keeper: VoteKeeper, vote: Vote): Vote | undefined {
  const votes = keeper.rounds.get(vote.round);
  return vote.type === "prevote" ? votes?.prevotes.get(vote.node) : votes?.precommits.get(vote.node);
}

/** Whether two votes of one signer, height, round and type say the same, whatever their signatures' bytes. */
export function sameVote(left: Vote, right: Vote): boolean {
  if (!sameChoice(left.id, right.id)) return false;
  return left.type === "precommit" || right.type === "precommit" || left.vr === right.vr;
}

function sameChoice(left: Choice, right: Choice): boolean {
  if (left === null || right === null) return left === right;
  return equalBytes(left, right);
}

/** Keeps a verified vote of which `keptVote` knows nothing. */
export function keepVote(keeper: VoteKeeper, vote: Vote): void {
  const votes = roundVotes(keeper, vote.round);
  if (vote.type === "prevote") votes.prevotes.set(vote.node, vote);
  else votes.precommits.set(vote.node, vote);
}

/** Keeps a verified precommit for a value in a round before the window; a member has one place there. */
export function keepSettled(keeper: VoteKeeper, precommit: Precommit): void {
  const known = keeper.settled.get(precommit.node);
  if (known === undefined || known.round <= precommit.round) keeper.settled.set(precommit.node, precommit);
}

/** The kept prevotes of a round for an id. */
export function prevotesFor(votes: RoundVotes, id: Choice): Prevote[] {
  return [...votes.prevotes.values()].filter((vote) => sameChoice(vote.id, id));
}

/** The kept precommits of any round, within the window or before it, for an id. */
export function precommitsFor(keeper: VoteKeeper, round: number, id: Choice): Precommit[] {
  const kept = keeper.rounds.get(round)?.precommits ?? keeper.settled;
  return [...kept.values()].filter((vote) => vote.round === round && sameChoice(vote.id, id));
}

/** Each member's vote of the highest round that is not below `round`, highest first. */
export function highestVotes(keeper: VoteKeeper, round: number): Vote[] {
  const highest = new Map<NodeId, Vote>();
  for (const votes of keeper.rounds.values()) {
    if (votes.round < round) continue;
    for (const vote of [...votes.prevotes.values(), ...votes.precommits.values()]) raise(highest, vote);
  }
  return byRoundDescending(highest);
}

/** The same of a list of votes. */
export function highestOf(votes: readonly Vote[]): Vote[] {
  const highest = new Map<NodeId, Vote>();
  for (const vote of votes) raise(highest, vote);
  return byRoundDescending(highest);
}

function raise(highest: Map<NodeId, Vote>, vote: Vote): void {
  const known = highest.get(vote.node);
  if (known === undefined || known.round < vote.round) highest.set(vote.node, vote);
}

function byRoundDescending(highest: ReadonlyMap<NodeId, Vote>): Vote[] {
  return [...highest.values()].sort((left, right) => right.round - left.round);
}

/** Drops what the given round no longer needs: rounds behind the window, and proposals two rounds back. */
export function forgetBefore(keeper: VoteKeeper, round: number): void {
  for (const votes of keeper.rounds.values()) {
    if (votes.round < round - 1) votes.proposals = [];
    if (votes.round >= round - ROUNDS_KEPT) continue;
    for (const precommit of votes.precommits.values()) if (precommit.id !== null) keepSettled(keeper, precommit);
    keeper.rounds.delete(votes.round);
  }
}

/** Received proposals for an id, of any kept round. */
export function candidatesFor(keeper: VoteKeeper, id: Uint8Array): Candidate[] {
  const found: Candidate[] = [];
  for (const votes of keeper.rounds.values()) {
    for (const candidate of votes.proposals) if (equalBytes(candidate.proposal.id, id)) found.push(candidate);
  }
  return found;
}

/** An id as a key of a Map. */
export function keyOf(id: Uint8Array): string {
  return toHex(id);
}
