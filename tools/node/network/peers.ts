// The links of one node to its peers: mutual TLS 1.3 (RFC 8446), one connection a pair, dialled by the node with the lower id, or by
// the other where that one does not get through, and again for ever. Who is there is proved by certificate and by a HELLO bound to it.

import { isIP } from "node:net";
import { connect, type PeerCertificate, type TLSSocket } from "node:tls";
import { GridsealError, reasonOf } from "../../errors.js";
import {
  channelBinding,
  encodeHello,
  type HelloRefusal,
  type HelloTerms,
  helloStatement,
  type LinkRole,
  type NodeId,
  refuseHello,
  type VerifyHello,
} from "./hello.js";
import { Link, type LinkCounters, type LinkFault, type LinkLimits } from "./link.js";
import { createListener, type Listener, type ListenerRefusal, type TlsMaterial, tlsOptions } from "./listener.js";

/** Why a connection was refused or ended by this node; the names are also labels of its counters. */
export type PeerRefusal = ListenerRefusal | HelloRefusal | LinkFault | "unknown-peer" | "second-link";

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
  /** connections from outside that have not proved who they are */
  readonly strangers_max: number;
  /** nodes of the network whose address is not known here */
  readonly guests_max: number;
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
  strangers_max: 128,
  guests_max: 128,
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
  /**
   * A message from a peer: a view, to be copied where it is kept. While returned promises are pending and their messages
   * exceed `processing_bytes_max`, nothing more is read from that peer.
   */
  onMessage(id: NodeId, message: Uint8Array): void | Promise<void>;
  onPeer(id: NodeId, connected: boolean): void;
  /** A connection was refused or ended; for the log. */
  onRefused(reason: PeerRefusal, detail: string): void;
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
  /** `send` to every peer; returns how many took it. */
  broadcast(message: Uint8Array): number;
  /** Other addresses from here on: who is new is dialled, who is connected stays so. Throws as `createPeerNetwork` does. */
  setPeers(peers: readonly PeerAddress[]): void;
  connected(): readonly NodeId[];
  counters(): PeerCounters;
  /** Ends all links and timers; no callback follows. */
  close(): Promise<void>;
}

/** Makes the links of one node; nothing happens before `start`. Throws a GridsealError where an id or the
 * TLS material is unusable. */
export function createPeerNetwork(options: PeerNetworkOptions): PeerNetwork {
  return new Peers(options);
}

interface Peer {
  readonly id: NodeId;
  /** where it is dialled; undefined for a node of the network that has come by itself */
  address: PeerAddress | undefined;
  /** the established link, and whether the lower id has dialled it */
  link: Link | undefined;
  isPreferred: boolean;
  /** when that link was established, on the monotonic clock */
  admitted_ms: number | undefined;
  /** where this node dials: the connection it dialled last, the timer of the next, and how many led nowhere in a row */
  dialled: TLSSocket | undefined;
  redial: NodeJS.Timeout | undefined;
  attempts: number;
}

