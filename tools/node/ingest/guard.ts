// What stands between a client's socket and the broker: reads fixed headers alone (MQTT 3.1.1 section 2.2) and lets nothing
// through that is too large, too fast, too slow or out of place. The part that judges bytes is pure; the stream applies it.

import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import type { IngestRefusal } from "./ingest.js";

export interface GuardLimits {
  /** largest packet in bytes, fixed header included */
  readonly packet_bytes_max: number;
  /** sustained rates of one connection; a second's worth may come at once, and a faster client is paused */
  readonly packets_per_s: number;
  readonly bytes_per_s: number;
  /** time for a CONNECT to arrive whole */
  readonly connect_timeout_ms: number;
  /** time for any other packet to arrive whole, and for a client to take what is sent to it */
  readonly packet_timeout_ms: number;
}

export const defaultGuardLimits: GuardLimits = {
  packet_bytes_max: 65_536,
  packets_per_s: 5_000,
  bytes_per_s: 4 * 1024 * 1024,
  connect_timeout_ms: 10_000,
  packet_timeout_ms: 30_000,
};

export type GuardRefusal = Extract<
  IngestRefusal,
  "oversized" | "malformed" | "not-connect" | "flood" | "quality-of-service"
>;

export interface PacketGuard {
  /** Judges the next bytes; the refusal is final. `now_ms` is monotonic. */
  inspect(chunk: Uint8Array, now_ms: number): GuardRefusal | undefined;
  /** How long to read nothing more after the bytes inspected so far; 0 where the client is within its rate. */
  pause_ms(): number;
  /** packets begun so far */
  packets(): number;
  /** whether a packet has begun that is not complete */
  isInsidePacket(): boolean;
}

const types = {
  connect: 1,
  publish: 3,
  puback: 4,
  subscribe: 8,
  unsubscribe: 10,
  pingreq: 12,
  disconnect: 14,
} as const;
/** A client that sends this many seconds' worth of packets in one piece is not merely fast. */
const FLOOD_S = 2;

/** Judges one connection's bytes from the client. */
export function createPacketGuard(limits: GuardLimits): PacketGuard {
  let phase: "type" | "length" | "body" = "type";
  let length = 0;
  let lengthBytes = 0;
  let missing_bytes = 0;
  let packetCount = 0;
  let packetTokens = limits.packets_per_s;
  let byteTokens = limits.bytes_per_s;
  let refilled_ms: number | undefined;

  function refill(now_ms: number): void {
    const elapsed_s = refilled_ms === undefined ? 0 : Math.max(0, now_ms - refilled_ms) / 1000;
    refilled_ms = now_ms;
    packetTokens = Math.min(limits.packets_per_s, packetTokens + elapsed_s * limits.packets_per_s);
    byteTokens = Math.min(limits.bytes_per_s, byteTokens + elapsed_s * limits.bytes_per_s);
  }

  function takeType(byte: number): GuardRefusal | undefined {
    packetCount += 1;
    packetTokens -= 1;
    phase = "length";
    length = 0;
    lengthBytes = 0;
    if (packetTokens < -FLOOD_S * limits.packets_per_s) return "flood";
    return refuseType(byte, packetCount === 1);
  }

  /** Remaining length: seven bits a byte, the low ones first, four bytes at most (section 2.2.3). */
  function takeLength(byte: number): GuardRefusal | undefined {
    length += (byte & 0x7f) * 128 ** lengthBytes;
    lengthBytes += 1;
    if (1 + lengthBytes + length > limits.packet_bytes_max) return "oversized";
    if (byte >= 0x80) return lengthBytes === 4 ? "malformed" : undefined;
    missing_bytes = length;
    phase = length === 0 ? "type" : "body";
    return undefined;
  }

  function inspect(chunk: Uint8Array, now_ms: number): GuardRefusal | undefined {
    refill(now_ms);
    byteTokens -= chunk.length;
    let offset = 0;
    while (offset < chunk.length) {
      if (phase === "body") {
        const taken = Math.min(missing_bytes, chunk.length - offset);
        offset += taken;
        missing_bytes -= taken;
        if (missing_bytes === 0) phase = "type";
        continue;
      }
      const byte = chunk[offset]!;
      offset += 1;
      const refusal = phase === "type" ? takeType(byte) : takeLength(byte);
      if (refusal) return refusal;
    }
    return undefined;
  }

  return {
    inspect,
    pause_ms() {
      const wait_s = Math.max(-packetTokens / limits.packets_per_s, -byteTokens / limits.bytes_per_s);
      return wait_s <= 0 ? 0 : Math.ceil(wait_s * 1000);
    },
    packets: () => packetCount,
    isInsidePacket: () => phase !== "type",
  };
}

