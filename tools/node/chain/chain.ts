// One chain on one node: records in, sealed blocks out. Ties gathering, the exchange of temporary blocks, the consensus and the
// sealer; chains share nothing but the process.

import { toHex } from "../../../src/wire/bytes.js";
import { type Consensus, createConsensus } from "../../consensus/core.js";
import { decodeMessage, encodeMessage } from "../../consensus/messages.js";
import { decodeRecord } from "../../consensus/signed-position.js";
import type { Effect, Message } from "../../consensus/types.js";
import { GridsealError, reasonOf } from "../../errors.js";
import { isSealable, placeOf, type ReadBatch, sealsSomething } from "../../ledger/compose.js";
import { CONTRACTS_SERVICE, everMember, governedChain, governedHeight } from "../../ledger/governance.js";
import { evidenceNotice, readNotice } from "../../ledger/notices.js";
import { chainKey } from "../store/keys.js";
import { createExchange } from "./batches/exchange.js";
import { createOrigin, type Origin } from "./batches/origin.js";
import { createPool } from "./batches/pool.js";
import { createCatchUp, SERVED_BLOCKS_MAX } from "./blocks/catch-up.js";
import { createCompositions } from "./blocks/compositions.js";
import { createRunner, PROPOSE_TIMER } from "./blocks/consensus-runner.js";
import { createContractRuns } from "./blocks/contract-runs.js";
import { createDecisions } from "./blocks/decisions.js";
import { createFollowers } from "./blocks/followers.js";
import { createBodies } from "./blocks/missing-bodies.js";
import { createProposals } from "./blocks/proposals.js";
import { contractsAfter, roomForRuns } from "./blocks/run-room.js";
import { createSealer, type Sealer, type SealerParts } from "./blocks/sealer.js";
import { decodeNeedBlocks, encodeFrame, type Frame, type FrameKind } from "./frame.js";
import type { ChainPorts, SealedBlock } from "./ports.js";
import { viewOf } from "./stored-state.js";
import { consensusRecords } from "./tables/consensus-records.js";
import type { Head } from "./tables/heads.js";

const RESEND_MS = 2_000;

/** Takes a frame of one kind; `message` is what a consensus frame says. */
type TakeFrame = (from: string, payload: Uint8Array, message: Message | undefined) => void | Promise<void>;

export interface Chain {
  readonly head: Head;
  /** the head as other chains name it; undefined before the first block */
  readonly newest: Sealer["newest"];
  /** records of this node's meters that are in no temporary block yet, and those beside that are in one and not sealed */
  readonly pendingRecords: number;
  readonly unsealedRecords: number;
  /** Who seals it, and what may be in the way, for whoever watches the node. */
  readonly standing: Standing;
  /** Takes an order that applies to what is sealed here, or the evidence of an equivocation; resolves when it is durable. */
  readonly submit: Origin["submit"];
  /** Messages of a chain or what is due, for this node's next temporary block; offered again as long as they wait. */
  readonly offer: Origin["offer"];
  /** The contracts chain has sealed orders: what waited for them goes on. */
  onGoverned(): void;
  start(): void;
  readonly known: Origin["known"];
  readonly admit: Origin["admit"];
  readonly isWaiting: Origin["isWaiting"];
  readonly waitingOf: Origin["waitingOf"];
  onFrame(from: string, frame: Frame): Promise<void>;
  /** A node can be reached again: what it may have missed is said to it. */
  onPeer(node: string): void;
  /** Whether the node is a member at the next height. */
  hasMember(node: string): boolean;
  stop(): void;
}

export interface Standing extends ReturnType<Consensus["standing"]> {
  /** ids of the members of the next height, and how many of them it takes */
  readonly members: readonly string[];
  readonly quorum: number;
  /** Whether records that came to this node wait, in its temporary blocks or not yet in one. */
  readonly waits: boolean;
  /** temporary blocks that this node has only stored so far */
  readonly unverified: number;
  /** Why this node cannot go on with what a quorum has sealed; undefined where nothing is in the way. */
  readonly disagreement: string | undefined;
}

