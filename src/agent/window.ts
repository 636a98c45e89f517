// The records that are on their way: handed out by the outbox, published, and not sealed as far as the meter knows. Bounded, because it
// is all that the meter keeps of its outbox in memory. A record leaves it by a verified receipt, or is parked when nodes refuse it.

import { standsAt } from "../wire/bytes.js";
import type { Refusal, RefusalReason } from "../wire/refusal.js";
import type { Outbox } from "./outbox.js";
import type { Position } from "./ring.js";

/** Records on their way at a time: a receipt takes as long as a block, so this bounds how fast a full outbox is drained. */
export const WINDOW_MAX = 24;
/** New ones are handed out once so many places are free: what travels together is sealed together, and each block has signatures to check. */
export const BURST = WINDOW_MAX / 2;
/** Where fewer places have been free for so long, other records hold theirs: new ones are handed out one by one. */
export const BURST_WAIT_MS = 2_000;
/** Bytes published and not yet acknowledged by the broker; one record may be longer. */
export const UNACKNOWLEDGED_BYTES_MAX = 8_192;
/** Wait for a receipt before a record is published again, the first time and at most. */
export const RECEIPT_WAIT_MS = 10_000;
export const RECEIPT_WAIT_MAX_MS = 300_000;
/** The same where a node has not heard of the meter yet: its birth is on its way there. */
export const INTRODUCTION_WAIT_MS = 1_000;
/**
 * Numbers by which a service's sealed records may be ahead of one that is on its way; new ones wait for it then. Nodes close a gap that
 * is 1,024 numbers behind, and what is in it is never sealed.
 */
export const SPAN_MAX = 512;
/** Parked records are tried again after this. */
export const PARKED_MS = 600_000;
/** Pause after a node said that it is busy. */
export const BUSY_PAUSE_MS = 5_000;
const HASH_BYTES = 32;

export interface Travelling {
  readonly position: Position;
  readonly service: number;
  readonly seq: number;
  /** of the window's places; its hash is at this one */
  readonly place: number;
  readonly since_ms: number;
  /** id of the publication that the broker has not acknowledged; 0 where there is none */
  packetId: number;
  /** whether that publication belongs to a connection that is gone */
  interrupted: boolean;
  /** when the broker must have acknowledged it, or else when the record is published again */
  due_ms: number;
  /** since this connection began */
  publications: number;
  /** in all, whatever the connection */
  sent: number;
}

/** What a refusal asks of the uplink besides. */
export type RefusalAnswer = "none" | "birth" | "pause";

export interface Window {
  readonly travelling: readonly Travelling[];
  /** Whether a record of this hash is on its way. */
  expects(hash: Uint8Array): boolean;
  /** The next record to publish now, where the limits allow one. The caller publishes it and fills in packetId, due and count. */
  take(uptime_ms: number): { readonly travelling: Travelling; readonly record: Uint8Array } | undefined;
  /** The broker has acknowledged a publication; false where it is none of a record. */
  acknowledged(packetId: number, uptime_ms: number): boolean;
  /** The transport did not take a publication; undefined where it is none of a record. */
  undone(packetId: number, uptime_ms: number): Travelling | undefined;
  /** A new connection: everything is published again, for a receipt may have been missed meanwhile. */
  restart(uptime_ms: number): void;
  /** Lets go of the record whose verified receipt came; undefined where none is on its way. */
  sealed(hash: Uint8Array): Travelling | undefined;
  refused(refusal: Refusal, uptime_ms: number): RefusalAnswer;
  /** When `take` may have something, or a publication is overdue; infinite where only an input changes that. */
  nextDue_ms(): number;
}

/** What nodes say of a record that will not pass as it is; it is tried again when much else may have changed. */
const lasting: readonly RefusalReason[] = [
  "oversized",
  "malformed",
  "wrong-topic",
  "bad-signature",
  "service-not-permitted",
  "out-of-sequence",
  "fork",
  "clock-far-off",
];

/** `random` gives a fraction from 0 up to but not including 1. */
export function createWindow(outbox: Outbox, random: () => number): Window {
  return new OutboxWindow(outbox, random);
}

/** A class where closures would do: XS keeps a method once, in ROM, but a closure with all that it uses in RAM. */
class OutboxWindow implements Window {
  readonly travelling: Travelling[] = [];
  /** by places: one array takes a tenth of what an array each would */
  private readonly hashes = new Uint8Array(WINDOW_MAX * HASH_BYTES);
  /** whether the places that became free are being filled */
  private filling = true;
  private filledAt_ms = 0;
  private rewindAt_ms = Number.POSITIVE_INFINITY;
  /** a record that those of its service have left far behind; new ones wait while it is on its way */
  private straggler: Travelling | undefined = undefined;

  constructor(
    private readonly outbox: Outbox,
    private readonly random: () => number,
  ) {}

  expects(hash: Uint8Array): boolean {
    return this.find(hash) !== undefined;
  }

  take(uptime_ms: number): { readonly travelling: Travelling; readonly record: Uint8Array } | undefined {
    const bytes = this.unacknowledgedBytes();
    for (let attempts = 0; attempts < WINDOW_MAX; attempts += 1) {
      const next = this.travelling.find((candidate) => isReady(candidate, uptime_ms)) ?? this.handOut(uptime_ms);
      if (next === undefined) return undefined;
      if (bytes > 0 && bytes + next.position.length > UNACKNOWLEDGED_BYTES_MAX) return undefined;
      const record = this.outbox.read(next.position);
      if (record !== undefined) return { travelling: next, record };
      this.remove(next); // flash has lost it, and the outbox has counted that
    }
    return undefined;
  }

