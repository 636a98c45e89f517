// Asks an M-Bus meter for its data (EN 13757-2, section 5.5; EN 13757-7, annex on secondary addresses): a reset, for a secondary address
// the selection, then requests with a bit that changes from one answer to the next. A pure state machine: time and frames in, bytes out.

import type { PortAction } from "../port-action.js";

export interface MbusRequest {
  readonly interval_ms: number;
  /** Primary, 0 to 250, or 254, at which a lone meter answers whatever its own is. */
  readonly address?: number;
  /** Secondary: eight digits of the meter's number, or all sixteen of number, maker, version and medium; F stands for any digit. */
  readonly id?: string;
}

const anyMeter = 254;
const selected = 253;
const addressMax = 250;
const reset = 0x40;
const request = 0x5b;
const alternate = 0x20;
const sendData = 0x53;
const select = 0x52;
/** 330 bit times and 50 ms at 300 baud are 1.15 s. */
const answer_ms = 1500;
const attemptsMax = 3;
const telegramsMax = 16;

type Phase = "idle" | "resetting" | "selecting" | "requesting";

/** What asks; `step` is told what came and when. */
export class MbusMaster {
  readonly address: number;
  private readonly interval_ms: number;
  private readonly selection: Uint8Array | undefined;
  private phase: Phase = "idle";
  private next_ms = 0;
  private deadline_ms = 0;
  private attempts = 0;
  private telegrams = 0;
  private outgoing: Uint8Array | undefined = undefined;

  constructor({ interval_ms, address, id }: MbusRequest) {
    if (address !== undefined && !isAddress(address))
      throw new RangeError(`M-Bus address: expected 0 to ${addressMax} or ${anyMeter}, got ${address}`);
    if (id !== undefined && !isSecondary(id))
      throw new RangeError(`M-Bus id: expected 8 digits or 16 hex digits, got "${id}"`);
    this.interval_ms = interval_ms;
    this.address = id === undefined ? (address ?? anyMeter) : selected;
    this.selection = id === undefined ? undefined : selectionOf(id);
  }

  toSend(uptime_ms: number): readonly PortAction[] {
    if (this.phase === "idle" && uptime_ms >= this.next_ms) {
      this.next_ms = uptime_ms + this.interval_ms;
      this.telegrams = 0;
      this.go("resetting", shortFrame(reset, this.address));
    }
    const { outgoing } = this;
    if (outgoing === undefined) return [];
    this.outgoing = undefined;
    this.deadline_ms = uptime_ms + answer_ms;
    return [{ kind: "send", bytes: outgoing }];
  }

  wakeAt_ms(): number {
    if (this.outgoing !== undefined) return 0;
    return this.phase === "idle" ? this.next_ms : this.deadline_ms + 1;
  }

  /** `E5` came: the reset, or the selection, was heard. */
  acknowledged(): void {
    if (this.phase === "resetting" && this.selection !== undefined) this.go("selecting", this.selection);
    else if (this.phase === "resetting" || this.phase === "selecting") this.ask();
  }

  /** An answer came; `more` says that the rest is to be asked for. */
  answered(more: boolean): void {
    if (this.phase !== "requesting") return;
    if (more && this.telegrams < telegramsMax) this.ask();
    else this.phase = "idle";
  }

  /** Whether an answer is waited for. */
  get isWaiting(): boolean {
    return this.phase === "requesting";
  }

  /** Why the meter counts as silent, once it does. */
  expired(uptime_ms: number): string | undefined {
    if (this.phase === "idle" || this.outgoing !== undefined || uptime_ms <= this.deadline_ms) return undefined;
    // Not every meter acknowledges a reset, and one that is not selected says nothing to it.
    if (this.phase === "resetting") {
      if (this.selection === undefined) this.ask();
      else this.go("selecting", this.selection);
      return undefined;
    }
    this.attempts++;
    if (this.attempts < attemptsMax) {
      this.outgoing = this.phase === "selecting" ? this.selection : this.question();
      return undefined;
    }
    const what = this.phase === "selecting" ? "selection" : "request";
    this.phase = "idle";
    return `no meter answered the ${what} within ${answer_ms} ms, ${attemptsMax} times`;
  }

  private ask(): void {
    this.telegrams++;
    this.go("requesting", this.question());
  }

  /** The first request after a reset has the bit set. */
  private question(): Uint8Array {
    return shortFrame(request | (this.telegrams % 2 === 1 ? alternate : 0), this.address);
  }

  private go(phase: Phase, outgoing: Uint8Array): void {
    this.phase = phase;
    this.attempts = 0;
    this.outgoing = outgoing;
  }
}

function isAddress(address: number): boolean {
  return Number.isInteger(address) && ((address >= 0 && address <= addressMax) || address === anyMeter);
}

/** Eight decimal digits, or sixteen hex digits. */
export function isSecondary(id: string): boolean {
  return /^[0-9Ff]{8}$/.test(id) || /^[0-9A-Fa-f]{16}$/.test(id);
}

function shortFrame(control: number, address: number): Uint8Array {
  return Uint8Array.of(0x10, control, address, (control + address) & 0xff, 0x16);
}

/** Number with the last digits first, then maker, version and medium as the telegram has them; FF is any. */
function selectionOf(id: string): Uint8Array {
  const body = Uint8Array.of(sendData, selected, select, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff);
  for (let index = 0; index < 4; index++) body[6 - index] = Number.parseInt(id.slice(2 * index, 2 * index + 2), 16);
  for (let index = 4; 2 * index < id.length; index++)
    body[3 + index] = Number.parseInt(id.slice(2 * index, 2 * index + 2), 16);
  let sum = 0;
  for (let index = 0; index < body.length; index++) sum += body[index]!;
  const frame = new Uint8Array(body.length + 6);
  frame.set([0x68, body.length, body.length, 0x68]);
  frame.set(body, 4);
  frame[body.length + 4] = sum & 0xff;
  frame[body.length + 5] = 0x16;
  return frame;
}
