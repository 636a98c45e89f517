// What stands between a client's socket and the broker: lets nothing through that the packet guard refuses, slows down who is too fast
// and ends who is too slow.

import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import type { IngestRefusal } from "./ingest.js";
import { createPacketGuard, type GuardLimits, type PacketGuard } from "./packet-guard.js";

export interface GuardEvents {
  /** The connection is being ended for this reason. */
  onRefused(reason: IngestRefusal): void;
  onThrottled(): void;
  /** A stranger has sent so many packets; how long to read nothing more of it, as others of its address have sent as well. */
  onStrange(packets: number): number;
}

/** What the broker reads and writes; the node's own packets go past the broker. */
export interface GuardedConnection extends Duplex {
  /** Sends a packet given in pieces, whole; with all that is sent in this turn of the event loop, until when the pieces must stay as they are. */
  send(...pieces: readonly Uint8Array[]): void;
  /** what the client has not been sent or has not taken yet */
  readonly unsent_bytes: number;
  /** when it sent something last, on the monotonic clock */
  readonly heard_ms: number;
  /**
   * Takes the publications, all of which go past the broker in their order, as packets whose bytes are read before the call returns.
   * What came before waits until now. The promise, which never rejects, keeps its place among those that may be under way.
   */
  serve(onPublication: (packet: Uint8Array) => Promise<void>): void;
  /** The client has proved to be a meter, and is a stranger no more. */
  prove(): void;
  /** Ends the connection for this reason. */
  refuse(reason: IngestRefusal): void;
  /** Ends the connection once these bytes have left. */
  endBehind(answer: Uint8Array): void;
}

/** Puts the guard before a socket. */
export function guardSocket(socket: Socket, limits: GuardLimits, events: GuardEvents): GuardedConnection {
  return new GuardedStream(socket, limits, events);
}

/** Time for a client to take why it is refused. */
const ANSWER_TIMEOUT_MS = 1_000;
/** Nothing more is read of a client while so many of its publications are under way. */
const UNDER_WAY_MAX = 64;

class GuardedStream extends Duplex implements GuardedConnection {
  readonly #socket: Socket;
  readonly #limits: GuardLimits;
  readonly #events: GuardEvents;
  readonly #guard: PacketGuard;
  /** ends a packet, or a write, that takes too long; the first one waited for is CONNECT */
  #slowTimer: NodeJS.Timeout | undefined;
  #slowSince_packets = 0;
  #throttleTimer: NodeJS.Timeout | undefined;
  #connected = false;
  #proved = false;
  #answered = false;
  #heard_ms = performance.now();
  #full = false;
  #corked = false;
  #onPublication: ((packet: Uint8Array) => Promise<void>) | undefined;
  /** publications that wait for what came before them and is the broker's, as copies */
  #waiting: Uint8Array[] = [];
  /** publications that are not answered yet */
  #underWay = 0;
  readonly #answerOne = () => {
    this.#underWay -= 1;
    if (this.#underWay === UNDER_WAY_MAX - 1) this.#read();
  };
  /** sent in this turn of the event loop */
  #pieces: Uint8Array[] = [];
  #pieces_bytes = 0;

