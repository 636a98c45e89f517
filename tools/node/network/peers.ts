// The links of one node to its peers: mutual TLS 1.3 (RFC 8446), one connection a pair, dialled by the node with the lower id, or by
// the other where that one does not get through, and again for ever. Who is there is proved by certificate and by a HELLO bound to it.

import { randomBytes } from "node:crypto";
import type { TLSSocket } from "node:tls";
import { createPeerBudget, type PeerBudget, type PeerWork } from "./budget.js";
import { commonName, dial } from "./dial.js";
import { checkIds, createDirectory, type Directory, type Peer, redialWait_ms } from "./directory.js";
import {
  channelBinding,
  type ExpectedTerms,
  encodeHello,
  type HelloTerms,
  helloStatement,
  type LinkRole,
  type NodeId,
  RUN_BYTES,
  readHello,
} from "./hello.js";
import { Link, type LinkCounters, type LinkFault } from "./link.js";
import { createListener, type Listener } from "./peer-listener.js";
import type { PeerAddress, PeerCounters, PeerNetwork, PeerNetworkOptions, PeerRefusal } from "./peer-network.js";
import { createRuns, type Runs } from "./runs.js";

/** Makes the links of one node; nothing happens before `start`. Throws a GridsealError where an id or the
 * TLS material is unusable. */
export function createPeerNetwork(options: PeerNetworkOptions): PeerNetwork {
  return new Peers(options);
}

/** Of a peer that comes and goes each reason is told once; what it says itself could differ each time. */
const REASONS_TOLD_MAX = 4;
const NOT_GREETED =
  "it ends each connection before it has said who it is: this node's certificate or genesis may not be its network's";

class Peers implements PeerNetwork {
  readonly #options: PeerNetworkOptions;
  readonly #directory: Directory;
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
  readonly #budget: PeerBudget;
  readonly #runs: Runs = createRuns();
  readonly #run = randomBytes(RUN_BYTES);
  #started = false;
  #closed = false;

