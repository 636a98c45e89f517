// One node of a simulation: the real chains, admissions and receipts over a simulated disk, clock and network. It can die within
// any call it makes; what its code does after that has no effect, as if the process were gone.

import { toHex } from "../../src/wire/bytes.js";
import { WireError } from "../../src/wire/error.js";
import type { Genesis, GenesisChain, Member } from "../../src/wire/genesis.js";
import type { Signer } from "../../src/wire/key.js";
import { serviceTopic } from "../../src/wire/topics.js";
import { GridsealError, reasonOf } from "../errors.js";
import { type Admissions, Busy, createAdmissions } from "../node/admissions.js";
import { type Chain, createChain } from "../node/chain/chain.js";
import type { ChainLog, ChainPorts } from "../node/chain/ports.js";
import type { SealedBlock } from "../node/chain/sealer.js";
import { localTimeouts, type Statement } from "../node/consensus/types.js";
import { decodeFrame } from "../node/frame.js";
import { createMetrics } from "../node/metrics.js";
import { createReceipts, receiptOf } from "../node/receipts.js";
import type { Store } from "../node/store/store.js";
import type { Adversary } from "./adversary.js";
import type { Disk } from "./disk.js";
import { simulatedVerify } from "./keys.js";
import type { Random } from "./random.js";
import type { Timeline } from "./timeline.js";

/** The moment at which virtual time begins, UTC. */
export const EPOCH_MS = 1_790_000_000_000;

/** What a node's process is told and what it tells; everything that is not the node itself. */
export interface NodeWorld {
  readonly genesis: Genesis;
  readonly timeline: Timeline;
  readonly random: Random;
  send(from: SimulatedNode, to: string, frame: Uint8Array): void;
  /** A frame is about to leave, before anything else happens to it. */
  onSent(node: SimulatedNode, frame: Uint8Array): void;
  onSigned(node: SimulatedNode, bytes: Uint8Array): void;
  onEvidence(node: SimulatedNode, chain: number, first: Statement, second: Statement): void;
  onSealed(node: SimulatedNode, sealed: SealedBlock): void;
  /** To a meter, on a topic of its own. */
  publish(node: SimulatedNode, topic: string, payload: Uint8Array): void;
  isSubscribed(node: SimulatedNode, topic: string): boolean;
  /** It stops by itself, with this reason. */
  onFatal(node: SimulatedNode, reason: unknown): void;
  /** Something a peer or a meter sent made it throw what is no refusal. */
  onDefect(node: SimulatedNode, what: string): void;
  trace(line: string): void;
  /** Takes one rule away, where the run is of a mutant. */
  readonly mutate: (ports: ChainPorts, node: SimulatedNode) => ChainPorts;
  readonly mutateFrame: (frame: Uint8Array, node: SimulatedNode) => readonly Uint8Array[];
}

export interface NodeOptions {
  readonly member: Member;
  readonly signer: Signer;
  /** names it in traces; copies of one member have different ones */
  readonly label: string;
  readonly copy: number;
  readonly copies: number;
  readonly disk: Disk;
  readonly adversary: Adversary | undefined;
  readonly batch: ChainPorts["batch"];
}

export interface SimulatedNode {
  readonly id: string;
  /** ids of the other members */
  readonly peers: readonly string[];
  readonly label: string;
  readonly copy: number;
  readonly copies: number;
  readonly signer: Signer;
  readonly disk: Disk;
  readonly adversary: Adversary | undefined;
  readonly life: number;
  readonly isUp: boolean;
  readonly chains: ReadonlyMap<number, Chain>;
  /** chains that it is a member of */
  readonly chainNumbers: readonly number[];
  /** what the clock shows beyond the true time */
  clock_ms: number;
  /** True where it came up; a damaged store is a reason not to. */
  start(): boolean;
  /** As kill -9 or a power cut. */
  kill(): void;
  /** It dies within the given call of the outside from now on. */
  killWithin(calls: number): void;
  /** As SIGTERM. */
  stop(): void;
  receive(from: string, frame: Uint8Array): void;
  onPeer(id: string): void;
  /** What a meter published; resolves when it is to be acknowledged, to false where it is not. */
  onPublish(topic: string, payload: Uint8Array): Promise<boolean>;
  /** Sends as this node, past its own code. */
  inject(to: string, frame: Uint8Array): void;
}

interface Life {
  readonly number: number;
  readonly started_ms: number;
  readonly chains: Map<number, Chain>;
  admissions: Admissions | undefined;
  readonly timers: Map<string, object>;
}

