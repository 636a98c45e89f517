// What a simulated node is to its surroundings, and they to it.

import type { Genesis, Member } from "../../../../src/wire/genesis.js";
import type { Signer } from "../../../../src/wire/key.js";
import type { SealedDisclosures } from "../../../../src/wire/sealed-disclosure.js";
import type { Statement } from "../../../consensus/types.js";
import type { ReadRecord } from "../../../ledger/record-scan.js";
import type { Chain } from "../../../node/chain/chain.js";
import type { ChainPorts, SealedBlock } from "../../../node/chain/ports.js";
import type { BudgetLimits, PeerWork } from "../../../node/network/budget.js";
import type { OrderAnswer } from "../../../node/parts/orders/orders.js";
import type { Random } from "../../rig/random.js";
import type { Adversary } from "../faults/adversary.js";
import type { SimulatedContracts } from "./contracts.js";
import type { Disk } from "./disk.js";
import type { Timeline } from "./timeline.js";

/** What a node's process is told and what it tells; everything that is not the node itself. */
export interface NodeWorld {
  readonly genesis: Genesis;
  /** ids of all nodes of the run */
  readonly ids: readonly string[];
  readonly timeline: Timeline;
  readonly random: Random;
  readonly contracts: SimulatedContracts;
  send(from: SimulatedNode, to: string, frame: Uint8Array): void;
  /** A frame is about to leave, before anything else happens to it. */
  onSent(node: SimulatedNode, frame: Uint8Array): void;
  onSigned(node: SimulatedNode, bytes: Uint8Array): void;
  onEvidence(node: SimulatedNode, chain: number, first: Statement, second: Statement): void;
  /** It has found that the signature of a record in a temporary block does not verify. */
  onRefuted(node: SimulatedNode, chain: number, record: Uint8Array): void;
  onSealed(node: SimulatedNode, sealed: SealedBlock): void;
  /** It has encrypted what a record hides. */
  onEncrypted(node: SimulatedNode, record: ReadRecord, sealed: SealedDisclosures): void;
  /** Another node has made it work. */
  onCharged(node: SimulatedNode, peer: string, work: PeerWork, amount: number): void;
  /** It keeps another node out for what that has sent. */
  onShut(node: SimulatedNode, peer: string): void;
  /** A frame of a node that it keeps out has come. */
  onKeptOut(node: SimulatedNode, peer: string): void;
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
  readonly budget: BudgetLimits;
  /** chains that it follows without being a member */
  readonly follows: readonly number[];
  /** it carries messages between chains, and begins blocks for deadlines */
  readonly carries: boolean;
  /** some meters of the run hide something: it keeps that, and shares of its keys */
  readonly hides: boolean;
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

/** What a life of a node needs of the node that lives it. */
export interface LifePorts {
  readonly world: NodeWorld;
  readonly options: NodeOptions;
  readonly node: SimulatedNode;
  /** Counts a call of the outside; false where the life is over, or ends in it. */
  reaches(): boolean;
  isOver(): boolean;
  /** A transaction is under way. */
  onWrite(): void;
  /** It must stop, with this reason. */
  onFatal(reason: unknown): void;
}