class Peers implements PeerNetwork {
  readonly #options: PeerNetworkOptions;
  readonly #peers = new Map<NodeId, Peer>();
  readonly #listener: Listener;
  /** links whose peer has not shown a valid HELLO yet */
  readonly #greeting = new Set<Link>();
  readonly #counters: LinkCounters & { dials: number; dials_failed: number } = {
    frames_sent: 0,
    bytes_sent: 0,
    frames_received: 0,
    bytes_received: 0,
    frames_dropped: 0,
    frames_unsendable: 0,
    probes_sent: 0,
    pauses: 0,
    throttled: 0,
    handler_failures: 0,
    dials: 0,
    dials_failed: 0,
  };
  readonly #refused: Partial<Record<PeerRefusal, number>> = {};
  #started = false;
  #closed = false;

  constructor(options: PeerNetworkOptions) {
    this.#options = options;
    checkIds([options.self, ...options.peers.map(({ id }) => id)]);
    this.#setAddresses(options.peers);
    this.#listener = createListener(
      {
        ...options.listen,
        tls: options.tls,
        handshake_timeout_ms: options.limits.hello_timeout_ms,
        strangers_max: options.limits.strangers_max,
      },
      {
        onSecure: (socket) => this.#accept(socket),
        onRefused: (reason, detail) => this.#refuse(reason, detail),
      },
    );
  }

  async start(): Promise<number> {
    const port = await this.#listener.start();
    this.#started = true;
    for (const peer of this.#peers.values()) this.#begin(peer);
    return port;
  }

  setPeers(peers: readonly PeerAddress[]): void {
    checkIds(peers.map(({ id }) => id));
    this.#setAddresses(peers);
    if (this.#started) for (const peer of this.#peers.values()) this.#begin(peer);
  }

  send(id: NodeId, message: Uint8Array): boolean {
    return this.#peers.get(id)?.link?.send(message) ?? false;
  }

  broadcast(message: Uint8Array): number {
    let taken = 0;
    for (const peer of this.#peers.values()) if (peer.link?.send(message)) taken += 1;
    return taken;
  }

  connected(): readonly NodeId[] {
    return [...this.#peers.values()].filter((peer) => peer.link).map((peer) => peer.id);
  }

  counters(): PeerCounters {
    return { ...this.#counters, connections: this.connected().length, refused: { ...this.#refused } };
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const peer of this.#peers.values()) {
      clearTimeout(peer.redial);
      peer.dialled?.destroy();
      peer.link?.close();
    }
    for (const link of this.#greeting) link.close();
    await this.#listener.close();
  }

  /** Notes addresses; a peer with a new one is dialled there next, one without any is a guest from here on. */
  #setAddresses(addresses: readonly PeerAddress[]): void {
    const known = new Map(addresses.map((address) => [address.id, address]));
    known.delete(this.#options.self);
    for (const [id, peer] of this.#peers) {
      const address = known.get(id);
      const isSame = address?.host === peer.address?.host && address?.port === peer.address?.port;
      if (!isSame) this.#stopDialling(peer);
      peer.address = address;
      if (address === undefined && peer.link === undefined) this.#peers.delete(id);
    }
    for (const [id, address] of known) if (!this.#peers.has(id)) this.#peers.set(id, newPeer(id, address));
  }

  #stopDialling(peer: Peer): void {
    clearTimeout(peer.redial);
    peer.redial = undefined;
    peer.attempts = 0;
    const { dialled } = peer;
    peer.dialled = undefined;
    // What it has dialled stays where it is the link in use.
    if (peer.link === undefined) dialled?.destroy();
  }

  /** Starts to dial a peer that is not being dialled yet. */
  #begin(peer: Peer): void {
    if (peer.address === undefined || peer.dialled !== undefined || peer.redial !== undefined || peer.link) return;
    if (this.#isLower(peer)) this.#dial(peer);
    else this.#redial(peer);
  }

  /** One connection a pair: the lower id dials at once, the higher one where that leads to nothing for a while. */
  #isLower(peer: Peer): boolean {
    return this.#options.self < peer.id;
  }

  #dial(peer: Peer): void {
    peer.redial = undefined;
    if (peer.address === undefined || peer.link !== undefined) {
      if (peer.address !== undefined && !this.#isLower(peer)) this.#redial(peer);
      return;
    }
    const { id, host, port } = peer.address;
    const { connect_timeout_ms } = this.#options.limits;
    this.#counters.dials += 1;
    const socket = connect({
      ...tlsOptions(this.#options.tls),
      host,
      port,
      ...(isIP(host) === 0 ? { servername: host } : {}),
      // The name that counts is the node's id, wherever it is reached.
      checkServerIdentity: (_host, certificate) =>
        commonName(certificate) === id ? undefined : new Error(`the certificate is not that of ${id}`),
    });
    peer.dialled = socket;
    const timer = setTimeout(() => socket.destroy(), connect_timeout_ms);
    let secured = false;
    socket.on("error", (error) => {
      // What the network did carries the system call's name; anything else is TLS itself or the peer's certificate.
      if (!secured && !("syscall" in error)) this.#refuse("tls", `${id} at ${host}:${port}: ${reasonOf(error)}`);
    });
    socket.once("secureConnect", () => {
      secured = true;
      clearTimeout(timer);
      this.#greet(socket, peer, "dialer");
    });
    socket.once("close", () => {
      clearTimeout(timer);
      if (!secured) this.#counters.dials_failed += 1;
      if (peer.dialled !== socket) return; // its address has changed
      peer.dialled = undefined;
      this.#redial(peer);
    });
  }

  #redial(peer: Peer): void {
    if (this.#closed || peer.address === undefined) return;
    const { redial_min_ms, redial_max_ms } = this.#options.limits;
    // A link that held for a while says that the peer is well; one that ends at once is not dialled any faster.
    if (peer.admitted_ms !== undefined && performance.now() - peer.admitted_ms > redial_max_ms) peer.attempts = 0;
    peer.admitted_ms = undefined;
    const rising_ms = Math.min(redial_max_ms, redial_min_ms * 2 ** Math.min(peer.attempts, 16));
    // The higher id leaves the lower one time to come.
    const ceiling_ms = this.#isLower(peer) ? rising_ms : 2 * redial_max_ms;
    peer.attempts += 1;
    peer.redial = setTimeout(() => this.#dial(peer), ceiling_ms * (0.5 + Math.random() / 2));
  }

  #accept(socket: TLSSocket): void {
    socket.on("error", () => undefined); // until the link listens; "close" follows
    const name = commonName(socket.getPeerCertificate());
    const from = `${name ?? "a certificate without a name"} at ${socket.remoteAddress}`;
    const peer = this.#peers.get(name ?? "") ?? this.#guest(name);
    if (peer === undefined) this.#refuse("unknown-peer", from);
    else if (this.#isLower(peer) && peer.isPreferred && peer.link !== undefined) this.#refuse("second-link", from);
    else {
      this.#greet(socket, peer, "listener");
      return;
    }
    socket.destroy();
  }

  /** A node of the network, by its certificate, whose address is not known here. */
  #guest(name: string | undefined): Peer | undefined {
    if (name === undefined || !NODE_ID.test(name) || name === this.#options.self) return undefined;
    const guests = [...this.#peers.values()].filter((peer) => peer.address === undefined);
    if (guests.length >= this.#options.limits.guests_max) return undefined;
    const guest = newPeer(name, undefined);
    this.#peers.set(name, guest);
    return guest;
  }

  /** Exchanges HELLOs: the dialer speaks first, the listener once it knows who it is speaking to. */
  #greet(socket: TLSSocket, peer: Peer, role: LinkRole): void {
    if (this.#closed || socket.destroyed) {
      socket.destroy();
      return;
    }
    const { genesisHash, limits, self, key, sign, verify } = this.#options;
    const { id } = peer;
    const isPreferred = (role === "dialer") === this.#isLower(peer);
    const channel = socket.exportKeyingMaterial(channelBinding.length, channelBinding.label, Buffer.alloc(0));
    const mine: HelloTerms = { genesisHash, id: self, role, channel };
    const theirs: HelloTerms = { genesisHash, id, role: role === "dialer" ? "listener" : "dialer", channel };
    const link = new Link(socket, limits, this.#counters, {
      onHello: (hello) => {
        const refusal = refuseHello(hello, theirs, verify);
        if (refusal) {
          this.#refuse(refusal, `${id} at ${socket.remoteAddress}`);
          return false;
        }
        if (!isPreferred && peer.isPreferred && peer.link !== undefined) {
          this.#refuse("second-link", `${id} at ${socket.remoteAddress}`);
          return false;
        }
        if (role === "listener") {
          this.#listener.admit(socket);
          link.sendHello(encodeHello(mine, key, sign(helloStatement(mine))));
        }
        this.#admit(peer, link, isPreferred);
        return true;
      },
      onMessage: (message) => this.#options.onMessage(id, message),
      onHandlerFailure: (thrown) => this.#options.onHandlerFailure(id, thrown),
      onClosed: (fault) => this.#ended(peer, link, fault),
    });
    this.#greeting.add(link);
    if (role === "dialer") link.sendHello(encodeHello(mine, key, sign(helloStatement(mine))));
  }

  /** A peer that comes again has lost its earlier connection, whether or not this end has noticed. */
  #admit(peer: Peer, link: Link, isPreferred: boolean): void {
    const known = this.#peers.get(peer.id);
    known?.link?.close();
    if (known !== peer) peer.address = known?.address;
    this.#peers.set(peer.id, peer);
    peer.isPreferred = isPreferred;
    this.#greeting.delete(link);
    peer.link = link;
    peer.admitted_ms = performance.now();
    link.open();
    this.#options.onPeer(peer.id, true);
  }

  #ended(peer: Peer, link: Link, fault: LinkFault | undefined): void {
    this.#greeting.delete(link);
    if (fault) this.#refuse(fault, peer.id);
    const wasInUse = peer.link === link;
    if (wasInUse) peer.link = undefined;
    const isGone = peer.address === undefined && peer.link === undefined;
    if (isGone && this.#peers.get(peer.id) === peer) this.#peers.delete(peer.id);
    if (!wasInUse) return;
    if (this.#closed) return;
    this.#options.onPeer(peer.id, false);
    this.#begin(peer);
  }

  #refuse(reason: PeerRefusal, detail: string): void {
    if (this.#closed) return;
    this.#refused[reason] = (this.#refused[reason] ?? 0) + 1;
    this.#options.onRefused(reason, detail);
  }
}

const NODE_ID = /^[0-9a-f]{16}$/;

function checkIds(ids: readonly NodeId[]): void {
  const wrong = ids.find((id) => !NODE_ID.test(id));
  if (wrong === undefined) return;
  throw new GridsealError("CONFIGURATION_INVALID", `a node's id is 16 lower-case hex digits, not "${wrong}"`);
}

function newPeer(id: NodeId, address: PeerAddress | undefined): Peer {
  const none = { link: undefined, admitted_ms: undefined, dialled: undefined, redial: undefined };
  return { id, address, isPreferred: false, attempts: 0, ...none };
}

/** The subject's one common name, or undefined where it has none or several. */
function commonName(certificate: PeerCertificate): string | undefined {
  const name: unknown = certificate.subject?.CN;
  return typeof name === "string" ? name : undefined;
}
