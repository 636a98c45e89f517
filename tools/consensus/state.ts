// What one consensus instance holds, and the few primitives that the rules share: signing, sending, timers, verification.

import { equalBytes } from "../../src/wire/bytes.js";
import type { Certificate } from "../../src/wire/certificate.js";
import { faults, quorum } from "../../src/wire/quorum.js";
import { assertInvariant } from "./assert.js";
import { encodeMessage, signedBytes } from "./messages.js";
import type {
  ConsensusConfig,
  Effect,
  Message,
  NodeId,
  Polka,
  Precommit,
  Prevote,
  Proposal,
  Statement,
  TimerName,
  Vote,
} from "./types.js";
import { createVoteKeeper, keyOf, type VoteKeeper } from "./votes.js";

/** `idle`: in a round without timers, until something calls. `decided`: waiting for the block to be stored. */
export type Step = "idle" | "propose" | "prevote" | "precommit" | "decided";

/** A body that is known to be valid for its id. */
export interface Value {
  readonly id: Uint8Array;
  readonly body: Uint8Array;
  /** the clock was satisfied too */
  readonly fresh: boolean;
}

export interface Lock {
  readonly round: number;
  readonly value: Value;
}

/** validValue and validRound of the paper, with the proof. */
export interface ValidValue extends Lock {
  readonly polka: Polka;
}

/** A quorum's precommits for one value; the body may still be missing. */
export interface Commit {
  readonly id: Uint8Array;
  readonly certificate: Certificate;
  /** members that are likely to have the body, the likeliest first */
  readonly from: readonly NodeId[];
}

/** What belongs to one height. */
export interface HeightState {
  round: number;
  step: Step;
  locked: Lock | undefined;
  valid: ValidValue | undefined;
  readonly keeper: VoteKeeper;
  readonly values: Map<string, Value>;
  /** own signed messages, by round */
  readonly ownProposals: Map<number, Proposal>;
  readonly ownPrevotes: Map<number, Prevote>;
  readonly ownPrecommits: Map<number, Precommit>;
  /** polkas above the valid round whose bodies may be missing; highest round first */
  polkas: Polka[];
  /** what let this node into its round; empty in round 0 */
  roundCertificate: readonly Vote[];
  commit: Commit | undefined;
  /** the round for which the shell was asked to build */
  building: number | undefined;
  /** ids for which `need` has been said since the last resend */
  readonly needed: Set<string>;
  readonly deadlines: Map<TimerName, number>;
}

/** What outlives a height. */
export interface State extends HeightState {
  readonly config: ConsensusConfig;
  readonly self: NodeId | undefined;
  members: readonly NodeId[];
  height: number;
  /** whether this node signs at this height */
  voting: boolean;
  /** a record of a height that the chain has not reached again yet, or reached now */
  restored: ConsensusRecord | undefined;
  /** while abstaining: what the members have said */
  reports: Reports | undefined;
  /** the first height of which everything is remembered that this node has signed */
  since: number;
  /** the certificate where this node has decided it, and not taken the block from a peer */
  lastCommitted:
    | { readonly height: number; readonly id: Uint8Array; readonly certificate: Certificate | undefined }
    | undefined;
  work: boolean;
  now_ms: number;
  /** own signed messages are among the effects of this step */
  signed: boolean;
  /** effects that may come before the record is durable, and those that may not */
  beforeRecord: Effect[];
  behindRecord: Effect[];
  readonly peers: PeerState;
}

/** What members say to one that has lost its record. */
export interface Reports {
  /** the first height that each reported */
  readonly heights: Map<NodeId, number>;
  /** the newest height at which each has vouched that it signed and held nothing */
  readonly vouched: Map<NodeId, number>;
  /** members that have lost their record too: the height that each asked for */
  readonly asking: Map<NodeId, number>;
}

