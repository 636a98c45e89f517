// How a member that has lost the record of what it signed gets its vote back. It abstains until it is sure to contradict nothing:
// two blocks past all that its peers had, or, where a chain stands still, once every other member has vouched for its height.

import type { Outcome } from "./drops.js";
import { isMember, quorumOf, type State, send } from "./state.js";
import type { Inquiry, NodeId, Vouch } from "./types.js";

/** Why a member signs nothing. */
export interface Abstention {
  /** the first block that it will vote on in any case; undefined while too few members have said where they are */
  readonly until: number | undefined;
  /** members that have not vouched for the next block: once all have, it votes */
  readonly unvouched: readonly NodeId[];
  /** those of them that have lost their record too */
  readonly lost: readonly NodeId[];
  /** how many may be without a vote before the chain stands */
  readonly spare: number;
}

export function abstentionOf(state: State): Abstention | undefined {
  const { reports, height, members } = state;
  if (reports === undefined) return undefined;
  const unvouched = othersOf(state).filter((member) => reports.vouched.get(member) !== height);
  const lost = unvouched.filter((member) => reports.asking.get(member) === height);
  return { until: firstVote(state), unvouched, lost, spare: members.length - quorumOf(state) };
}

/**
 * Whether the next height, behind a block that the present members have sealed, is one at which this node has signed nothing. Suppose
 * it had: then that block was sealed before the loss, and a quorum of these members had precommitted it. At least one correct
 * member of that quorum is among those who said where they are, and it was at that block's height or above.
 */
export function isPast(state: State, next: number): boolean {
  const first = firstVote(state);
  return first !== undefined && next >= first;
}

/** Two past everything that a quorum of the members, or all others, reported first. A chain of one has nobody to say it. */
function firstVote(state: State): number | undefined {
  const others = othersOf(state);
  const heights = others.flatMap((member) => state.reports?.heights.get(member) ?? []);
  if (others.length === 0 || heights.length < Math.min(quorumOf(state), others.length)) return undefined;
  return Math.max(...heights) + 2;
}

/**
 * Whether every other member has vouched for this height: nothing signed, nothing held that could be sealed. Then no temporary
 * block was accepted that is not sealed, so nobody had work, no round began, and the lost record says nothing of this height. Of
 * a later one neither: a quorum would have signed here before. It holds while liars and members without a record are at most f.
 */
export function isVouchedFor(state: State): boolean {
  const { reports, height, step, commit } = state;
  if (reports === undefined || step !== "idle" || commit !== undefined) return false;
  const others = othersOf(state);
  return others.length > 0 && others.every((member) => reports.vouched.get(member) === height);
}

/** From here on the node remembers; the record goes to disk at once. */
export function regain(state: State): void {
  state.reports = undefined;
  state.since = state.height;
  state.signed = true;
}

/** Asks whether anything was signed at this height; says nothing where this node has its record. */
export function inquire(state: State, to: NodeId | "all"): void {
  const { reports, height, config } = state;
  if (reports === undefined || (to !== "all" && reports.vouched.get(to) === height)) return;
  send(state, to, { type: "inquiry", height, run: config.run });
}

/** Of this very height: the shell vouches where this node has signed nothing at it, and remembers all that it has. */
export function answerInquiry(state: State, from: NodeId, { height, run }: Inquiry): void {
  if (isMember(state, from)) state.reports?.asking.set(from, height);
  const { round, step, voting, ownPrevotes, ownPrecommits, ownProposals } = state;
  // In a later round what was signed in earlier ones may be forgotten.
  const isUnsigned = round === 0 && ownPrevotes.size + ownPrecommits.size + ownProposals.size === 0;
  if (voting && step === "idle" && isUnsigned) state.behindRecord.push({ type: "vouch", to: from, height, run });
}

/** What was said to an earlier run counts for nothing: this node may have signed since. */
export function takeVouch(state: State, from: NodeId, { height, run }: Vouch): Outcome {
  const { reports, config } = state;
  if (reports === undefined || run !== config.run) return "consensus-unasked";
  if (!isMember(state, from) || from === state.self) return "consensus-stranger";
  if ((reports.vouched.get(from) ?? 0) >= height) return "consensus-repeated";
  reports.vouched.set(from, height);
  return "taken";
}

function othersOf({ members, self }: State): NodeId[] {
  return members.filter((member) => member !== self);
}
