// One simulated node: the consensus core behind the thinnest shell, with a disk that survives a crash and all else that does not.
// Mutants change this shell, never the core: each lacks one rule, and the checks must notice.

import { equalBytes, toHex } from "../../src/wire/bytes.js";
import { decodeCbor } from "../../src/wire/cbor.js";
import type { Certificate } from "../../src/wire/certificate.js";
import { type Consensus, createConsensus } from "../../tools/consensus/core.js";
import { decodeRecord } from "../../tools/consensus/signed-position.js";
import type { ConsensusRecord } from "../../tools/consensus/state.js";
import type { Effect, Input, Message, NodeId, Timeouts, Vote } from "../../tools/consensus/types.js";
import { type Block, makeBlock, readBlock } from "./blocks.js";
import type { Checks } from "./checks.js";
import { chain, fakeSign, fakeVerify, genesisHash } from "./keys.js";
import type { Timeline } from "./random.js";

/** `none` is the shell as it should be; the others break one rule each. */
export type Mutant =
  | "none"
  | "forgetsLock"
  | "forgetsVotes"
  | "rebuildsProposal"
  | "losesRecord"
  | "sendsBeforeDurable"
  | "countsTwice"
  | "neverResends"
  | "alwaysWorks";

/** What travels between nodes: the core's messages, and bodies for those who need them. */
export type Packet =
  | { readonly kind: "consensus"; readonly message: Message; readonly bytes: Uint8Array }
  | { readonly kind: "need"; readonly height: number; readonly id: Uint8Array }
  | { readonly kind: "body"; readonly height: number; readonly id: Uint8Array; readonly body: Uint8Array };

export interface World {
  readonly timeline: Timeline;
  readonly random: () => number;
  readonly members: readonly NodeId[];
  readonly timeouts: Timeouts;
  readonly checks: Checks;
  /** submitted items, in their order */
  readonly items: readonly string[];
  send(from: SimulatedNode, to: NodeId, packet: Packet): void;
  trace(line: string): void;
}

export interface SimulatedNode {
  readonly id: NodeId;
  readonly faulty: boolean;
  readonly blocks: readonly { readonly block: Block; readonly certificate: Certificate }[];
  alive(): boolean;
  /** restarts so far */
  lives(): number;
  start(): void;
  crash(): void;
  /** The record on disk is gone: the next life abstains. */
  damage(): void;
  receive(from: NodeId, packet: Packet): void;
  /** The first `count` submitted items are known here, durably. */
  learnItems(count: number): void;
  /** An item is not proposed here any more, durably; whoever proposes it is still right to. */
  withdraw(item: string): void;
  feed(input: Input): void;
  position(): ReturnType<Consensus["position"]> | undefined;
}

export interface NodeOptions {
  readonly id: NodeId;
  readonly faulty: boolean;
  readonly mutant: Mutant;
  /** what this node's clock shows beyond the true time */
  readonly clock_ms: number;
}

const CLOCK_BOUND_MS = 10_000;
const ITEMS_PER_BLOCK = 3;

