// The consensus core of one chain: input and time in, effects out. No clock, disk, socket or randomness; rules.ts has the protocol.
// Effects that carry this node's signature come after the record that keeps it from contradicting itself.

import { NODES_MAX } from "../../src/wire/bounds.js";
import { assertInvariant } from "./assert.js";
import { checkCommit } from "./certificates.js";
import { askThoseAhead, sendStatus, takeWaiting } from "./peers.js";
import { receive } from "./receive.js";
import { type Abstention, abstentionOf, inquire, isPast, isVouchedFor, regain } from "./regaining.js";
import { resend } from "./resend.js";
import { isCalled, startTimer } from "./rounds.js";
import { evaluate, sendProposal, timeOut } from "./rules.js";
import { encodeRecord, isRecordOf } from "./signed-position.js";
import type { ConsensusRecord } from "./state.js";
import {
  clearTimer,
  createHeightState,
  isMember,
  isProposer,
  knownValue,
  type State,
  type Step,
  setTimer,
} from "./state.js";
import type { ConsensusConfig, Effect, Input, Message, NodeId, TimerName } from "./types.js";
import { takeBody, takeVerdict } from "./values.js";
import { keepSettled, keepVote, keyOf, ROUNDS_KEPT, roundVotes } from "./votes.js";

export interface Consensus {
  /** Takes one input at a monotonic time; the effects are to be performed in their order. Throws where an invariant fails. */
  step(input: Input, now_ms: number): Effect[];
  /** Where the node stands, for metrics and logs. */
  position(): { readonly height: number; readonly round: number; readonly step: Step; readonly voting: boolean };
  /** What keeps this node from signing, undefined where nothing does, and the newest block that each member claims. */
  standing(): { readonly abstention: Abstention | undefined; readonly claimed: readonly number[] };
  /** A body of the height under way that is valid for the id, to answer a peer that needs it. */
  bodyOf(height: number, id: Uint8Array): Uint8Array | undefined;
}

/** A core at the next height of its chain; with the record of an earlier run it goes on where that one signed last. */
export function createConsensus(config: ConsensusConfig, restored?: ConsensusRecord): Consensus {
  checkMembers(config.members);
  assertInvariant(
    restored === undefined || isRecordOf(restored, config.genesisHash, config.chain),
    "a consensus record is of its own chain",
  );
  const state = createState(config, restored);
  beginHeight(state);
  return {
    step(input, now_ms) {
      state.now_ms = now_ms;
      take(state, input);
      evaluate(state);
      return collectEffects(state);
    },
    position: () => ({ height: state.height, round: state.round, step: state.step, voting: state.voting }),
    standing: () => ({
      abstention: abstentionOf(state),
      claimed: state.members.flatMap((member) => state.peers.claimed.get(member) ?? []).map((height) => height - 1),
    }),
    bodyOf: (height, id) => (height === state.height ? knownValue(state, id)?.body : undefined),
  };
}

function createState(config: ConsensusConfig, restored: ConsensusRecord | undefined): State {
  return {
    ...createHeightState(),
    config,
    self: config.self,
    members: config.members,
    height: config.height,
    voting: false,
    restored,
    reports: config.abstain ? { heights: new Map(), vouched: new Map(), asking: new Map() } : undefined,
    since: restored?.since ?? config.height,
    lastCommitted: undefined,
    work: false,
    now_ms: 0,
    signed: false,
    beforeRecord: [],
    behindRecord: [],
    peers: {
      claimed: new Map(),
      statusAt: new Map(),
      servedAt: new Map(),
      waiting: new Map(),
      reported: new Set(),
    },
  };
}

function checkMembers(members: readonly NodeId[]): void {
  assertInvariant(members.length > 0 && members.length <= NODES_MAX, `a chain has 1 to ${NODES_MAX} members`);
  assertInvariant(new Set(members).size === members.length, "members are distinct");
}

/** The record first among the effects that depend on it. */
function collectEffects(state: State): Effect[] {
  const effects = state.beforeRecord;
  if (state.signed) effects.push({ type: "persist", record: encodeRecord(state) });
  effects.push(...state.behindRecord);
  state.beforeRecord = [];
  state.behindRecord = [];
  state.signed = false;
  return effects;
}

function take(state: State, input: Input): void {
  switch (input.type) {
    case "start":
      start(state);
      return;
    case "message":
      takeMessage(state, input.from, input.message);
      if (isVouchedFor(state)) {
        regain(state);
        beginHeight(state);
      }
      return;
    case "timeout":
      takeTimeout(state, input.name);
      return;
    case "work":
      if (input.available && !state.work) state.building = undefined; // the shell may have had nothing when it was asked
      state.work = input.available;
      return;
    case "built":
      takeBuilt(state, input);
      return;
    case "validated":
      if (input.height === state.height) takeVerdict(state, input.round, input.id, input.fresh, input.valid);
      return;
    case "obtained":
      if (input.height === state.height) takeBody(state, input.id, input.body);
      return;
    case "committed":
      takeCommitted(state, input);
      return;
  }
}