export function createChain(ports: ChainPorts): Chain {
  const { chain, genesis, store } = ports;
  const service = chain.service;
  const selfId = toHex(ports.self.id);
  const log = ports.log;
  const runs = createContractRuns(ports, onRuns);
  const compositions = createCompositions(ports, onRuns);
  const onSealing: SealerParts["onSealing"] = (writer, block) => origin.onSealing(writer, block);
  const sealer = createSealer(ports, { runs, compositions, onSealing });
  const pool = createPool(sealer.members);
  const followers = createFollowers(
    ports,
    pool,
    () => sealer.head.height + 1,
    (node) => catchUp.ask(node),
  );
  const view = viewOf(store, service);
  const exchange = createExchange(ports, pool, onWork, {
    mayTake: (number) => origin.returned.mayTake(number),
    onTaking: (writer, displaced) => origin.returned.onTaking(writer, displaced),
    onTaken: (read, displaced) => origin.returned.onTaken(read, displaced),
    onGone: (read) => origin.returned.onGone(read),
    onEvidence: (bytes) => origin.returned.onEvidence(bytes),
  });
  const origin = createOrigin(
    ports,
    pool,
    exchange,
    {
      place: () => placeOf(sealer.tip, governedHeight(ports.governor.current), ports.now_ms()),
      sealsSomething: (read) => sealsSomething(sealer.tip, read),
    },
    () => stopped,
  );
  const catchUp = createCatchUp(ports, () => sealer.head.height + 1);
  const restored = readConsensusRecord(ports, service);
  /** whose message the consensus is looking at */
  let speaker: string | undefined;
  const consensus = createConsensus(
    {
      genesisHash: genesis.hash,
      chain: service,
      self: selfId,
      members: sealer.members.ids,
      height: sealer.head.height + 1,
      timeouts: ports.timeouts,
      // The store has lost the record of what was signed, or blocks are there without it: this node must not vote yet.
      abstain: restored === undefined && (sealer.head.height > 0 || mayHaveSigned(ports)),
      run: Math.max(0, Math.floor(ports.now_ms())),
      sign: (bytes) => ports.signer.sign(bytes),
      verify(node, bytes, signature) {
        const key = sealer.members.keyOf(node);
        if (key === undefined) return false;
        const isGood = ports.verify(key, bytes, signature);
        if (speaker !== undefined) ports.charge(speaker, isGood ? "verification" : "failure", 1);
        return isGood;
      },
    },
    restored,
  );
  const bodies = createBodies(ports, consensus.bodyOf);
  const runner = createRunner({
    consensus,
    monotonic_ms: ports.monotonic_ms,
    persist: (record) => store.write((writer) => writer.put(consensusRecords, chainKey(service), record)),
    setTimer: (name, delay_ms, callback) =>
      ports.setTimer(name, name === PROPOSE_TIMER ? delay_ms + runRoom_ms() : delay_ms, callback),
    clearTimer: ports.clearTimer,
    perform,
    onFatal: ports.onFatal,
  });
  const proposals = createProposals(ports, {
    sealer,
    pool,
    exchange,
    feed: (input) => runner.feed(input),
    onWaiting: startResending,
  });
  const decisions = createDecisions(ports, {
    sealer,
    proposals,
    catchUp,
    isStopped: () => stopped,
    onSealed: afterSealing,
    onWaiting: startResending,
  });
  /** A row for each kind of frame; only members' come here, and what followers may send. */
  const takes: { readonly [Kind in FrameKind]: TakeFrame } = {
    consensus(from, _payload, message) {
      if (message?.type === "status") followers.onStatus(from, message.height);
      speaker = from;
      runner.feed({ type: "message", from, message: message! });
      speaker = undefined;
    },
    async batch(from, payload) {
      await exchange.onBatch(from, payload);
      onWork();
    },
    disclosures: (from, payload) => exchange.onDisclosures(from, payload),
    acknowledge: (from, payload) => exchange.onAcknowledge(from, payload),
    accepted: (from, payload) => exchange.onAccepted(from, payload),
    needBatch: (from, payload) => exchange.onNeedBatch(from, payload),
    needBlocks: (from, payload) => catchUp.serve(from, decodeNeedBlocks(payload), SERVED_BLOCKS_MAX),
    needBody: (from, payload) => bodies.serve(from, payload),
    body(from, payload) {
      const taken = bodies.take(payload);
      if (taken === undefined) {
        ports.onDropped("body-unasked");
        return ports.charge(from, "unwanted", payload.length);
      }
      proposals.check({ type: "obtained", ...taken });
    },
    block(from, payload) {
      catchUp.keep(from, payload);
      return decisions.adopt();
    },
  };
  let resending = false;
  let asked = 0;
  let started = false;
  let stopped = false;

  function prepareRuns(): void {
    if (contractsAfter(sealer.tip).length > 0) runs.prepare(view.state);
  }

  function runRoom_ms(): number {
    const { lately_ms } = runs;
    return roomForRuns({ tip: sealer.tip, now_ms: ports.now_ms(), lately_ms, waits: (holds) => pool.holds(holds) });
  }

  /** Contracts have run for a block that a question is about. */
  function onRuns(): void {
    if (stopped) return;
    proposals.retry();
    decisions.storeDecided().catch(ports.onFatal);
  }

  function onWork(): void {
    if (stopped) return;
    runner.feed({ type: "work", available: proposals.hasWork() });
    proposals.retry();
    decisions.storeDecided().catch(ports.onFatal);
    startResending();
  }

  function startResending(): void {
    if (resending || stopped || (pool.size === 0 && !proposals.isWaiting && !decisions.isWaiting)) return;
    resending = true;
    ports.setTimer("resend", RESEND_MS, () => {
      resending = false;
      exchange.resend();
      onWork();
    });
  }

  function perform(effect: Exclude<Effect, { type: "persist" | "setTimer" | "clearTimer" }>): void {
    switch (effect.type) {
      case "send": {
        const frame = encodeFrame("consensus", service, effect.bytes);
        for (const node of effect.to === "all" ? followers.audience() : [effect.to]) {
          if (node !== selfId) ports.send(node, frame);
        }
        return;
      }
      case "build":
        return proposals.build(effect.height, effect.round);
      case "validate":
        return proposals.check(effect);
      case "decide":
        return decisions.decide(effect);
      case "need": {
        asked += 1;
        const peer = effect.from[asked % Math.max(1, effect.from.length)];
        if (peer === undefined) return;
        catchUp.ask(peer); // it may have sealed the block
        return bodies.ask(peer, effect.height, effect.id);
      }
      case "behind":
        return catchUp.ask(effect.peer);
      case "serveDecision":
        return catchUp.serve(effect.to, effect.height, 1);
      case "vouch":
        if (pool.holds((read) => sealsSomething(sealer.tip, read))) return;
        return ports.send(effect.to, encodeFrame("consensus", service, encodeMessage(effect)));
      case "evidence":
        log.warn(
          { first: effect.evidence.first, second: effect.evidence.second },
          "a member signed two statements for one vote",
        );
        origin.submit(readNotice(genesis.hash, evidenceNotice(effect.evidence))).catch(ports.onFatal);
        return;
      case "drop":
        return ports.onDropped(effect.reason);
    }
  }

  function afterSealing(sealed: SealedBlock): void {
    const { block } = sealed;
    const waited_ms = origin.onSealed(sealed);
    exchange.onSealed(block.batches);
    pool.remove(block.batches.map((batch) => batch.id));
    exchange.discard(pool.retain((name) => isSealable(view, name)));
    proposals.clear();
    bodies.clear();
    decisions.clear();
    const id = sealed.head.headerHash;
    if (pool.members !== sealer.members) changeMembers(sealed.head.height + 1);
    log.info(
      { height: block.height, records: sealed.records.length, id: toHex(id), round: block.certificate.round },
      sealed.sealing_ms === undefined ? "fetched" : "sealed",
    );
    ports.onSealed(sealed, waited_ms);
    const { ids: members } = pool.members;
    runner.feed({ type: "committed", height: block.height, id, members, work: proposals.hasWork() });
    followers.announce(sealed.head.height + 1);
    origin.goOn();
    decisions.adopt().catch(ports.onFatal);
  }

  function changeMembers(height: number): void {
    const before = pool.members;
    const dropped = pool.changeMembers(sealer.members);
    const is = pool.members.has(selfId);
    log.info({ height, members: pool.members.ids, member: is }, "other members from here on");
    if (is && !before.has(selfId)) {
      exchange.restore();
      origin.resume();
    }
    exchange.onMembers(dropped);
    followers.onChange(before, height);
  }

  /** Whether a temporary block of this node is still to be sealed. */
  function isOpen(read: ReadBatch): boolean {
    return !exchange.isGivenUp(read.id) && sealsSomething(sealer.tip, read);
  }

  async function take(from: string, frame: Frame): Promise<void> {
    const message = frame.kind === "consensus" ? decodeMessage(frame.payload) : undefined;
    if (!pool.members.has(from) && !followers.admits(from, frame.kind, message))
      return ports.onDropped("frame-stranger");
    await takes[frame.kind](from, frame.payload, message);
  }

  return {
    get head() {
      return sealer.head;
    },
    get newest() {
      return sealer.newest;
    },
    get pendingRecords() {
      return origin.pending;
    },
    get unsealedRecords() {
      const open = pool.readsOf(ports.self.id).filter(isOpen);
      return open.reduce((count, { records }) => count + records.length, origin.pending);
    },
    get standing() {
      const { ids: members, quorum } = pool.members;
      const waits = origin.pending > 0 || pool.readsOf(ports.self.id).some(isOpen);
      const { disagreement } = decisions;
      return { members, quorum, waits, unverified: exchange.unverified, disagreement, ...consensus.standing() };
    },
    known: origin.known,
    admit: origin.admit,
    isWaiting: origin.isWaiting,
    waitingOf: origin.waitingOf,
    submit: origin.submit,
    offer(from, notices) {
      if (started) origin.offer(from, notices);
    },
    onGoverned() {
      if (stopped || !started) return;
      decisions.onGoverned();
      pool.reconsider();
      prepareRuns();
      onWork();
      decisions.adopt().catch(ports.onFatal);
    },
    start() {
      started = true;
      exchange.restore();
      origin.restore();
      runner.feed({ type: "start" });
      prepareRuns();
      onWork();
    },
    async onFrame(from, frame) {
      if (stopped || !started) return ports.onDropped("frame-not-running");
      try {
        await take(from, frame);
      } catch (error) {
        // A damaged row: it is neither served nor built on, and whoever asked is not to blame.
        if (!(error instanceof GridsealError)) throw error;
        ports.onFatal(error);
      }
    },
    onPeer(node) {
      if (stopped || !started) return;
      followers.greet(node, sealer.head.height + 1);
      if (pool.members.has(node)) exchange.resend(node);
    },
    hasMember: (node) => pool.members.has(node),
    stop() {
      stopped = true;
      runner.stop();
      runs.clear();
      compositions.clear();
      for (const name of ["cut", "company", "resend", "follow", "takeOver", "runs", "patience"]) ports.clearTimer(name);
    },
  };
}

/**
 * Whether this node may have signed on the chain before its store was made. It cannot have where no order made it a member that it
 * could know then. Which those are, its record on the contracts chain says, which begins at a height that it had not sealed; so
 * there it counts as one that signed, member or not.
 */
function mayHaveSigned(ports: ChainPorts): boolean {
  const { store, governor, chain, self } = ports;
  if (!store.isReplaced || chain.service === CONTRACTS_SERVICE) return store.isReplaced;
  const known = readConsensusRecord(ports, CONTRACTS_SERVICE)?.since;
  const newest = known === undefined ? governedHeight(governor.current) : known - 1;
  const founded = governedChain(governor.current, chain.service)?.contractsHeight ?? 0;
  return founded <= newest && everMember(governor.current, chain.service, self.id, newest) !== undefined;
}

function readConsensusRecord(ports: ChainPorts, service: number) {
  const bytes = ports.store.get(consensusRecords, chainKey(service));
  if (bytes === undefined) return undefined;
  try {
    return decodeRecord(bytes, toHex(ports.self.id));
  } catch (cause) {
    throw new GridsealError("STORE_CORRUPT", `consensus record of chain ${service} is damaged: ${reasonOf(cause)}`, {
      cause,
    });
  }
}
