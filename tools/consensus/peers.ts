// Peers at other heights: what they claim, who is told where this node stands, whose old height is answered with its decision.
// A claimed height is a hint: it never moves this node, it only decides whom to tell that this node is behind.

import type { Outcome } from "./drops.js";
import { isCalled } from "./rounds.js";
import { isMember, type State, sameId, send } from "./state.js";
import type { Message, NodeId } from "./types.js";

/** The same answer does not go to the same peer more often. */
const ANSWER_PERIOD_MS = 500;
/** Peers whose last answers are remembered, followers included. */
const PEERS_MAX = 256;
/** Messages of the next height that are kept for each member until this node has stored its block. */
const WAITING_PER_MEMBER = 8;

/** Notes the height that an authenticated member is at. */
export function noteHeight(state: State, from: NodeId, height: number): void {
  if (!isMember(state, from) || from === state.self) return;
  const { claimed } = state.peers;
  if ((claimed.get(from) ?? 0) < height) claimed.set(from, height);
  const heights = state.reports?.heights;
  if (heights !== undefined && !heights.has(from)) heights.set(from, height);
}

/** A message from above: tells its sender where this node is, unless it is only waiting for its disk. */
export function answerAbove(state: State, to: NodeId): void {
  if (state.step === "decided") return;
  const last = state.peers.statusAt.get(to);
  // Who has moved on since has something new to say: a follower hears of each block only once.
  if (last?.height === state.height && state.now_ms - last.at_ms < ANSWER_PERIOD_MS) return;
  sendStatus(state, to);
}

/**
 * A message from below: its sender gets the decision of its height. That of the block just stored by its certificate: who is only slow
 * has the rest, and asks where it has not.
 */
export function answerBelow(
  state: State,
  to: NodeId,
  message: Exclude<Message, { type: "evidence" | "decision" | "vouch" }>,
): Outcome {
  const { height } = message;
  if (height < 1 || isLatePrecommit(state, message)) return "consensus-height-sealed";
  if (isServed(state, to, height)) return "consensus-answered";
  const { lastCommitted } = state;
  if (lastCommitted?.height === height && lastCommitted.certificate !== undefined) {
    const { id, certificate } = lastCommitted;
    send(state, to, { type: "decision", height, id, certificate });
    return "taken";
  }
  state.behindRecord.push({ type: "serveDecision", to, height });
  if (height + 1 < state.height) answerAbove(state, to); // so that it knows how far it is behind
  return "taken";
}

/** A member goes on in an earlier round while this node rests, so that no resend shows the way: it hears how this node came here. */
export function answerEarlier(state: State, to: NodeId): void {
  const { height, roundCertificate: votes } = state;
  if (votes.length === 0 || !isMember(state, to) || isCalled(state) || isServed(state, to, height)) return;
  send(state, to, { type: "round", height, votes });
}

/** Whether the peer had an answer about the height a moment ago; from now on it has one. */
function isServed({ peers, now_ms }: State, to: NodeId, height: number): boolean {
  const last = peers.servedAt.get(to);
  if (last !== undefined && last.height === height && now_ms - last.at_ms < ANSWER_PERIOD_MS) return true;
  remember(peers.servedAt, to, { height, at_ms: now_ms });
  return false;
}

/** After every block there are precommits that the quorum did not wait for: their senders decide without an answer. */
function isLatePrecommit(state: State, message: Message): boolean {
  const last = state.lastCommitted;
  if (message.type !== "precommit" || message.id === null || last === undefined) return false;
  return last.height === message.height && sameId(last.id, message.id);
}

/** At a new height: tells the members that claim to be further still, which goes on until none does. */
export function askThoseAhead(state: State): void {
  for (const [node, height] of state.peers.claimed) {
    if (!isMember(state, node)) state.peers.claimed.delete(node);
    else if (height > state.height) sendStatus(state, node);
  }
}

export function sendStatus(state: State, to: NodeId | "all"): void {
  if (to !== "all") remember(state.peers.statusAt, to, { height: state.height, at_ms: state.now_ms });
  send(state, to, { type: "status", height: state.height });
}

/** Keeps a message of the next height; what a member sends beyond its share comes again with its resend. */
export function keepWaiting(
  state: State,
  from: NodeId,
  message: Exclude<Message, { type: "evidence" | "vouch" }>,
): Outcome {
  if (message.type === "status" || message.type === "inquiry") return "taken"; // it says where its sender is, no more
  if (message.height !== state.height + 1) return "consensus-height-ahead";
  if (!isMember(state, from)) return "consensus-stranger";
  const kept = state.peers.waiting.get(from) ?? [];
  const tooMany = kept.length >= WAITING_PER_MEMBER;
  const second = message.type === "proposal" && kept.some(({ type }) => type === "proposal");
  if (tooMany || second) return "consensus-no-room";
  kept.push(message);
  state.peers.waiting.set(from, kept);
  return "taken";
}

/** The messages that waited for this height, no longer kept. */
export function takeWaiting(state: State): { readonly from: NodeId; readonly message: Message }[] {
  const taken = [...state.peers.waiting].flatMap(([from, messages]) => messages.map((message) => ({ from, message })));
  state.peers.waiting.clear();
  return taken;
}

function remember<V>(map: Map<NodeId, V>, peer: NodeId, value: V): void {
  map.delete(peer); // to the end of the Map's order, which is the order of use
  map.set(peer, value);
  if (map.size > PEERS_MAX) map.delete(map.keys().next().value!);
}