  constructor(socket: Socket, limits: GuardLimits, events: GuardEvents) {
    super({ allowHalfOpen: false });
    this.#socket = socket;
    this.#limits = limits;
    this.#events = events;
    this.#guard = createPacketGuard(limits);
    this.#slowTimer = setTimeout(() => this.refuse("slow"), limits.connect_timeout_ms);
    socket.on("data", (chunk) => this.#receive(chunk));
    socket.on("end", () => this.push(null));
    socket.on("error", () => this.destroy());
    socket.on("close", () => {
      if (this.readableLength === 0) this.destroy();
      else this.once("end", () => this.destroy());
    });
    this.on("drain", () => this.#read());
  }

  send(...pieces: readonly Uint8Array[]): void {
    if (this.destroyed) return;
    if (this.#pieces.length === 0) setImmediate(() => this.#writePieces());
    for (const piece of pieces) {
      this.#pieces.push(piece);
      this.#pieces_bytes += piece.length;
    }
  }

  serve(onPublication: (packet: Uint8Array) => Promise<void>): void {
    this.#onPublication = onPublication;
    if (this.#waiting.length > 0) setImmediate(() => this.#serveWaiting());
  }

  #publish(packet: Uint8Array): void {
    this.#underWay += 1;
    void this.#onPublication?.(packet).then(this.#answerOne);
  }

  /** The broker has read what came before them. */
  #serveWaiting(): void {
    const packets = this.#waiting;
    if (packets.length === 0) return;
    this.#waiting = [];
    for (const packet of packets) this.#publish(packet);
    this.#read();
  }

  get heard_ms(): number {
    return this.#heard_ms;
  }

  prove(): void {
    if (this.#proved) return;
    this.#proved = true;
    this.#guard.prove();
    clearTimeout(this.#throttleTimer);
    this.#throttleTimer = undefined;
    this.#read();
  }

  get unsent_bytes(): number {
    return this.#pieces_bytes + this.writableLength;
  }

  /** Receipts of a block, acknowledgements of one commit: one write for all of them. */
  #writePieces(): void {
    const bytes = Buffer.concat(this.#pieces, this.#pieces_bytes);
    this.#pieces = [];
    this.#pieces_bytes = 0;
    if (this.destroyed || this.writableEnded) return;
    // Who does not read and does not send either is noticed here.
    if (!this.write(bytes)) this.#watch();
  }

  override _read(): void {
    this.#full = false;
    this.#read();
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    // What the client sent before it closed is still read to its end, a DISCONNECT for instance; the answers are lost.
    if (!this.#socket.writable) {
      done();
      return;
    }
    this.#cork();
    this.#socket.write(chunk, done);
  }

  /** What the broker writes in one turn of the event loop leaves as one. */
  #cork(): void {
    if (this.#corked) return;
    this.#corked = true;
    this.#socket.cork();
    setImmediate(() => {
      this.#corked = false;
      this.#socket.uncork();
    });
  }

  override _writev(chunks: { readonly chunk: Uint8Array }[], done: (error?: Error | null) => void): void {
    // The broker writes a packet in several small pieces.
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), "binary", done);
  }

  override _final(done: () => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    clearTimeout(this.#slowTimer);
    clearTimeout(this.#throttleTimer);
    // What came before a DISCONNECT is taken.
    if (this.#onPublication !== undefined) this.#serveWaiting();
    // An answer leaves before it closes.
    if (this.#answered) this.#socket.destroySoon();
    else this.#socket.destroy();
    done(error);
  }

  #receive(chunk: Buffer): void {
    if (this.destroyed) return;
    this.#heard_ms = performance.now();
    const before = this.#guard.packets();
    const refusal = this.#guard.inspect(chunk, this.#heard_ms);
    if (refusal) {
      this.refuse(refusal);
      return;
    }
    this.#watchProgress();
    const publications = this.#guard.publications();
    const isRead = this.#waiting.length === 0 && this.readableLength === 0 && !this.#guard.hasFilters();
    const areNext = this.#onPublication !== undefined && isRead;
    // What is passed overwrites them.
    if (areNext) for (const packet of publications) this.#publish(packet);
    else this.#waiting.push(...publications.map((packet) => Uint8Array.from(packet)));
    const passed = this.#guard.passed(chunk);
    if (passed.length > 0) this.#full = !this.push(passed);
    if (this.#onPublication !== undefined && this.#waiting.length > 0) setImmediate(() => this.#serveWaiting());
    const shared_ms = this.#proved ? 0 : this.#events.onStrange(this.#guard.packets() - before);
    const pause_ms = Math.max(shared_ms, this.#guard.pause_ms());
    if (pause_ms > 0 && !this.#throttleTimer) {
      this.#events.onThrottled();
      this.#throttleTimer = setTimeout(() => {
        this.#throttleTimer = undefined;
        this.#read();
      }, pause_ms);
    }
    if (!this.#mayRead()) this.#socket.pause();
    if (this.writableNeedDrain) this.#watch();
  }

  #mayRead(): boolean {
    // Who does not read the acknowledgements is not read either: the broker itself queues them without end.
    const isBehind = this.#waiting.length > 0 || this.#underWay >= UNDER_WAY_MAX;
    return !this.#full && !this.#throttleTimer && !this.writableNeedDrain && !isBehind;
  }

  #read(): void {
    if (this.destroyed) return;
    if (this.#mayRead()) this.#socket.resume();
    else if (this.writableNeedDrain) this.#watch();
  }

  /** One timer a connection, set again only when it fires, so that a fast client costs nothing. */
  #watchProgress(): void {
    if (!this.#connected) {
      if (this.#guard.packets() === 1 && this.#guard.isInsidePacket()) return;
      this.#connected = true;
      clearTimeout(this.#slowTimer);
      this.#slowTimer = undefined;
    }
    if (this.#guard.isInsidePacket()) this.#watch();
  }

  #watch(): void {
    if (this.#slowTimer) return;
    this.#slowSince_packets = this.#guard.packets();
    this.#slowTimer = setTimeout(() => {
      this.#slowTimer = undefined;
      const stuck = this.#guard.packets() === this.#slowSince_packets && !this.#throttleTimer && !this.#full;
      if (stuck && this.writableNeedDrain) this.refuse("unread");
      else if (stuck && this.#guard.isInsidePacket()) this.refuse("slow");
      else if (this.#guard.isInsidePacket() || this.writableNeedDrain) this.#watch();
    }, this.#limits.packet_timeout_ms);
  }

  refuse(reason: IngestRefusal): void {
    if (this.destroyed) return;
    this.#events.onRefused(reason);
    const answer = this.#guard.answer();
    if (answer === undefined) this.destroy();
    else this.endBehind(answer);
  }

  endBehind(answer: Uint8Array): void {
    if (this.#socket.writable) {
      this.#answered = true;
      this.#socket.end(answer);
      setTimeout(() => this.#socket.destroy(), ANSWER_TIMEOUT_MS).unref();
    }
    this.destroy();
  }
}
