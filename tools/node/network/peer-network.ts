// What the links of a node to its peers are to the rest of it: addresses and limits in, messages both ways, and what is counted.

import { type BudgetLimits, type BudgetVerdict, defaultBudgetLimits, type PeerWork } from "./budget.js";
import type { HelloRefusal, NodeId, VerifyHello } from "./hello.js";
import type { LinkCounters, LinkFault, LinkLimits } from "./link.js";
import type { ListenerRefusal, TlsMaterial } from "./peer-listener.js";

/** Why a connection was refused or ended by this node; the names are also labels of its counters. */
export type PeerRefusal =
  | ListenerRefusal
  | HelloRefusal
  | LinkFault
  | "unknown-peer"
  | "second-link"
  | "shut-out"
  | "banned";

export interface PeerAddress {
  readonly id: NodeId;
  readonly host: string;
  readonly port: number;
}

export interface PeerLimits extends LinkLimits {
  readonly connect_timeout_ms: number;
  /** the first wait before dialling again, doubled each time up to the second; half of it is chance */
  readonly redial_min_ms: number;
  readonly redial_max_ms: number;
  /** A peer that nobody answers for is told of after so long; one that is another, or of another network, at once. */
  readonly unreached_after_ms: number;
  /** connections from outside that have not proved who they are */
  readonly strangers_max: number;
  /** nodes of the network whose address is not known here */
  readonly guests_max: number;
  /** what this node works for one peer */
  readonly budget: BudgetLimits;
}

export const defaultPeerLimits: PeerLimits = {
  frame_bytes_max: 16 * 1024 * 1024,
  queue_bytes_max: 64 * 1024 * 1024,
  processing_bytes_max: 8 * 1024 * 1024,
  hello_timeout_ms: 5_000,
  probe_after_ms: 5_000,
  silent_after_ms: 15_000,
  messages_per_s_max: 20_000,
  connect_timeout_ms: 5_000,
  redial_min_ms: 100,
  redial_max_ms: 2_500,
  unreached_after_ms: 10_000,
  strangers_max: 128,
  guests_max: 128,
  budget: defaultBudgetLimits,
};

export interface PeerNetworkOptions {
  readonly self: NodeId;
  readonly listen: { readonly host: string; readonly port: number };
  /** The nodes that this one can dial; others of the network may come by themselves. An entry for `self` is passed over. */
  readonly peers: readonly PeerAddress[];
  readonly tls: TlsMaterial;
  readonly genesisHash: Uint8Array;
  readonly limits: PeerLimits;
  /** This node's encoded COSE_Key. */
  readonly key: Uint8Array;
  /** This node's signature. */
  sign(bytes: Uint8Array): Uint8Array;
  readonly verify: VerifyHello;
  /** Whether an order of the authority bans the node from the links. */
  isBanned(id: NodeId): boolean;
  /**
   * A message from a peer: a view, to be copied where it is kept. While returned promises are pending and their messages
   * exceed `processing_bytes_max`, nothing more is read from that peer.
   */
  onMessage(id: NodeId, message: Uint8Array): void | Promise<void>;
  onPeer(id: NodeId, connected: boolean): void;
  /** Two processes run with the peer's key: an earlier run of it has come again. */
  onTwoRuns(id: NodeId): void;
  /** A connection was refused or ended; for the log. */
  onRefused(reason: PeerRefusal, detail: string): void;
  /** A peer that this node dials is not reached: each reason once, until the peer was there. */
  onUnreached(id: NodeId, reason: string): void;
  /** A peer has caused more work than its share: it is read more slowly, or its link has ended and it is kept out. */
  onOverBudget(id: NodeId, verdict: Exclude<BudgetVerdict, { type: "within" }>): void;
  /** `onMessage` threw or rejected: a defect of its, which the links outlive. */
  onHandlerFailure(id: NodeId, thrown: unknown): void;
}

export interface PeerCounters extends Readonly<LinkCounters> {
  readonly connections: number;
  readonly dials: number;
  readonly dials_failed: number;
  readonly refused: Readonly<Partial<Record<PeerRefusal, number>>>;
}

export interface PeerNetwork {
  /** Listens and starts to dial; resolves to the port, rejects with PORT_UNAVAILABLE. */
  start(): Promise<number>;
  /** Queues a message; false where the peer is not connected or its queue is full. The bytes must not change any more. */
  send(id: NodeId, message: Uint8Array): boolean;
  /** Notes what a peer's message has made this node do. */
  charge(id: NodeId, work: PeerWork, amount: number): void;
  /** Bytes that wait for a peer to take them. */
  unsent_bytes(id: NodeId): number;
  /** `send` to every peer; returns how many took it. */
  broadcast(message: Uint8Array): number;
  /** Other addresses from here on: who is new is dialled, who is connected stays so. Throws as `createPeerNetwork` does. */
  setPeers(peers: readonly PeerAddress[]): void;
  /** An order may have banned nodes: their links end. */
  onBans(): void;
  connected(): readonly NodeId[];
  counters(): PeerCounters;
  /** Ends all links and timers; no callback follows. */
  close(): Promise<void>;
}