/** The type and flags that a client may send (sections 2.2.1 and 2.2.2), of QoS 0 and 1 alone. */
function refuseType(byte: number, first: boolean): GuardRefusal | undefined {
  const type = byte >> 4;
  const flags = byte & 0x0f;
  if (first) return type === types.connect ? (flags === 0 ? undefined : "malformed") : "not-connect";
  switch (type) {
    case types.publish:
      if ((flags & 0x06) === 0x06) return "malformed";
      return (flags & 0x04) === 0 ? undefined : "quality-of-service";
    case types.subscribe:
    case types.unsubscribe:
      return flags === 2 ? undefined : "malformed";
    case types.puback:
    case types.pingreq:
    case types.disconnect:
      return flags === 0 ? undefined : "malformed";
    default:
      return "malformed";
  }
}

export interface GuardEvents {
  /** The connection is being ended for this reason. */
  onRefused(reason: IngestRefusal): void;
  onThrottled(): void;
}

/** What the broker reads and writes; the node's own packets go past the broker. */
export interface GuardedConnection extends Duplex {
  /** Sends a packet given in pieces, whole; with all that is sent in this turn of the event loop, until when the pieces must stay as they are. */
  send(...pieces: readonly Uint8Array[]): void;
  /** what the client has not been sent or has not taken yet */
  readonly unsent_bytes: number;
}

/** Puts the guard before a socket. */
export function guardSocket(socket: Socket, limits: GuardLimits, events: GuardEvents): GuardedConnection {
  return new GuardedStream(socket, limits, events);
}

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
  #full = false;
  #corked = false;
  /** sent in this turn of the event loop */
  #pieces: Uint8Array[] = [];
  #pieces_bytes = 0;

  constructor(socket: Socket, limits: GuardLimits, events: GuardEvents) {
    super({ allowHalfOpen: false });
    this.#socket = socket;
    this.#limits = limits;
    this.#events = events;
    this.#guard = createPacketGuard(limits);
    this.#slowTimer = setTimeout(() => this.#refuse("slow"), limits.connect_timeout_ms);
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
    this.#socket.destroy();
    done(error);
  }

  #receive(chunk: Buffer): void {
    if (this.destroyed) return;
    const refusal = this.#guard.inspect(chunk, performance.now());
    if (refusal) {
      this.#refuse(refusal);
      return;
    }
    this.#watchProgress();
    this.#full = !this.push(chunk);
    const pause_ms = this.#guard.pause_ms();
    if (pause_ms > 0 && !this.#throttleTimer) {
      this.#events.onThrottled();
      this.#throttleTimer = setTimeout(() => {
        this.#throttleTimer = undefined;
        this.#read();
      }, pause_ms);
    }
    if (!this.#mayRead()) this.#socket.pause();
  }

  #mayRead(): boolean {
    // Who does not read the acknowledgements is not read either: the broker itself queues them without end.
    return !this.#full && !this.#throttleTimer && !this.writableNeedDrain;
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
      if (stuck && this.writableNeedDrain) this.#refuse("unread");
      else if (stuck && this.#guard.isInsidePacket()) this.#refuse("slow");
      else if (this.#guard.isInsidePacket() || this.writableNeedDrain) this.#watch();
    }, this.#limits.packet_timeout_ms);
  }

  #refuse(reason: IngestRefusal): void {
    if (this.destroyed) return;
    this.#events.onRefused(reason);
    this.destroy();
  }
}