  constructor(options: PeerNetworkOptions) {
    this.#options = options;
    this.#budget = createPeerBudget(options.limits.budget);
    this.#directory = createDirectory(options.self, options.limits.guests_max);
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
    for (const peer of this.#directory.peers.values()) this.#begin(peer);
    return port;
  }

  setPeers(peers: readonly PeerAddress[]): void {
    checkIds(peers.map(({ id }) => id));
    this.#setAddresses(peers);
    if (this.#started) for (const peer of this.#directory.peers.values()) this.#begin(peer);
  }

  send(id: NodeId, message: Uint8Array): boolean {
    return this.#directory.peers.get(id)?.link?.send(message) ?? false;
  }

  charge(id: NodeId, work: PeerWork, amount: number): void {
    const link = this.#directory.peers.get(id)?.link;
    if (link === undefined) return;
    const verdict = this.#budget.charge(id, work, amount, performance.now());
    if (verdict.type === "within" || this.#closed) return;
    if (verdict.type === "delay" && !link.delay(verdict.for_ms)) return;
    this.#options.onOverBudget(id, verdict);
    if (verdict.type === "shut") link.close("over-budget");
  }

  unsent_bytes(id: NodeId): number {
    return this.#directory.peers.get(id)?.link?.unsent_bytes ?? 0;
  }

  broadcast(message: Uint8Array): number {
    let taken = 0;
    for (const peer of this.#directory.peers.values()) if (peer.link?.send(message)) taken += 1;
    return taken;
  }

  onBans(): void {
    for (const peer of [...this.#directory.peers.values()].filter(({ id }) => this.#options.isBanned(id))) {
      this.#stopDialling(peer);
      if (peer.link === undefined) continue;
      this.#refuse("banned", peer.id);
      peer.link.close();
    }
  }

  connected(): readonly NodeId[] {
    return [...this.#directory.peers.values()].filter((peer) => peer.link).map((peer) => peer.id);
  }

  counters(): PeerCounters {
    return { ...this.#counters, connections: this.connected().length, refused: { ...this.#refused } };
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const peer of this.#directory.peers.values()) {
      clearTimeout(peer.redial);
      peer.dialled?.destroy();
      peer.link?.close();
    }
    for (const link of this.#greeting) link.close();
    await this.#listener.close();
  }

  #setAddresses(addresses: readonly PeerAddress[]): void {
    for (const peer of this.#directory.readdress(addresses)) this.#stopDialling(peer);
  }

  /** A peer with a new address is dialled there next, one without any is a guest from here on. */
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
    if (this.#options.isBanned(peer.id)) return;
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
    if (this.#budget.isShut(peer.id, performance.now())) {
      this.#redial(peer);
      return;
    }
    this.#counters.dials += 1;
    const socket = dial(peer.address, this.#options.tls, this.#options.limits.connect_timeout_ms, {
      onSecure: (secured) => this.#greet(secured, peer, "dialer"),
      onRefused: (detail) => {
        this.#refuse("tls", detail);
        this.#noteFailure(peer, detail, 0);
      },
      onUnreachable: (detail) => this.#noteFailure(peer, detail, this.#options.limits.unreached_after_ms),
      onClosed: (secured) => {
        if (!secured) this.#counters.dials_failed += 1;
        if (peer.dialled !== socket) return; // its address has changed
        peer.dialled = undefined;
        this.#redial(peer);
      },
    });
    peer.dialled = socket;
  }

  /** Told once it has lasted for so long. */
  #noteFailure(peer: Peer, reason: string, after_ms: number): void {
    const now_ms = performance.now();
    peer.failing ??= { since_ms: now_ms, told: new Set() };
    const { since_ms, told } = peer.failing;
    if (this.#closed || now_ms - since_ms < after_ms || told.has(reason) || told.size === REASONS_TOLD_MAX) return;
    told.add(reason);
    this.#options.onUnreached(peer.id, reason);
  }

  #redial(peer: Peer): void {
    if (this.#closed || peer.address === undefined) return;
    const { limits } = this.#options;
    const wait_ms = redialWait_ms(peer, this.#isLower(peer), limits, performance.now(), Math.random());
    peer.redial = setTimeout(() => this.#dial(peer), wait_ms);
  }

  #accept(socket: TLSSocket): void {
    socket.on("error", () => undefined); // until the link listens; "close" follows
    const name = commonName(socket.getPeerCertificate());
    const from = `${name ?? "a certificate without a name"} at ${socket.remoteAddress}`;
    const peer = this.#directory.find(name);
    if (peer === undefined) this.#refuse("unknown-peer", from);
    else if (this.#options.isBanned(peer.id)) this.#refuse("banned", from);
    else if (this.#budget.isShut(peer.id, performance.now())) this.#refuse("shut-out", from);
    else if (this.#isLower(peer) && peer.isPreferred && peer.link !== undefined) this.#refuse("second-link", from);
    else {
      this.#greet(socket, peer, "listener");
      return;
    }
    socket.destroy();
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
    const mine: HelloTerms = { genesisHash, id: self, role, channel, run: this.#run };
    const theirs: ExpectedTerms = { genesisHash, id, role: role === "dialer" ? "listener" : "dialer", channel };
    const link = new Link(socket, limits, this.#counters, {
      onHello: (hello) => {
        const verdict = readHello(hello, theirs, verify);
        if (verdict.type === "refused") {
          this.#refuse(verdict.reason, `${id} at ${socket.remoteAddress}`);
          return false;
        }
        if (this.#runs.isDouble(id, verdict.run)) this.#options.onTwoRuns(id);
        if (this.#options.isBanned(id)) {
          this.#refuse("banned", `${id} at ${socket.remoteAddress}`);
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
      onMessage: (message) => {
        this.charge(id, "message", 1);
        return this.#options.onMessage(id, message);
      },
      onHandlerFailure: (thrown) => this.#options.onHandlerFailure(id, thrown),
      onClosed: (fault) => this.#ended(peer, link, { role, fault }),
    });
    this.#greeting.add(link);
    if (role === "dialer") link.sendHello(encodeHello(mine, key, sign(helloStatement(mine))));
  }

  /** A peer that comes again has lost its earlier connection, whether or not this end has noticed. */
  #admit(peer: Peer, link: Link, isPreferred: boolean): void {
    const known = this.#directory.peers.get(peer.id);
    known?.link?.close();
    if (known !== peer) peer.address = known?.address;
    this.#directory.peers.set(peer.id, peer);
    peer.isPreferred = isPreferred;
    this.#greeting.delete(link);
    peer.link = link;
    peer.admitted_ms = performance.now();
    peer.failing = undefined;
    link.open();
    this.#options.onPeer(peer.id, true);
  }

  #ended(
    peer: Peer,
    link: Link,
    { role, fault }: { readonly role: LinkRole; readonly fault: LinkFault | undefined },
  ): void {
    const wasGreeting = this.#greeting.delete(link);
    // A TLS 1.3 server refuses a certificate behind the handshake: to the dialer the connection only ends.
    if (wasGreeting && role === "dialer" && peer.link === undefined) {
      this.#noteFailure(peer, NOT_GREETED, this.#options.limits.unreached_after_ms);
    }
    if (fault) this.#refuse(fault, peer.id);
    const wasInUse = peer.link === link;
    if (wasInUse) peer.link = undefined;
    const isGone = peer.address === undefined && peer.link === undefined;
    if (isGone && this.#directory.peers.get(peer.id) === peer) this.#directory.peers.delete(peer.id);
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
