// The records that are on their way: handed out by the outbox, published, and not sealed as far as the meter knows. Bounded, because it
// is all that the meter keeps of its outbox in memory. A record leaves it by a verified receipt alone; one that nodes refuse is set
// aside, and gives up its place only where others need it (parked.ts).

import { standsAt } from "../wire/bytes.js";
import type { Refusal, RefusalReason } from "../wire/refusal.js";
import type { Outbox } from "./outbox.js";
import { Parked } from "./parked.js";
import { answerTo, isLasting, isOfTheMeter, type RefusalAnswer } from "./refusals.js";
import {
  ASIDE_MAX,
  giveUpAt_ms,
  INTRODUCTION_WAIT_MS,
  isReady,
  noRecords,
  PARKED_MS,
  RECEIPT_WAIT_MS,
  type Travelling,
  waitOf_ms,
} from "./travelling.js";

/** Records on their way at a time: a receipt takes as long as a block, so this bounds how fast a full outbox is drained. */
export const WINDOW_MAX = 24;
/** New ones are handed out once so many places are free: what travels together is sealed together, and each block has signatures to check. */
export const BURST = WINDOW_MAX / 2;
/** Where fewer places have been free for so long, other records hold theirs: new ones are handed out one by one. */
export const BURST_WAIT_MS = 2_000;
/** Bytes published and not yet acknowledged by the broker; one record may be longer. */
export const UNACKNOWLEDGED_BYTES_MAX = 8_192;
/**
 * Numbers by which a service's record may be ahead of its lowest one without a receipt, on its way or parked; further ones wait. Nodes
 * close a gap that is 1,024 numbers behind, and what is in it is never sealed.
 */
export const SPAN_MAX = 512;
/** So many places may be taken by records whose receipts are here and not checked yet. */
export const DEFERRED_MAX = 16;
const HASH_BYTES = 32;

