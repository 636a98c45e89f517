// One node of a simulation: it starts, stops and dies, and each of its lives runs the real code (life.ts). It can die within any
// call it makes of the outside.

import { toHex } from "../../../../src/wire/bytes.js";
import { WireError } from "../../../../src/wire/error.js";
import type { Genesis, Member } from "../../../../src/wire/genesis.js";
import type { Signer } from "../../../../src/wire/key.js";
import type { Statement } from "../../../consensus/types.js";
import { GridsealError, reasonOf } from "../../../errors.js";
import type { SealedBlock } from "../../../node/chain/blocks/sealer.js";
import type { Chain } from "../../../node/chain/chain.js";
import { decodeFrame } from "../../../node/chain/frame.js";
import type { ChainPorts } from "../../../node/chain/ports.js";
import { publishedTopic } from "../../../node/ingest/ingest.js";
import { Busy } from "../../../node/ingest/publications.js";
import type { OrderAnswer } from "../../../node/orders.js";
import type { Random } from "../../rig/random.js";
import { stackOf } from "../checks/violation.js";
import type { Adversary } from "../faults/adversary.js";
import type { Disk } from "./disk.js";
import { type Life, openLife } from "./node-life.js";
import type { Timeline } from "./timeline.js";

/** What a node's process is told and what it tells; everything that is not the node itself. */
export interface NodeWorld {
  readonly genesis: Genesis;
  /** ids of all nodes of the run */
  readonly ids: readonly string[];
  readonly timeline: Timeline;
  readonly random: Random;
  send(from: SimulatedNode, to: string, frame: Uint8Array): void;
  /** A frame is about to leave, before anything else happens to it. */
  onSent(node: SimulatedNode, frame: Uint8Array): void;
  onSigned(node: SimulatedNode, bytes: Uint8Array): void;
  onEvidence(node: SimulatedNode, chain: number, first: Statement, second: Statement): void;
  onSealed(node: SimulatedNode, sealed: SealedBlock): void;
  /** It keeps another node out for what that has sent. */
  onShut(node: SimulatedNode, peer: string): void;
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
  /** chains that it follows without being a member */
  readonly follows: readonly number[];
}

export interface SimulatedNode {
  readonly id: string;
  /** ids of the other nodes */
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
  /** services of the chains that it has written anything of */
  readonly chainNumbers: readonly number[];
  /** what the clock shows beyond the true time */
  clock_ms: number;
  /** True where it came up; a damaged store is a reason not to. */
  start(): boolean;
  /** As kill -9 or a power cut. */
  kill(): void;
  /** It dies within the given call of the outside from now on. */
  killWithin(calls: number): void;
  /** It dies while the given transaction from now on is under way, or others of the same turn. */
  killInWrite(writes: number): void;
  /** As SIGTERM. */
  stop(): void;
  receive(from: string, frame: Uint8Array): void;
  onPeer(id: string): void;
  /** What a meter published; resolves when it is to be acknowledged, to false where it is not. */
  onPublish(topic: string, payload: Uint8Array): Promise<boolean>;
  /** An order that comes to its API; undefined where the node is down. */
  submitOrder(bytes: Uint8Array): Promise<OrderAnswer | undefined>;
  /** Sends as this node, past its own code. */
  inject(to: string, frame: Uint8Array): void;
}

/** A process that runs; it has chains once it has opened its disk. */
interface Process {
  life: Life | undefined;
}

