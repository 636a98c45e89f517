// One reader of the stream of events. It is sent a piece, the next when that has gone: what it has not taken is one piece, and who takes
// too long is told so and let go of.

import { type EndedEvent, type Ending, type EventTopic, endings, type Position } from "../../../routes/events.js";
import type { ByteBudget } from "../byte-budget.js";
import type { EventStream } from "../event-stream.js";
import type { Rates } from "../gate.js";
import type { Objection } from "../route.js";
import type { Turns } from "../turns.js";
import { bodyOf, type EventLog } from "./event-log.js";
import { type EventPiece, type Following, opening, readEvents, startFollowing } from "./following.js";

/** A piece may wait so long for its reader, and the end of the stream as well. */
export const TAKING_MS = 10_000;
/** After so long without an event something is sent, so that nothing between takes the stream for dead. */
export const SILENCE_MS = 15_000;
/** What events that are read from the store cost of their address's rate. */
const EVENTS_A_TOKEN = 50;
const BYTES_A_TOKEN = 65_536;

export interface SubscriberPorts {
  readonly log: EventLog;
  readonly turns: Turns;
  readonly budget: ByteBudget;
  readonly rates: Rates;
  monotonic_ms(): number;
  /** A reader did not take what it was sent in time. */
  onSlow(): void;
  /** The log cannot be read on. */
  onBroken(error: unknown): void;
}

export interface Subscription {
  /** undefined: from now on */
  readonly after: Position | undefined;
  readonly topic: EventTopic;
  /** Why the reader is answered no longer. */
  objection(): Objection | undefined;
}

export class Subscriber {
  readonly #ports: SubscriberPorts;
  readonly #stream: EventStream;
  readonly #group: string;
  readonly #following: Following;
  readonly #objection: Subscription["objection"];
  /** reading the next piece, or resting until it may */
  #isReading = false;
  /** something was sealed since the last look at the log */
  #isBehind = true;
  #isEnding = false;
  #isClosed = false;
  #held_bytes = 0;
  /** of the last piece */
  #sent_ms: number;

  constructor(ports: SubscriberPorts, stream: EventStream, group: string, { after, topic, objection }: Subscription) {
    this.#ports = ports;
    this.#stream = stream;
    this.#group = group;
    this.#objection = objection;
    this.#following = startFollowing(ports.log.heads(), after, topic);
    this.#sent_ms = ports.monotonic_ms();
    stream.onClosed(() => {
      this.#isClosed = true;
      this.#release(this.#held_bytes);
    });
    this.#send(opening(this.#following));
  }

  /** Something is sealed. */
  wake(): void {
    this.#isBehind = true;
    this.#readOn();
  }

  /** To be called now and then: goes on where there was no room, sends a sign of life, lets go of who takes nothing. */
  look(): void {
    this.#endWhereObjected();
    const waited_ms = this.#ports.monotonic_ms() - this.#sent_ms;
    const isStalled = (this.#held_bytes > 0 || this.#isEnding) && waited_ms > TAKING_MS;
    if (isStalled && this.#isEnding) this.#stream.destroy();
    else if (isStalled) this.#giveUp(waited_ms);
    else if (!this.#isEnding && waited_ms > SILENCE_MS) this.#send(Buffer.from(":\n\n"));
    else this.#readOn();
  }

  end(code: Ending, message: string): void {
    if (this.#isEnding || this.#isClosed) return;
    this.#isEnding = true;
    const ended: EndedEvent = { code, message, remedy: endings[code] };
    this.#send(bodyOf("ended", ended));
    this.#stream.end();
  }

  #giveUp(waited_ms: number): void {
    this.#ports.onSlow();
    this.end("too-slow", `What was sent ${Math.floor(waited_ms / 1_000)} s ago is not taken yet.`);
  }

  #readOn(): void {
    if (this.#isReading || !this.#isBehind || this.#held_bytes > 0 || this.#isEnding || this.#isClosed) return;
    const { rates, budget } = this.#ports;
    if (rates.wait_ms(this.#group) > 0 || !budget.hasRoom(this.#group, 1)) return; // until the next look
    this.#isReading = true;
    this.#isBehind = false;
    this.#ports.turns
      .next(() => this.#read())
      .catch((error: unknown) => {
        this.#ports.onBroken(error);
        this.end("damaged", "What comes next is damaged at this node.");
      })
      .finally(() => {
        this.#isReading = false;
        this.#readOn();
      });
  }

  /** What a reader may see is judged by the newest block, each time that it is sent something. */
  #endWhereObjected(): void {
    const objected = this.#isEnding ? undefined : this.#objection();
    if (objected !== undefined) this.end(objected.code, objected.message);
  }

  #read(): void {
    this.#endWhereObjected();
    if (this.#isClosed || this.#isEnding) return;
    const { log, rates, monotonic_ms } = this.#ports;
    const piece: EventPiece = readEvents(this.#following, log, monotonic_ms);
    if (piece.events === 0) return;
    this.#isBehind = true;
    if (piece.read_bytes > 0) {
      rates.charge(this.#group, piece.events / EVENTS_A_TOKEN + piece.read_bytes / BYTES_A_TOKEN);
    }
    this.#send(piece.bytes);
  }

  #send(bytes: Uint8Array): void {
    if (this.#isClosed) return;
    this.#sent_ms = this.#ports.monotonic_ms();
    this.#held_bytes += bytes.length;
    this.#ports.budget.add(this.#group, bytes.length);
    this.#stream.send(bytes, () => {
      this.#release(bytes.length);
      this.#readOn();
    });
  }

  #release(bytes: number): void {
    if (this.#held_bytes < bytes) return; // its stream was closed, and everything released
    this.#ports.budget.release(this.#group, bytes);
    this.#held_bytes -= bytes;
  }
}