export interface PeerState {
  /** highest height that each member has claimed: a hint */
  readonly claimed: Map<NodeId, number>;
  /** when a STATUS last went to a peer, and a DECISION or the certificate of a ROUND */
  readonly statusAt: Map<NodeId, { readonly height: number; readonly at_ms: number }>;
  readonly servedAt: Map<NodeId, { readonly height: number; readonly at_ms: number }>;
  /** messages of the next height, a few a member */
  readonly waiting: Map<NodeId, Message[]>;
  /** equivocation that was reported, by signer, height, round and type */
  readonly reported: Set<string>;
}

export function createHeightState(): HeightState {
  return {
    round: 0,
    step: "idle",
    locked: undefined,
    valid: undefined,
    keeper: createVoteKeeper(),
    values: new Map(),
    ownProposals: new Map(),
    ownPrevotes: new Map(),
    ownPrecommits: new Map(),
    polkas: [],
    roundCertificate: [],
    commit: undefined,
    building: undefined,
    needed: new Set(),
    deadlines: new Map(),
  };
}

export function quorumOf(state: State): number {
  return quorum(state.members.length);
}

/** f+1: so many members include a correct one. */
export function supportOf(state: State): number {
  return faults(state.members.length) + 1;
}

export function isMember(state: State, node: NodeId): boolean {
  return state.members.includes(node);
}

/** proposer(h, r) = members[(h + r) mod n]. */
export function proposerOf(state: State, round: number): NodeId {
  return state.members[(state.height + round) % state.members.length]!;
}

export function isProposer(state: State): boolean {
  return state.voting && proposerOf(state, state.round) === state.self;
}

export function knownValue(state: State, id: Uint8Array): Value | undefined {
  return state.values.get(keyOf(id));
}

/** Remembers a valid body; one that also satisfied the clock is not replaced by one that was not held to it. */
export function keepValue(state: State, value: Value): Value {
  const key = keyOf(value.id);
  const known = state.values.get(key);
  if (known !== undefined && (known.fresh || !value.fresh)) return known;
  state.values.set(key, value);
  return value;
}

export function verifyStatement(state: State, statement: Statement): boolean {
  if (!isMember(state, statement.node)) return false;
  const bytes = signedBytes(state.config.genesisHash, state.config.chain, statement);
  return state.config.verify(statement.node, bytes, statement.signature);
}

/** Signs for this node; the step will end with the record before anything is sent. */
export function signStatement(state: State, statement: Parameters<typeof signedBytes>[2]): Uint8Array {
  assertInvariant(state.voting && state.self !== undefined, "only a voting member signs");
  assertInvariant(
    statement.height === state.height && statement.round === state.round,
    "a node signs for its own round",
  );
  state.signed = true;
  const signature = state.config.sign(signedBytes(state.config.genesisHash, state.config.chain, statement));
  assertInvariant(signature.length === 64, "a signature has 64 bytes");
  return signature;
}

export function send(state: State, to: NodeId | "all", message: Message): void {
  state.behindRecord.push({ type: "send", to, message, bytes: encodeMessage(message) });
}

export function setTimer(state: State, name: TimerName, delay_ms: number): void {
  state.deadlines.set(name, state.now_ms + delay_ms);
  state.beforeRecord.push({ type: "setTimer", name, delay_ms });
}

export function clearTimer(state: State, name: TimerName): void {
  if (state.deadlines.delete(name)) state.beforeRecord.push({ type: "clearTimer", name });
}

/** Members of a certificate, the named one first. */
export function holders(first: NodeId | undefined, signers: readonly NodeId[]): readonly NodeId[] {
  return first === undefined ? signers : [first, ...signers.filter((node) => node !== first)];
}

export function sameId(left: Uint8Array, right: Uint8Array): boolean {
  return equalBytes(left, right);
}

/** A node's position at a height, as far as it outlives a restart. */
export interface ConsensusRecord extends Pick<HeightState, "round" | "step" | "locked" | "valid" | "roundCertificate"> {
  readonly genesisHash: Uint8Array;
  readonly chain: number;
  readonly height: number;
  readonly prevotes: readonly Prevote[];
  readonly precommits: readonly Precommit[];
  readonly proposals: readonly Proposal[];
  readonly values: readonly Value[];
  /** The first height of which everything is remembered that this node has signed. */
  readonly since: number;
}