export interface Window {
  readonly travelling: readonly Travelling[];
  /** since when the oldest record without a receipt waits, whatever keeps it; infinite where none does */
  readonly oldestSince_ms: number;
  /** why the one of the refused that has waited longest was refused */
  readonly refusedAs: RefusalReason | undefined;
  /** Notices what waits in the outbox. */
  look(uptime_ms: number): void;
  /** Whether a record of this hash and service is on its way. */
  expects(hash: Uint8Array, service: number): boolean;
  /** Whether deferred receipts are to be checked now: their records are many, or others need their places. */
  readonly isPressed: boolean;
  /** records whose receipts are here and not checked yet */
  readonly counters: { readonly deferred: number };
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
  /** A receipt of the record is here, to be checked within a minute: until then it is not published again. */
  deferred(hash: Uint8Array): void;
  /** One whose deferred receipt is good now; undefined where none of the service is left. */
  proved(service: number): Travelling | undefined;
  /** The deferred receipts of the service prove nothing: their records are published again soon. */
  unproved(service: number, uptime_ms: number): void;
  refused(refusal: Refusal, uptime_ms: number): RefusalAnswer;
  /** A receipt of the record cannot be verified yet: it is published again soon, for another copy. False where none is on its way. */
  askAgain(hash: Uint8Array, uptime_ms: number): boolean;
  /** When `take` may have something, or a publication is overdue; infinite where only an input changes that. */
  nextDue_ms(): number;
}

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
  private readonly parked = new Parked();
  /** services of which the outbox has records that are too far ahead of one without a receipt */
  private held: number[] = [];
  /** whether the last look into the outbox found nothing but such records, and may go on */
  private isSearching = false;
  /** since when records wait of which none is on its way */
  private unofferedSince_ms = Number.POSITIVE_INFINITY;

  constructor(
    private readonly outbox: Outbox,
    private readonly random: () => number,
  ) {}

  get oldestSince_ms(): number {
    let oldest_ms = Math.min(this.unofferedSince_ms, this.parked.oldest()?.since_ms ?? Number.POSITIVE_INFINITY);
    for (const { since_ms, isDeferred } of this.travelling) if (!isDeferred) oldest_ms = Math.min(oldest_ms, since_ms);
    return oldest_ms;
  }

  get isPressed(): boolean {
    return this.counters.deferred >= DEFERRED_MAX || this.travelling.length === WINDOW_MAX;
  }

  get counters(): { readonly deferred: number } {
    let deferred = 0;
    for (const { isDeferred } of this.travelling) if (isDeferred) deferred += 1;
    return { deferred };
  }

  get refusedAs(): RefusalReason | undefined {
    const parked = this.parked.oldest();
    let reason = parked?.reason;
    let oldest_ms = reason === undefined ? Number.POSITIVE_INFINITY : parked!.since_ms;
    for (const { since_ms, refusedAs } of this.travelling) {
      if (refusedAs === undefined || since_ms > oldest_ms) continue;
      reason = refusedAs;
      oldest_ms = since_ms;
    }
    return reason;
  }

  look(uptime_ms: number): void {
    const isUnoffered = this.travelling.length === 0 && this.parked.isEmpty && this.outbox.waiting > 0;
    this.unofferedSince_ms = isUnoffered ? Math.min(this.unofferedSince_ms, uptime_ms) : Number.POSITIVE_INFINITY;
  }

  expects(hash: Uint8Array, service: number): boolean {
    return this.find(hash)?.service === service;
  }

  take(uptime_ms: number): { readonly travelling: Travelling; readonly record: Uint8Array } | undefined {
    this.isSearching = false;
    for (const record of this.surplus()) if (uptime_ms >= giveUpAt_ms(record)) this.park(record, uptime_ms);
    const bytes = this.unacknowledgedBytes();
    for (let attempts = 0; attempts < WINDOW_MAX; attempts += 1) {
      const next = this.travelling.find((candidate) => isReady(candidate, uptime_ms)) ?? this.handOut(uptime_ms);
      if (next === undefined) return undefined;
      if (next === "held") continue;
      if (bytes > 0 && bytes + next.position.length > UNACKNOWLEDGED_BYTES_MAX) return undefined;
      const record = this.outbox.read(next.position);
      if (record !== undefined) {
        next.isAside = false;
        return { travelling: next, record };
      }
      this.remove(next); // flash has lost it, and the outbox has counted that
    }
    this.isSearching = true;
    return undefined;
  }

  acknowledged(packetId: number, uptime_ms: number): boolean {
    const record = this.travelling.find((candidate) => candidate.packetId === packetId && !candidate.interrupted);
    if (record === undefined) return false;
    record.packetId = 0;
    record.due_ms = uptime_ms + (record.isAside ? PARKED_MS : waitOf_ms(record, RECEIPT_WAIT_MS, this.random()));
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
      record.isAside = false;
    }
    if (!this.parked.isEmpty || this.held.length > 0) this.rewind();
  }

  sealed(hash: Uint8Array): Travelling | undefined {
    const record = this.find(hash);
    if (record !== undefined) this.done(record);
    return record;
  }

  deferred(hash: Uint8Array): void {
    const record = this.find(hash);
    if (record === undefined) return;
    record.isDeferred = true;
    record.isAside = false;
    record.refusedAs = undefined;
  }

  proved(service: number): Travelling | undefined {
    const record = this.travelling.find((candidate) => candidate.isDeferred && candidate.service === service);
    if (record !== undefined) this.done(record);
    return record;
  }

  unproved(service: number, uptime_ms: number): void {
    for (const record of this.travelling) {
      if (!record.isDeferred || record.service !== service) continue;
      record.isDeferred = false;
      this.soon(record, uptime_ms);
    }
  }

  refused({ recordHash, service, seq, reason }: Refusal, uptime_ms: number): RefusalAnswer {
    const record =
      recordHash !== undefined
        ? this.find(recordHash)
        : this.travelling.find((candidate) => candidate.service === service && candidate.seq === seq);
    if (record === undefined || record.isAside || record.isDeferred) return "none";
    record.refusedAs = reason;
    record.isAside = isLasting(reason);
    if (record.packetId === 0) {
      const first_ms = reason === "unknown-meter" ? INTRODUCTION_WAIT_MS : RECEIPT_WAIT_MS;
      record.due_ms = uptime_ms + (record.isAside ? PARKED_MS : waitOf_ms(record, first_ms, this.random()));
    }
    return answerTo(reason);
  }

  askAgain(hash: Uint8Array, uptime_ms: number): boolean {
    const record = this.find(hash);
    if (record !== undefined) this.soon(record, uptime_ms);
    return record !== undefined;
  }

  nextDue_ms(): number {
    if (this.isSearching) return 0;
    // While the broker owes an acknowledgement, that brings the next step, and its absence the one after.
    const owed = this.travelling.filter((record) => record.packetId !== 0 && !record.interrupted);
    let due_ms = Number.POSITIVE_INFINITY;
    if (owed.length === 0 && this.travelling.length < WINDOW_MAX && !this.isHeld()) {
      due_ms = this.filling ? this.rewindAt_ms : this.filledAt_ms + BURST_WAIT_MS;
    }
    for (const record of owed.length > 0 ? owed : this.travelling)
      if (record.packetId !== 0 || !record.isDeferred) due_ms = Math.min(due_ms, record.due_ms);
    for (const record of this.surplus()) due_ms = Math.min(due_ms, giveUpAt_ms(record));
    return due_ms;
  }

  private done(record: Travelling): void {
    this.outbox.done(record.position);
    this.remove(record);
  }

  /** Published again in a while, for another copy of its receipt. */
  private soon(record: Travelling, uptime_ms: number): void {
    if (record.packetId !== 0) return;
    record.due_ms = Math.min(record.due_ms, uptime_ms + waitOf_ms(record, INTRODUCTION_WAIT_MS, this.random()));
  }

  /** Those set aside whose places others need: all but the oldest. */
  private surplus(): readonly Travelling[] {
    if (this.travelling.length < WINDOW_MAX) return noRecords;
    return this.travelling.filter(({ isAside, packetId }) => isAside && packetId === 0).slice(ASIDE_MAX);
  }

  private park(record: Travelling, uptime_ms: number): void {
    const { service, seq, since_ms, refusedAs } = record;
    this.parked.park({ service, seq, since_ms, reason: refusedAs });
    this.outbox.park(record.position);
    this.remove(record);
    this.rewindAt_ms = Math.min(this.rewindAt_ms, uptime_ms + PARKED_MS);
  }

  private rewind(): void {
    this.rewindAt_ms = Number.POSITIVE_INFINITY;
    this.held = [];
    this.parked.rewound();
    this.outbox.rewind();
  }

  private unacknowledgedBytes(): number {
    let bytes = 0;
    for (const record of this.travelling)
      if (record.packetId !== 0 && !record.interrupted) bytes += record.position.length;
    return bytes;
  }

  private handOut(uptime_ms: number): Travelling | "held" | undefined {
    if (!this.mayFill(uptime_ms)) return undefined;
    let waiting = this.outbox.next();
    if (waiting === undefined && uptime_ms >= this.rewindAt_ms) {
      this.rewind();
      waiting = this.outbox.next();
    }
    if (waiting === undefined) {
      this.parked.passed();
      return undefined;
    }
    const { position, service, seq, hash } = waiting;
    const known = this.parked.handedOut(service, seq);
    const since_ms = Math.min(uptime_ms, this.unofferedSince_ms, known?.since_ms ?? uptime_ms);
    if (seq - this.lowest(service) > SPAN_MAX) {
      this.outbox.park(position);
      if (known !== undefined) this.parked.park({ service, seq, since_ms, reason: known.reason });
      if (!this.held.includes(service)) this.held.push(service);
      return "held";
    }
    const place = this.freePlace();
    this.hashes.set(hash, place * HASH_BYTES);
    const record = { position, service, seq, place, since_ms, refusedAs: known?.reason, isAside: false };
    this.travelling.push({
      ...record,
      packetId: 0,
      interrupted: false,
      due_ms: uptime_ms,
      publications: 0,
      sent: 0,
      isDeferred: false,
    });
    return this.travelling[this.travelling.length - 1];
  }

  /** The service's lowest number without a receipt, of those that were offered; infinite where there is none. */
  private lowest(service: number): number {
    let lowest = this.parked.lowest(service);
    for (const record of this.travelling) if (record.service === service) lowest = Math.min(lowest, record.seq);
    return lowest;
  }

  /** Whether one record after the other is refused for the meter's own sake: further ones would be, too. */
  private isHeld(): boolean {
    let refused = 0;
    for (const { isAside, refusedAs } of this.travelling) if (isAside && isOfTheMeter(refusedAs!)) refused += 1;
    return refused >= ASIDE_MAX;
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
    const { service, seq } = record;
    // Those that were too far ahead of it are behind the outbox's cursor.
    if (this.held.includes(service) && seq < this.lowest(service)) this.rewindAt_ms = 0;
  }
}