/** Sets the timers of the step that was restored, writes a first record, and says where this node is. */
function start(state: State): void {
  const { timeouts } = state.config;
  setTimer(state, "heartbeat", timeouts.heartbeat_ms);
  // From now on a missing record is a lost one: also for a node that is no member yet.
  if (state.self !== undefined && state.reports === undefined && state.restored === undefined) state.signed = true;
  resumeStep(state);
  sendStatus(state, "all");
}

/** After a restart the node says again what it said, and waits anew. */
function resumeStep(state: State): void {
  if (state.step === "idle") return;
  setTimer(state, "resend", 0);
  if (state.step === "propose") startTimer(state, "propose");
}

function takeTimeout(state: State, name: TimerName): void {
  const deadline_ms = state.deadlines.get(name);
  if (deadline_ms === undefined) return; // it fired while the effect that cleared it was waiting
  if (state.now_ms < deadline_ms) {
    setTimer(state, name, deadline_ms - state.now_ms); // of an earlier setting, or early by the rounding of a clock
    return;
  }
  state.deadlines.delete(name);
  if (name === "resend") resend(state);
  else if (name === "heartbeat") {
    if (state.step === "idle" || !isCalled(state)) sendStatus(state, "all");
    inquire(state, "all");
    setTimer(state, "heartbeat", state.config.timeouts.heartbeat_ms);
  } else timeOut(state, name);
}

/** The shell's new value, unless its round or its propose step is over. */
function takeBuilt(state: State, built: Extract<Input, { type: "built" }>): void {
  const awaited = built.height === state.height && built.round === state.round && state.building === state.round;
  if (!awaited || state.step !== "propose" || state.valid !== undefined || !isProposer(state)) return;
  state.building = undefined;
  sendProposal(state, { id: built.id, body: built.body, fresh: true }, -1, []);
}

function takeCommitted(state: State, { height, id, members, work }: Extract<Input, { type: "committed" }>): void {
  assertInvariant(height >= state.height, "a height is committed once");
  if (height === state.height && state.commit !== undefined) {
    assertInvariant(keyOf(state.commit.id) === keyOf(id), "what is stored is what was decided");
  }
  checkMembers(members);
  const past = isPast(state, height + 1);
  for (const name of ["propose", "prevote", "precommit", "resend"] as const) clearTimer(state, name);
  const { deadlines } = state;
  state.lastCommitted = { height, id, certificate: height === state.height ? state.commit?.certificate : undefined };
  state.height = height + 1;
  state.members = members;
  state.work = work;
  Object.assign(state, createHeightState(), { deadlines });
  if (past || isVouchedFor(state)) regain(state);
  beginHeight(state);
  resumeStep(state);
  askThoseAhead(state);
  if (![...state.peers.claimed.values()].some((claimed) => claimed > state.height)) inquire(state, "all");
  for (const { from, message } of takeWaiting(state)) {
    evaluate(state);
    takeMessage(state, from, message);
  }
}

function takeMessage(state: State, from: NodeId, message: Message): void {
  const outcome = receive(state, from, message);
  if (outcome !== "taken") state.beforeRecord.push({ type: "drop", reason: outcome });
}

/** Decides whether this node signs at its height, and takes up the record of an earlier run at it. */
function beginHeight(state: State): void {
  if (state.restored !== undefined && state.restored.height < state.height) state.restored = undefined;
  const { self, restored } = state;
  const mayContradict = state.reports !== undefined || (restored !== undefined && restored.height > state.height);
  state.voting = self !== undefined && isMember(state, self) && !mayContradict;
  if (state.voting && restored !== undefined) restore(state, restored);
}

function restore(state: State, record: ConsensusRecord): void {
  assertInvariant(record.height === state.height, "a record is taken up at its own height");
  state.round = record.round;
  state.step = record.step;
  state.locked = record.locked;
  state.valid = record.valid;
  state.roundCertificate = record.roundCertificate;
  for (const value of record.values) state.values.set(keyOf(value.id), value);
  for (const proposal of record.proposals) {
    state.ownProposals.set(proposal.round, proposal);
    if (proposal.round !== state.round) continue;
    const candidate = { proposal, asked: undefined, freshValid: true, valid: true };
    roundVotes(state.keeper, proposal.round).proposals.push(candidate);
  }
  for (const prevote of record.prevotes) state.ownPrevotes.set(prevote.round, prevote);
  for (const precommit of record.precommits) state.ownPrecommits.set(precommit.round, precommit);
  for (const vote of [...record.prevotes, ...record.precommits]) {
    if (vote.round >= state.round - ROUNDS_KEPT) keepVote(state.keeper, vote);
    else if (vote.type === "precommit" && vote.id !== null) keepSettled(state.keeper, vote);
    if (vote.type === "precommit") checkCommit(state, vote); // a member that is a quorum by itself needs no other
  }
}
