// The links of one node to its peers: mutual TLS 1.3 (RFC 8446), one connection a pair, dialled by the node with the lower id
// and dialled again for ever. Who is at the other end is proved by certificate and by a HELLO bound to the channel.

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
} from "./hello.js";
import { Link, type LinkCounters, type LinkFault, type LinkLimits } from "./link.js";
import { createListener, type Listener, type ListenerRefusal, type TlsMaterial, tlsOptions } from "./listener.js";

/** Why a connection was refused or ended by this node; the names are also labels of its counters. */
export type PeerRefusal = ListenerRefusal | HelloRefusal | LinkFault | "unknown-peer" | "wrong-role";

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
}

export const defaultPeerLimits: PeerLimits = {
  frame_bytes_max: 16 * 1024 * 1024,
  queue_bytes_max: 64 * 1024 * 1024,
  processing_bytes_max: 8 * 1024 * 1024,
  hello_timeout_ms: 5_000,
  probe_after_ms: 5_000,
  silent_after_ms: 15_000,
  connect_timeout_ms: 5_000,
  redial_min_ms: 100,
  redial_max_ms: 2_500,
  strangers_max: 128,
};

export interface PeerNetworkOptions {
  readonly self: NodeId;
  readonly listen: { readonly host: string; readonly port: number };
  /** Every other node; an entry for `self` is passed over. */
  readonly peers: readonly PeerAddress[];
  readonly tls: TlsMaterial;
  readonly genesisHash: Uint8Array;
  readonly limits: PeerLimits;
  /** This node's Ed25519 signature. */
  sign(bytes: Uint8Array): Uint8Array;
  /** Whether the signature over `bytes` is that node's; false for whatever cannot be checked. */
  verify(id: NodeId, bytes: Uint8Array, signature: Uint8Array): boolean;
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
  readonly address: PeerAddress;
  /** the established link */
  link: Link | undefined;
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
    handler_failures: 0,
    dials: 0,
    dials_failed: 0,
  };
  readonly #refused: Partial<Record<PeerRefusal, number>> = {};
  #closed = false;

  constructor(options: PeerNetworkOptions) {
    this.#options = options;
    for (const { id } of [{ id: options.self }, ...options.peers]) {
      if (!/^[0-9a-f]{16}$/.test(id)) {
        throw new GridsealError("CONFIGURATION_INVALID", `a node's id is 16 lower-case hex digits, not "${id}"`);
      }
    }
    for (const address of options.peers) {
      if (address.id === options.self) continue;
      this.#peers.set(address.id, {
        address,
        link: undefined,
        admitted_ms: undefined,
        dialled: undefined,
        redial: undefined,
        attempts: 0,
      });
    }
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
    for (const peer of this.#peers.values()) if (this.#dials(peer)) this.#dial(peer);
    return port;
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
    return [...this.#peers.values()].filter((peer) => peer.link).map((peer) => peer.address.id);
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

  /** One connection a pair: the lower id dials. */
  #dials(peer: Peer): boolean {
    return this.#options.self < peer.address.id;
  }

  #dial(peer: Peer): void {
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
      this.#redial(peer);
    });
  }

  #redial(peer: Peer): void {
    if (this.#closed) return;
    const { redial_min_ms, redial_max_ms } = this.#options.limits;
    // A link that held for a while says that the peer is well; one that ends at once is not dialled any faster.
    if (peer.admitted_ms !== undefined && performance.now() - peer.admitted_ms > redial_max_ms) peer.attempts = 0;
    peer.admitted_ms = undefined;
    const ceiling_ms = Math.min(redial_max_ms, redial_min_ms * 2 ** Math.min(peer.attempts, 16));
    peer.attempts += 1;
    peer.redial = setTimeout(() => this.#dial(peer), ceiling_ms * (0.5 + Math.random() / 2));
  }

  #accept(socket: TLSSocket): void {
    socket.on("error", () => undefined); // until the link listens; "close" follows
    const name = commonName(socket.getPeerCertificate());
    const peer = this.#peers.get(name ?? "");
    const from = `${name ?? "a certificate without a name"} at ${socket.remoteAddress}`;
    if (peer && !this.#dials(peer)) this.#greet(socket, peer, "listener");
    else {
      this.#refuse(peer ? "wrong-role" : "unknown-peer", from);
      socket.destroy();
    }
  }

  /** Exchanges HELLOs: the dialer speaks first, the listener once it knows who it is speaking to. */
  #greet(socket: TLSSocket, peer: Peer, role: LinkRole): void {
    if (this.#closed || socket.destroyed) {
      socket.destroy();
      return;
    }
    const { genesisHash, limits, self, sign, verify } = this.#options;
    const { id } = peer.address;
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
        if (role === "listener") {
          this.#listener.admit(socket);
          link.sendHello(encodeHello(mine, sign(helloStatement(mine))));
        }
        this.#admit(peer, link);
        return true;
      },
      onMessage: (message) => this.#options.onMessage(id, message),
      onHandlerFailure: (thrown) => this.#options.onHandlerFailure(id, thrown),
      onClosed: (fault) => this.#ended(peer, link, fault),
    });
    this.#greeting.add(link);
    if (role === "dialer") link.sendHello(encodeHello(mine, sign(helloStatement(mine))));
  }

  /** A peer that comes again has lost its earlier connection, whether or not this end has noticed. */
  #admit(peer: Peer, link: Link): void {
    peer.link?.close();
    this.#greeting.delete(link);
    peer.link = link;
    peer.admitted_ms = performance.now();
    link.open();
    this.#options.onPeer(peer.address.id, true);
  }

  #ended(peer: Peer, link: Link, fault: LinkFault | undefined): void {
    this.#greeting.delete(link);
    if (fault) this.#refuse(fault, peer.address.id);
    if (peer.link !== link) return;
    peer.link = undefined;
    if (!this.#closed) this.#options.onPeer(peer.address.id, false);
  }

  #refuse(reason: PeerRefusal, detail: string): void {
    if (this.#closed) return;
    this.#refused[reason] = (this.#refused[reason] ?? 0) + 1;
    this.#options.onRefused(reason, detail);
  }
}

/** The subject's one common name, or undefined where it has none or several. */
function commonName(certificate: PeerCertificate): string | undefined {
  const name: unknown = certificate.subject?.CN;
  return typeof name === "string" ? name : undefined;
}
