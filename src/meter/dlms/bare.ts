// A port that pushes Data-Notifications without a frame around them (RS-485 of Czech meters, as Sagemcom's XT211 of EG.D). Nothing checks
// them but their own structure, and nothing says where one begins but the pause before it: what comes between two pauses must be whole
// messages and nothing else, or nothing of it is read. Every reading is flagged `unchecked`.

import type { MeterReader, Outcome, ReaderCounters } from "../reader.js";
import { createTally } from "../tally.js";
import { dataNotification, messageEnd } from "./notification.js";
import { type DlmsOptions, MessageReader } from "./reader.js";

export interface BareOptions extends DlmsOptions {
  /** True refuses what has no check: all that such a port sends. */
  readonly requireCrc?: boolean;
}

const burstBytesMax = 4096;
const messagesMax = 64;
/** Messages are a minute apart; a second is no gap within one. */
const pause_ms = 1000;

/** A streaming reader with one buffer of 4 kB. */
export function createBareReader(options: BareOptions = {}): MeterReader {
  return new BareReader(options);
}

class BareReader implements MeterReader {
  readonly toSend = (): readonly [] => [];
  private readonly buffer = new Uint8Array(burstBytesMax);
  private length = 0;
  private last_ms = 0;
  private noiseBytes = 0;
  /** The rest until the next pause is passed over. */
  private overflowed = false;
  private readonly tally = createTally("push");
  private readonly messages: MessageReader;
  private readonly requireCrc: boolean;

  constructor(options: BareOptions) {
    this.messages = new MessageReader("push", this.tally, options);
    this.requireCrc = options.requireCrc ?? false;
  }

  push(bytes: Uint8Array, uptime_ms: number): Outcome[] {
    const outcomes = bytes.length === 0 && uptime_ms - this.last_ms > pause_ms ? this.end() : [];
    if (bytes.length > 0) this.last_ms = uptime_ms;
    for (let start = 0; start < bytes.length && !this.overflowed; ) {
      if (this.length === burstBytesMax) this.examine(outcomes, false);
      const part = bytes.subarray(start, start + burstBytesMax - this.length);
      this.buffer.set(part, this.length);
      this.length += part.length;
      start += part.length;
    }
    return outcomes;
  }

  /** A pause, or the end: what came since the last one is judged. */
  end(): Outcome[] {
    const outcomes: Outcome[] = [];
    if (this.length > 0 && !this.overflowed) this.examine(outcomes, true);
    this.length = 0;
    this.overflowed = false;
    return outcomes;
  }

  wakeAt_ms(): number {
    return this.length > 0 ? this.last_ms + pause_ms + 1 : Number.POSITIVE_INFINITY;
  }

  get counters(): ReaderCounters {
    return this.tally.counters(this.noiseBytes);
  }

  /** Reads the messages in the buffer; `isEnd` where nothing more belongs to them. */
  private examine(outcomes: Outcome[], isEnd: boolean): void {
    const ends: number[] = [];
    let position = 0;
    while (position < this.length && ends.length < messagesMax) {
      const end = messageEnd(this.buffer.subarray(0, this.length), position);
      if (end === undefined) break;
      ends.push(end);
      position = end;
    }
    if (isEnd ? position < this.length : ends.length === 0 || this.buffer[position] !== dataNotification) {
      outcomes.push(this.refusal(isEnd));
      this.overflowed = !isEnd;
      return;
    }
    let start = 0;
    for (const end of ends) {
      outcomes.push(...this.read(this.buffer.slice(start, end)));
      start = end;
    }
    this.buffer.copyWithin(0, position, this.length);
    this.length -= position;
  }

  private read(message: Uint8Array): readonly Outcome[] {
    if (this.requireCrc) return [this.tally.refuse("crc", "a bare push carries no check")];
    const outcomes = this.messages.read([{ kind: "apdu", apdu: message, frames: message }]);
    return outcomes.map((outcome) => (outcome.ok ? { ...outcome, flags: ["unchecked", ...outcome.flags] } : outcome));
  }

  /** What began as a message is broken; all else is noise, in which nothing begins. */
  private refusal(isEnd: boolean): Outcome {
    if (!isEnd) return this.tally.refuse("oversized", `no pause and no whole message within ${burstBytesMax} bytes`);
    if (this.buffer[0] === dataNotification)
      return this.tally.refuse("truncated", `the ${this.length} bytes between two pauses are no whole messages`);
    this.noiseBytes += this.length;
    return this.tally.refuse("malformed", `the ${this.length} bytes between two pauses begin with no message`);
  }
}