const metrics = createMetrics();

export function createNode(world: NodeWorld, options: NodeOptions): SimulatedNode {
  const { timeline, random, genesis } = world;
  const { disk, signer, member, label, adversary } = options;
  const id = toHex(member.id);
  let lives = 0;
  let life: Life | undefined;
  let fuse = Number.POSITIVE_INFINITY;

  /** Counts a call of the outside; false where the node that makes it is dead, or dies in it. */
  const reaches = (mine: Life): boolean => {
    if (life !== mine) return false;
    fuse -= 1;
    if (fuse > 0) return true;
    node.kill();
    return false;
  };

  const later = (mine: Life, delay_ms: number, event: () => void) =>
    timeline.after(delay_ms, () => {
      if (life === mine) event();
    });

  const setTimer = (mine: Life, name: string, delay_ms: number, callback: () => void) => {
    if (!reaches(mine)) return;
    const token = {};
    mine.timers.set(name, token);
    // A timer is a little late, or early by the rounding of the clock.
    later(mine, Math.max(0, delay_ms + random.between(-0.4, 3)), () => {
      if (mine.timers.get(name) !== token) return;
      mine.timers.delete(name);
      callback();
    });
  };

  const fatal = (mine: Life, reason: unknown) => {
    if (life !== mine) return;
    node.stop();
    world.onFatal(node, reason);
  };

  const logOf = (mine: Life, chain: number): ChainLog => {
    const say = (fields: object, message: string) => {
      if (life !== mine) return;
      world.trace(`${label} chain ${chain}: ${message} ${describe(fields)}`);
      const { first, second } = fields as { first?: Statement; second?: Statement };
      if (first !== undefined && second !== undefined) world.onEvidence(node, chain, first, second);
    };
    return { debug: say, info: say, warn: say, error: say };
  };

  const verifyAsync: ChainPorts["verifyAsync"] = (key, message, signature) =>
    new Promise((resolve) =>
      timeline.after(random.between(0.1, 3), () => resolve(simulatedVerify(key, message, signature))),
    );

  const storeOf = (mine: Life): Store => {
    const store = disk.open();
    return { ...store, write: (fill) => (reaches(mine) ? store.write(fill) : new Promise(() => {})) };
  };

  const portsOf = (mine: Life, chain: GenesisChain, store: Store): ChainPorts => ({
    genesis,
    chain,
    self: member,
    signer: { key: signer.key, sign: (bytes) => sign(mine, bytes) },
    store,
    timeouts: localTimeouts,
    batch: options.batch,
    log: logOf(mine, chain.service),
    verify: simulatedVerify,
    verifyAsync,
    now_ms: () => Math.floor(EPOCH_MS + timeline.now_ms() + node.clock_ms),
    monotonic_ms: () => timeline.now_ms() - mine.started_ms,
    setTimer: (name, delay_ms, callback) => setTimer(mine, `${chain.service}/${name}`, delay_ms, callback),
    clearTimer: (name) => void mine.timers.delete(`${chain.service}/${name}`),
    peers: () => node.peers,
    send: (to, frame) => send(mine, to, frame),
    anchors: () => anchorsBeside(chain.service, mine.chains),
    onSealed(sealed) {
      if (!reaches(mine)) return;
      world.onSealed(node, sealed);
      publishReceipts(mine, sealed);
    },
    onFatal: (reason) => fatal(mine, reason),
  });

  const sign = (mine: Life, bytes: Uint8Array) => {
    if (reaches(mine)) world.onSigned(node, bytes);
    return signer.sign(bytes);
  };

  const send = (mine: Life, to: string, frame: Uint8Array) => {
    if (!reaches(mine)) return;
    if (adversary === undefined) {
      world.onSent(node, frame);
      world.send(node, to, frame);
    } else {
      for (const sent of adversary.onSend(to, frame)) world.send(node, sent.to, sent.frame);
    }
  };

  const publish = (mine: Life, topic: string, payload: Uint8Array) => {
    if (reaches(mine)) world.publish(node, topic, payload);
  };

  const publishReceipts = (mine: Life, { block, tree, records }: SealedBlock) => {
    for (const [index, record] of records.entries()) {
      const topic = serviceTopic(genesis.network, block.chain, "receipt", toHex(record.kid));
      if (world.isSubscribed(node, topic)) publish(mine, topic, receiptOf(block, tree, index + 1, record.hash));
    }
  };

  const open = (mine: Life) => {
    const store = storeOf(mine);
    for (const chain of genesis.chains) {
      if (!node.chainNumbers.includes(chain.service)) continue;
      mine.chains.set(chain.service, createChain(world.mutate(portsOf(mine, chain, store), node)));
    }
    mine.admissions = createAdmissions({
      genesis,
      store,
      chains: mine.chains,
      receipts: createReceipts(store),
      metrics,
      log: logOf(mine, 0),
      verify: simulatedVerify,
      verifyAsync: adversary?.takesForgeries ? () => Promise.resolve(true) : verifyAsync,
      now_ms: () => Math.floor(EPOCH_MS + timeline.now_ms() + node.clock_ms),
      publish: (topic, payload) => publish(mine, topic, payload),
    });
  };

  const node: SimulatedNode = {
    id,
    peers: genesis.nodes.map((other) => toHex(other.id)).filter((other) => other !== id),
    label,
    copy: options.copy,
    copies: options.copies,
    signer,
    disk,
    adversary,
    clock_ms: 0,
    chainNumbers: genesis.chains
      .filter((chain) => chain.members.some((candidate) => toHex(candidate.id) === id))
      .map((chain) => chain.service),
    get life() {
      return lives;
    },
    get isUp() {
      return life !== undefined;
    },
    get chains() {
      return life?.chains ?? new Map();
    },
    start() {
      lives += 1;
      fuse = Number.POSITIVE_INFINITY;
      const mine: Life = {
        number: lives,
        started_ms: timeline.now_ms(),
        chains: new Map(),
        admissions: undefined,
        timers: new Map(),
      };
      life = mine;
      try {
        open(mine);
        for (const chain of mine.chains.values()) chain.start();
      } catch (error) {
        world.trace(`${label} does not start: ${reasonOf(error)}`);
        life = undefined;
        disk.crash();
        if (!(error instanceof GridsealError)) world.onDefect(node, `start: ${reasonOf(error)}`);
        return false;
      }
      return life === mine;
    },
    kill() {
      if (life === undefined) return;
      world.trace(`${label} is killed`);
      life = undefined;
      disk.crash();
    },
    killWithin(calls) {
      fuse = calls;
    },
    stop() {
      if (life === undefined) return;
      world.trace(`${label} stops`);
      for (const chain of life.chains.values()) chain.stop();
      life = undefined;
      disk.flush();
    },
    receive(from, bytes) {
      const mine = life;
      if (mine === undefined || adversary?.onReceive(from, bytes) === false) return;
      for (const passed of world.mutateFrame(bytes, node)) {
        const frame = decodeFrame(passed);
        const chain = frame === undefined ? undefined : mine.chains.get(frame.chain);
        if (frame === undefined || chain === undefined) continue;
        chain.onFrame(from, frame).catch((error: unknown) => {
          if (life !== mine) return;
          world.trace(`${label} drops ${frame.kind} of ${from.slice(0, 4)}: ${reasonOf(error)}`);
          if (!(error instanceof WireError)) world.onDefect(node, `${frame.kind}: ${stackOf(error)}`);
        });
      }
    },
    onPeer(peer) {
      for (const chain of life?.chains.values() ?? []) chain.onPeer(peer);
    },
    async onPublish(topic, payload) {
      const mine = life;
      if (mine === undefined) return false;
      try {
        await mine.admissions!.onPublish(topic, payload);
      } catch (error) {
        if (life === mine && !(error instanceof Busy)) fatal(mine, error);
        return false;
      }
      return life === mine;
    },
    inject: (to, frame) => world.send(node, to, frame),
  };
  return node;
}

/** Newest sealed headers of the node's other chains, ascending. */
function anchorsBeside(service: number, chains: ReadonlyMap<number, Chain>) {
  return [...chains]
    .filter(([other, chain]) => other !== service && chain.head.height > 0)
    .map(([chain, { head }]) => ({ chain, height: head.height, headerHash: head.headerHash }))
    .sort((left, right) => left.chain - right.chain);
}

function describe(fields: object): string {
  return Object.entries(fields)
    .filter(([, value]) => typeof value !== "object")
    .map(([name, value]) => `${name} ${String(value).slice(0, 96)}`)
    .join(", ");
}

function stackOf(error: unknown): string {
  return error instanceof Error ? String(error.stack).split("\n").slice(0, 4).join(" | ") : String(error);
}
