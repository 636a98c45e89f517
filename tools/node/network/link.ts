// One connection to one peer: HELLO, then frames both ways over a TLS socket, each frame a kind byte and its bytes.
// Sending is bounded in bytes and never waits; receiving pauses the socket while too much is being processed.

import type { TLSSocket } from "node:tls";
import { createFrameDecoder, FRAME_HEADER_BYTES } from "./frames.js";
import { HELLO_BYTES_MAX } from "./hello.js";

export interface LinkLimits {
  /** largest message in bytes, both ways */
  readonly frame_bytes_max: number;
  /** bytes that may wait to be sent to one peer; what does not fit is dropped */
  readonly queue_bytes_max: number;
  /** bytes of one peer's messages in processing from which on its socket is paused */
  readonly processing_bytes_max: number;
  /** time from the start of a connection to the peer's valid HELLO */
  readonly hello_timeout_ms: number;
  /** a peer that has said nothing for so long after a frame was sent to it is asked whether it is there */
  readonly probe_after_ms: number;
  /** and is given up where it has still said nothing that long after the frame */
  readonly silent_after_ms: number;
  /** a peer that sends more, probes and answers counted, is read no further until the second is over */
  readonly messages_per_s_max: number;
}

export interface LinkCounters {
  frames_sent: number;
  bytes_sent: number;
  frames_received: number;
  bytes_received: number;
  /** messages not sent because the peer's queue was full */
  frames_dropped: number;
  /** messages not sent because they exceed the limit that peers agreed on */
  frames_unsendable: number;
  probes_sent: number;
  pauses: number;
  /** times that a peer had to wait because it sent too many messages or caused too much work */
  throttled: number;
  handler_failures: number;
}

export type LinkFault = "frame-oversized" | "frame-malformed" | "hello-late" | "silent" | "over-budget";

export interface LinkEvents {
  /** The peer's HELLO; answers whether it may go on. */
  onHello(hello: Uint8Array): boolean;
  /** A message, often a view of a larger buffer; a promise keeps its bytes counted as in processing until it settles. */
  onMessage(message: Uint8Array): void | Promise<void>;
  onHandlerFailure(thrown: unknown): void;
  /** Said once, after which nothing else is; the fault where this end closed because of one. */
  onClosed(fault: LinkFault | undefined): void;
}

const kinds = { hello: 0, message: 1, probe: 2, answer: 3 } as const;
const KIND_BYTES = 1;
/** What a message in processing costs beyond its bytes, so that a flood of empty ones is held back too. */
const MESSAGE_OVERHEAD_BYTES = 256;
const keepAlive_ms = 10_000;
const nothing = new Uint8Array(0);

export class Link {
  readonly #socket: TLSSocket;
  readonly #limits: LinkLimits;
  readonly #counters: LinkCounters;
  readonly #events: LinkEvents;
  readonly #decoder = createFrameDecoder(HELLO_BYTES_MAX + KIND_BYTES);
  readonly #helloTimer: NodeJS.Timeout;
  #open = false;
  #closed = false;
  #corked = false;
  #processing_bytes = 0;
  /** messages, probes and answers since the start of this second */
  #frames = 0;
  #second_ms = 0;
  #throttle: NodeJS.Timeout | undefined;
  #unanswered_ms: number | undefined;
  #probed = false;
  #silenceTimer: NodeJS.Timeout | undefined;