  acknowledged(packetId: number, uptime_ms: number): boolean {
    const record = this.travelling.find((candidate) => candidate.packetId === packetId && !candidate.interrupted);
    if (record === undefined) return false;
    record.packetId = 0;
    record.due_ms = uptime_ms + this.wait_ms(RECEIPT_WAIT_MS, record.publications);
    return true;
  }

  undone(packetId: number, uptime_ms: number): Travelling | undefined {
    const record = this.travelling.find((candidate) => candidate.packetId === packetId);
    if (record === undefined) return undefined;
    record.packetId = 0;
    record.due_ms = uptime_ms;
    record.publications -= 1;
    record.sent -= 1;
    return record;
  }

  restart(uptime_ms: number): void {
    for (const record of this.travelling) {
      record.interrupted = record.packetId !== 0;
      record.due_ms = uptime_ms;
      record.publications = 0;
    }
  }

  sealed(hash: Uint8Array): Travelling | undefined {
    const record = this.find(hash);
    if (record === undefined) return undefined;
    this.outbox.done(record.position);
    this.remove(record);
    const { service, seq } = record;
    this.straggler =
      this.travelling.find((other) => other.service === service && seq - other.seq >= SPAN_MAX) ?? this.straggler;
    return record;
  }

  refused(refusal: Refusal, uptime_ms: number): RefusalAnswer {
    const { recordHash, service, seq } = refusal;
    const record =
      recordHash !== undefined
        ? this.find(recordHash)
        : this.travelling.find((candidate) => candidate.service === service && candidate.seq === seq);
    if (record !== undefined && lasting.includes(refusal.reason)) {
      this.outbox.park(record.position);
      this.remove(record);
      this.rewindAt_ms = Math.min(this.rewindAt_ms, uptime_ms + PARKED_MS);
      return "none";
    }
    if (record !== undefined && record.packetId === 0) {
      const first_ms = refusal.reason === "unknown-meter" ? INTRODUCTION_WAIT_MS : RECEIPT_WAIT_MS;
      record.due_ms = uptime_ms + this.wait_ms(first_ms, record.publications);
    }
    if (refusal.reason === "busy" || refusal.reason === "rate-limited") return "pause";
    return lasting.includes(refusal.reason) ? "none" : "birth";
  }

  nextDue_ms(): number {
    // While the broker owes an acknowledgement, that brings the next step, and its absence the one after.
    const owed = this.travelling.filter((record) => record.packetId !== 0 && !record.interrupted);
    let due_ms = Number.POSITIVE_INFINITY;
    if (owed.length === 0 && this.travelling.length < WINDOW_MAX && !this.isHeld()) {
      due_ms = this.filling ? this.rewindAt_ms : this.filledAt_ms + BURST_WAIT_MS;
    }
    for (const record of owed.length > 0 ? owed : this.travelling) due_ms = Math.min(due_ms, record.due_ms);
    return due_ms;
  }

  private unacknowledgedBytes(): number {
    let bytes = 0;
    for (const record of this.travelling)
      if (record.packetId !== 0 && !record.interrupted) bytes += record.position.length;
    return bytes;
  }

  /** Twice as long with each publication, and not the same for all. */
  private wait_ms(first_ms: number, publications: number): number {
    const wait_ms = Math.min(first_ms * 2 ** Math.min(publications - 1, 16), RECEIPT_WAIT_MAX_MS);
    return Math.ceil(wait_ms * (0.75 + this.random() / 2));
  }

  private handOut(uptime_ms: number): Travelling | undefined {
    if (!this.mayFill(uptime_ms)) return undefined;
    let waiting = this.outbox.next();
    if (waiting === undefined && uptime_ms >= this.rewindAt_ms) {
      this.rewindAt_ms = Number.POSITIVE_INFINITY;
      this.outbox.rewind();
      waiting = this.outbox.next();
    }
    if (waiting === undefined) return undefined;
    const { position, service, seq, hash } = waiting;
    const place = this.freePlace();
    this.hashes.set(hash, place * HASH_BYTES);
    const record = { position, service, seq, place, since_ms: uptime_ms };
    this.travelling.push({
      ...record,
      packetId: 0,
      interrupted: false,
      due_ms: uptime_ms,
      publications: 0,
      sent: 0,
    });
    return this.travelling[this.travelling.length - 1];
  }

  /** Whether a record has fallen so far behind that others wait for it. */
  private isHeld(): boolean {
    return this.straggler !== undefined && this.travelling.includes(this.straggler);
  }

  private mayFill(uptime_ms: number): boolean {
    if (this.isHeld()) return false;
    const free = WINDOW_MAX - this.travelling.length;
    if (free >= BURST || uptime_ms >= this.filledAt_ms + BURST_WAIT_MS) this.filling = true;
    if (free === 0) {
      this.filling = false;
      this.filledAt_ms = uptime_ms;
    }
    return this.filling;
  }

  private find(hash: Uint8Array): Travelling | undefined {
    for (let index = 0; index < this.travelling.length; index += 1) {
      const record = this.travelling[index]!;
      if (standsAt(this.hashes, record.place * HASH_BYTES, hash)) return record;
    }
    return undefined;
  }

  /** There is one while fewer than WINDOW_MAX records are on their way. */
  private freePlace(): number {
    let place = 0;
    while (this.travelling.some((record) => record.place === place)) place += 1;
    return place;
  }

  private remove(record: Travelling): void {
    this.travelling.splice(this.travelling.indexOf(record), 1);
  }
}

function isReady(record: Travelling, uptime_ms: number): boolean {
  return (record.packetId === 0 || record.interrupted) && record.due_ms <= uptime_ms;
}