export function createNode(world: World, options: NodeOptions): SimulatedNode {
  const { timeline, random, checks } = world;
  const { id, faulty, mutant } = options;
  const disk = {
    blocks: [] as { block: Block; certificate: Certificate }[],
    record: undefined as Uint8Array | undefined,
    decoded: undefined as ConsensusRecord | undefined,
    damaged: false,
  };
  const sealed = new Set<string>();
  const withdrawn = new Set<string>();
  const locks = new Set<string>();
  let known = 0;
  let core: Consensus | undefined;
  let life = 0;
  let queue: Effect[] = [];
  let writing: Uint8Array | undefined;
  let timers = new Map<string, object>();

  const pending = () => world.items.slice(0, known).filter((item) => !sealed.has(item) && !withdrawn.has(item));
  const tip = () => disk.blocks.at(-1)?.block;
  const clock_ms = () => timeline.now_ms() + options.clock_ms;
  /** Schedules for this life alone. */
  const later = (delay_ms: number, event: () => void) => {
    const now = life;
    timeline.at(timeline.now_ms() + delay_ms, () => {
      if (core !== undefined && life === now) event();
    });
  };

  function feed(input: Input): void {
    if (core === undefined) return;
    try {
      queue.push(...core.step(input, timeline.now_ms()));
    } catch (error) {
      if (!faulty) throw error;
      core = undefined; // a twin that meets its twin's traces may stop itself
      return;
    }
    drain();
  }

  function drain(): void {
    while (queue.length > 0 && writing === undefined) perform(queue.shift()!);
  }

  function perform(effect: Effect): void {
    switch (effect.type) {
      case "persist":
        persist(effect.record);
        return;
      case "send":
        sendMessage(effect.to, effect.message, effect.bytes);
        return;
      case "setTimer":
        setTimer(effect.name, effect.delay_ms);
        return;
      case "clearTimer":
        timers.delete(effect.name);
        return;
      case "build":
        later(random() * 5, () => build(effect.height, effect.round));
        return;
      case "validate":
        later(random() * 5, () => {
          const { height, round, fresh } = effect;
          feed({
            type: "validated",
            height,
            round,
            id: effect.id,
            fresh,
            valid: isValid(effect.id, effect.body, fresh),
          });
        });
        return;
      case "decide":
        later(random() * 5, () => store(effect));
        return;
      case "need":
        for (const peer of effect.from.slice(0, 2)) {
          world.send(node, peer, { kind: "need", height: effect.height, id: effect.id });
        }
        return;
      case "serveDecision":
        serve(effect.to, effect.height);
        return;
      case "vouch":
        return; // nobody can: here a node may know of work that no quorum holds
      case "evidence":
        if (!faulty) checks.onEvidence(id, life, effect.evidence);
        return;
      case "behind":
        return; // catching up height by height is enough here
    }
  }

  function persist(record: Uint8Array): void {
    if (mutant === "sendsBeforeDurable") {
      later(random() * 4, () => keep(record));
      return;
    }
    writing = record;
    later(random() * 4, () => {
      writing = undefined;
      keep(record);
      drain();
    });
  }

  function keep(record: Uint8Array): void {
    if (mutant === "losesRecord") return;
    disk.record = record;
    disk.decoded = undefined;
  }

  function decodedRecord(): ConsensusRecord | undefined {
    if (disk.record !== undefined && disk.decoded === undefined) disk.decoded = decodeRecord(disk.record, id);
    return disk.decoded;
  }

  function sendMessage(to: NodeId | "all", message: Message, bytes: Uint8Array): void {
    if (!faulty) {
      const blocks = disk.blocks.map(({ block }) => block);
      checks.onSent(id, message, { blocks, record: mutant === "losesRecord" ? undefined : decodedRecord() });
    }
    if (mutant === "forgetsLock" && message.type === "polka") return; // which would put it right
    world.trace(`${id.slice(-2)}>${to.slice(-2)} ${message.type}`);
    for (const peer of to === "all" ? world.members : [to]) {
      if (peer !== id) world.send(node, peer, { kind: "consensus", message, bytes });
    }
    if (mutant === "forgetsLock" && message.type === "precommit" && message.id !== null) restartAfter(message);
  }

  /** A lock is forgotten in a restart, so that mutant restarts after each. */
  function restartAfter({ height, round }: Vote): void {
    const lock = `${height}/${round}`;
    if (locks.has(lock)) return;
    locks.add(lock);
    later(0, () => {
      node.crash();
      node.start();
    });
  }

  function setTimer(name: "propose" | "prevote" | "precommit" | "resend" | "heartbeat", delay_ms: number): void {
    if (mutant === "neverResends" && (name === "resend" || name === "heartbeat")) return;
    const token = {};
    timers.set(name, token);
    later(delay_ms, () => {
      if (timers.get(name) === token) feed({ type: "timeout", name });
    });
  }

  function build(height: number, round: number): void {
    if (height !== disk.blocks.length + 1) return;
    const items = pending().slice(0, ITEMS_PER_BLOCK);
    if (items.length === 0) return feedWork();
    const block = makeBlock(tip(), Math.round(clock_ms()), items);
    feed({ type: "built", height, round, id: block.id, body: block.body });
  }

  function feedWork(): void {
    feed({ type: "work", available: pending().length > 0 || mutant === "alwaysWorks" });
  }

  function isValid(blockId: Uint8Array, body: Uint8Array, fresh: boolean): boolean {
    const block = readBlock(blockId, body);
    if (block === undefined || block.height !== disk.blocks.length + 1 || block.items.length === 0) return false;
    const previous = tip();
    if (block.previous !== (previous === undefined ? "" : toHex(previous.id))) return false;
    if (block.items.some((item) => sealed.has(item) || !world.items.includes(item))) return false;
    return !fresh || Math.abs(block.time_ms - clock_ms()) < CLOCK_BOUND_MS;
  }

  function store({ id: blockId, body, certificate, height }: Extract<Effect, { type: "decide" }>): void {
    const block = readBlock(blockId, body);
    if (block === undefined || height !== disk.blocks.length + 1)
      throw new Error("the core decided what is no next block");
    if (!faulty) checks.onDecided(id, block, certificate, tip());
    world.trace(`${id.slice(-2)} decided ${height} ${toHex(blockId).slice(0, 8)}`);
    disk.blocks.push({ block, certificate });
    for (const item of block.items) sealed.add(item);
    feed({ type: "committed", height, id: blockId, members: world.members, work: pending().length > 0 });
  }

  function serve(to: NodeId, height: number): void {
    const found = disk.blocks[height - 1];
    if (found === undefined) return;
    const message: Message = { type: "decision", height, id: found.block.id, certificate: found.certificate };
    world.send(node, to, { kind: "consensus", message, bytes: new Uint8Array() });
  }

  function answerNeed(from: NodeId, height: number, blockId: Uint8Array): void {
    const stored = disk.blocks[height - 1]?.block;
    const body = stored !== undefined && equalBytes(stored.id, blockId) ? stored.body : core?.bodyOf(height, blockId);
    if (body !== undefined) world.send(node, from, { kind: "body", height, id: blockId, body });
  }

  function receive(from: NodeId, packet: Packet): void {
    if (core === undefined) return;
    if (packet.kind === "need") answerNeed(from, packet.height, packet.id);
    else if (packet.kind === "body") {
      const { height, id: blockId, body } = packet;
      if (height === disk.blocks.length + 1 && isValid(blockId, body, false)) {
        feed({ type: "obtained", height, id: blockId, body });
      }
    } else {
      feed({ type: "message", from, message: packet.message });
      if (mutant === "countsTwice") feedAgain(from, packet.message);
    }
  }

  /** A quorum that is one short: every precommit also counts for a member that has said nothing. */
  function feedAgain(from: NodeId, message: Message): void {
    if (message.type !== "precommit" || message.id === null) return;
    const silent = world.members.find((member) => member !== id && member !== from)!;
    feed({ type: "message", from: silent, message: { ...message, node: silent } });
  }

  /** The record as the mutant's shell would hand it back. */
  function restoredRecord(): ConsensusRecord | undefined {
    const record = decodedRecord();
    if (record === undefined) return undefined;
    if (mutant === "forgetsLock") return { ...record, locked: undefined, valid: undefined };
    if (mutant === "forgetsVotes") return { ...record, prevotes: [], precommits: [], proposals: [], step: "propose" };
    if (mutant === "rebuildsProposal" && record.step !== "idle") {
      const prevotes = record.prevotes.filter(({ round }) => round !== record.round);
      const precommits = record.precommits.filter(({ round }) => round !== record.round);
      return { ...record, prevotes, precommits, proposals: [], step: "propose" };
    }
    return record;
  }

  function verify(signer: NodeId, bytes: Uint8Array, signature: Uint8Array): boolean {
    if (mutant === "countsTwice") return true;
    return fakeVerify(signer, bytes, signature);
  }

  function sign(bytes: Uint8Array): Uint8Array {
    const [domain, , , height, round, blockId, vr] = decodeCbor(bytes) as [
      string,
      unknown,
      unknown,
      number,
      number,
      never,
      number,
    ];
    const signature = fakeSign(id, bytes);
    if (domain === "gs1/prevote") {
      checks.onSigned({ type: "prevote", height, round, id: blockId, vr, node: id, signature });
    }
    return signature;
  }

  const node: SimulatedNode = {
    id,
    faulty,
    blocks: disk.blocks,
    alive: () => core !== undefined,
    lives: () => life,
    start() {
      life += 1;
      const { members, timeouts } = world;
      const abstain = disk.damaged && disk.record === undefined;
      const config = {
        genesisHash,
        chain,
        self: id,
        members,
        height: disk.blocks.length + 1,
        timeouts,
        abstain,
        run: life,
        sign,
        verify,
      };
      core = createConsensus(config, restoredRecord());
      feed({ type: "start" });
      feedWork();
    },
    crash() {
      if (writing !== undefined && random() < 0.5) keep(writing); // the write may have got through
      core = undefined;
      queue = [];
      writing = undefined;
      timers = new Map();
    },
    damage() {
      disk.record = undefined;
      disk.decoded = undefined;
      disk.damaged = true;
    },
    receive,
    learnItems(count) {
      known = Math.max(known, count);
      if (core !== undefined && pending().length > 0) feed({ type: "work", available: true });
    },
    withdraw(item) {
      withdrawn.add(item);
      feedWork();
    },
    feed,
    position: () => core?.position(),
  };
  return node;
}