  /** Takes over a socket whose TLS handshake is complete. */
  constructor(socket: TLSSocket, limits: LinkLimits, counters: LinkCounters, events: LinkEvents) {
    this.#socket = socket;
    this.#limits = limits;
    this.#counters = counters;
    this.#events = events;
    this.#helloTimer = setTimeout(() => this.close("hello-late"), limits.hello_timeout_ms);
    socket.setNoDelay(true);
    socket.setKeepAlive(true, keepAlive_ms);
    socket.on("data", (chunk) => this.#receive(chunk));
    socket.on("error", () => this.close());
    socket.on("end", () => this.close());
    socket.on("close", () => this.close());
  }

  sendHello(hello: Uint8Array): void {
    this.#write(kinds.hello, hello);
  }

  /** The peer has proved who it is: messages may flow, up to the full size. */
  open(): void {
    this.#open = true;
    clearTimeout(this.#helloTimer);
    this.#decoder.setLimit(this.#limits.frame_bytes_max + KIND_BYTES);
  }

  /** False where the message was dropped and counted. The bytes must not change until they are sent. */
  send(message: Uint8Array): boolean {
    if (!this.#open || this.#closed) return false;
    if (message.length > this.#limits.frame_bytes_max) {
      this.#counters.frames_unsendable += 1;
      return false;
    }
    if (this.#socket.writableLength + message.length > this.#limits.queue_bytes_max) {
      this.#counters.frames_dropped += 1;
      return false;
    }
    this.#write(kinds.message, message);
    this.#counters.frames_sent += 1;
    this.#counters.bytes_sent += message.length;
    if (this.#unanswered_ms === undefined) {
      this.#unanswered_ms = performance.now();
      this.#silenceTimer ??= setTimeout(() => this.#checkSilence(), this.#limits.probe_after_ms);
    }
    return true;
  }

  /** Bytes that were sent and that the peer's side has not taken yet. */
  get unsent_bytes(): number {
    return this.#socket.writableLength;
  }

  /** Reads nothing more for so long, false where it waits already; messages of a chunk that is here already are handled. */
  delay(delay_ms: number): boolean {
    if (this.#closed || this.#throttle !== undefined) return false;
    this.#counters.throttled += 1;
    this.#socket.pause();
    this.#throttle = setTimeout(() => {
      this.#throttle = undefined;
      if (this.#processing_bytes <= this.#limits.processing_bytes_max / 2) this.#resume();
    }, delay_ms);
    return true;
  }

  close(fault?: LinkFault): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#helloTimer);
    clearTimeout(this.#silenceTimer);
    clearTimeout(this.#throttle);
    this.#socket.destroy();
    this.#events.onClosed(fault);
  }

  /** All writes of one turn of the event loop leave as one. */
  #write(kind: number, body: Uint8Array): void {
    if (this.#closed) return;
    if (!this.#corked) {
      this.#corked = true;
      this.#socket.cork();
      setImmediate(() => {
        this.#corked = false;
        this.#socket.uncork();
      });
    }
    const head = Buffer.allocUnsafe(FRAME_HEADER_BYTES + KIND_BYTES);
    head.writeUInt32BE(KIND_BYTES + body.length, 0);
    head[FRAME_HEADER_BYTES] = kind;
    this.#socket.write(head);
    if (body.length > 0) this.#socket.write(body);
  }

  #receive(chunk: Uint8Array): void {
    if (this.#closed) return;
    this.#counters.bytes_received += chunk.length;
    this.#unanswered_ms = undefined;
    this.#probed = false;
    const fault = this.#decoder.push(chunk, (frame) => this.#dispatch(frame));
    if (fault) this.close(fault);
  }

  /** Answers whether the next frame is to be read. */
  #dispatch(frame: Uint8Array): boolean {
    const kind = frame[0];
    const body = frame.subarray(KIND_BYTES);
    if (kind === kinds.hello && !this.#open) {
      if (!this.#events.onHello(body)) this.close();
    } else if (kind === kinds.message && this.#open) {
      this.#process(body);
    } else if (kind === kinds.probe && this.#open && body.length === 0) {
      this.#countFrame();
      // One answer at a time: a peer that asks and never reads makes no queue.
      if (this.#socket.writableLength === 0) this.#write(kinds.answer, nothing);
    } else if (kind === kinds.answer && this.#open && body.length === 0) {
      this.#countFrame();
    } else {
      this.close("frame-malformed");
    }
    return !this.#closed;
  }

  #process(message: Uint8Array): void {
    this.#counters.frames_received += 1;
    this.#countFrame();
    try {
      const handled = this.#events.onMessage(message);
      if (handled === undefined) return;
      const cost_bytes = message.length + MESSAGE_OVERHEAD_BYTES;
      this.#processing_bytes += cost_bytes;
      if (this.#processing_bytes > this.#limits.processing_bytes_max && !this.#socket.isPaused()) {
        this.#counters.pauses += 1;
        this.#socket.pause();
      }
      handled
        .catch((thrown: unknown) => this.#failed(thrown))
        .finally(() => {
          this.#processing_bytes -= cost_bytes;
          const relieved = this.#processing_bytes <= this.#limits.processing_bytes_max / 2;
          if (relieved) this.#resume();
        });
    } catch (thrown) {
      this.#failed(thrown);
    }
  }

  /** Beyond its limit nothing more is read until the next second. */
  #countFrame(): void {
    const now_ms = performance.now();
    if (now_ms - this.#second_ms >= 1_000) {
      this.#second_ms = now_ms;
      this.#frames = 0;
    }
    this.#frames += 1;
    if (this.#frames > this.#limits.messages_per_s_max) this.delay(1_000 - (now_ms - this.#second_ms));
  }

  #resume(): void {
    if (!this.#closed && this.#throttle === undefined && this.#socket.isPaused()) this.#socket.resume();
  }

  #failed(thrown: unknown): void {
    this.#counters.handler_failures += 1;
    this.#events.onHandlerFailure(thrown);
  }

  /**
   * The kernel takes writes to a dead peer for a quarter of an hour (tcp_retries2), and keepalive is silent while bytes are
   * unacknowledged. So a peer that was sent something and says nothing is asked; an idle link is never asked.
   */
  #checkSilence(): void {
    this.#silenceTimer = undefined;
    if (this.#unanswered_ms === undefined) return;
    const silent_ms = performance.now() - this.#unanswered_ms;
    const { probe_after_ms, silent_after_ms } = this.#limits;
    // A socket that this end has paused says nothing about the peer.
    if (silent_ms >= silent_after_ms && !this.#socket.isPaused()) {
      this.close("silent");
      return;
    }
    if (silent_ms >= probe_after_ms && !this.#probed) {
      this.#probed = true;
      this.#counters.probes_sent += 1;
      this.#write(kinds.probe, nothing);
    }
    const next_ms = this.#probed ? silent_after_ms - silent_ms : probe_after_ms - silent_ms;
    this.#silenceTimer = setTimeout(() => this.#checkSilence(), next_ms > 0 ? next_ms : probe_after_ms);
  }
}