export function createNode(world: NodeWorld, options: NodeOptions): SimulatedNode {
  const { disk, member, label, adversary } = options;
  const id = toHex(member.id);
  let lives = 0;
  let current: Process | undefined;
  let fuse = Number.POSITIVE_INFINITY;
  let writeFuse = Number.POSITIVE_INFINITY;

  /** Counts a call of the outside; false where the node that makes it is dead, or dies in it. */
  const reaches = (mine: Process): boolean => {
    if (current !== mine) return false;
    fuse -= 1;
    if (fuse > 0) return true;
    node.kill();
    return false;
  };

  const onWrite = (mine: Process) => {
    writeFuse -= 1;
    if (writeFuse !== 0) return;
    world.timeline.after(world.random.between(0, 2), () => {
      if (current === mine) node.kill();
    });
  };

  const fatal = (mine: Process, reason: unknown) => {
    if (current !== mine) return;
    node.stop();
    world.onFatal(node, reason);
  };

  const node: SimulatedNode = {
    id,
    peers: world.ids.filter((other) => other !== id),
    label,
    copy: options.copy,
    copies: options.copies,
    signer: options.signer,
    disk,
    adversary,
    clock_ms: 0,
    get chainNumbers() {
      return [...disk.tables.consensus.keys()].map(Number);
    },
    get life() {
      return lives;
    },
    get isUp() {
      return current !== undefined;
    },
    get chains() {
      return current?.life?.chains ?? new Map();
    },
    start() {
      lives += 1;
      fuse = Number.POSITIVE_INFINITY;
      writeFuse = Number.POSITIVE_INFINITY;
      const mine: Process = { life: undefined };
      current = mine;
      try {
        mine.life = openLife({
          world,
          options,
          node,
          reaches: () => reaches(mine),
          isOver: () => current !== mine,
          onWrite: () => onWrite(mine),
          onFatal: (reason) => fatal(mine, reason),
        });
        mine.life.start();
      } catch (error) {
        world.trace(`${label} does not start: ${reasonOf(error)}`);
        current = undefined;
        disk.crash();
        if (!(error instanceof GridsealError)) world.onDefect(node, `start: ${reasonOf(error)}`);
        return false;
      }
      return current === mine;
    },
    kill() {
      if (current === undefined) return;
      world.trace(`${label} is killed`);
      current = undefined;
      disk.crash();
    },
    killWithin(calls) {
      fuse = calls;
    },
    killInWrite(writes) {
      writeFuse = writes;
    },
    stop() {
      if (current === undefined) return;
      world.trace(`${label} stops`);
      current.life?.stop();
      current = undefined;
      disk.flush();
    },
    receive(from, bytes) {
      const mine = current;
      if (mine?.life === undefined || adversary?.onReceive(from, bytes, node.inject) === false) return;
      if (mine.life.isShut(from)) return;
      for (const passed of world.mutateFrame(bytes, node)) {
        const frame = decodeFrame(passed);
        const chain = frame === undefined ? undefined : mine.life.chains.get(frame.chain);
        if (frame === undefined || chain === undefined) continue;
        chain.onFrame(from, frame).catch((error: unknown) => {
          if (current !== mine) return;
          mine.life?.refuse(from, bytes);
          world.trace(`${label} drops ${frame.kind} of ${from.slice(0, 4)}: ${reasonOf(error)}`);
          if (!(error instanceof WireError)) world.onDefect(node, `${frame.kind}: ${stackOf(error)}`);
        });
      }
    },
    onPeer(peer) {
      for (const chain of node.chains.values()) chain.onPeer(peer);
    },
    async onPublish(topic, payload) {
      const mine = current;
      if (mine?.life === undefined) return false;
      const published = publishedTopic(world.genesis.network, topic);
      if (published === undefined) return true;
      try {
        await mine.life.admissions.onPublish(published, payload, "");
      } catch (error) {
        if (current === mine && error instanceof GridsealError) fatal(mine, error);
        else if (current === mine && !(error instanceof Busy)) world.onDefect(node, `publish: ${stackOf(error)}`);
        return false;
      }
      return current === mine;
    },
    submitOrder: async (bytes) => {
      const mine = current;
      try {
        const answer = await mine?.life?.submitOrder(bytes);
        return current === mine ? answer : undefined;
      } catch (error) {
        if (current === mine && !(error instanceof GridsealError)) world.onDefect(node, `order: ${stackOf(error)}`);
        return undefined; // its API says so
      }
    },
    inject: (to, frame) => world.send(node, to, frame),
  };
  return node;
}
