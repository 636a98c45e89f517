// The outbox: signed records wait here, on flash, until their receipts have been verified. Whatever byte a power cut falls on, it goes
// on by itself from these rules:
//
// - An entry is written whole, then committed by clearing one bit, then `append` returns. Only then may the record leave the meter.
//   An uncommitted entry therefore never left: it is dropped and its seq is used again, without a gap. Its sector is closed.
// - Every sector opens with the chain state of all services, so a restart hashes no more than the newest sector's records, and
//   sectors can be erased without forgetting where a chain stands.
// - Where flash itself fails (a committed entry that does not pass its CRC, a ring that is gone), a seq that left could be given
//   out twice. The key-value store reserves seqs in blocks against that: such a service goes on at its reservation. The gap is visible,
//   as it should be.
// - A full ring refuses new records; what was accepted is never overwritten.

import type { Flash, KeyValue } from "../host.js";
import { SEQ_MAX } from "../wire/bounds.js";
import { openRing, type Position, type Ring } from "./ring.js";
import { type ChainState, entryBytes, SERVICES_MAX } from "./sector.js";

/** Seqs reserved at a time: a service costs one key-value write per so many records. */
export const RESERVATION = 64;
const unknownHash = new Uint8Array(32);
const noHash = new Uint8Array(0);

/** A record that is handed out to be published; it stays on flash until it is `done`. */
export interface Waiting {
  readonly position: Position;
  readonly service: number;
  readonly seq: number;
  /** hash of the record as the next one of its service names it */
  readonly hash: Uint8Array;
}

export type AppendRefusal = "full" | "record too large" | "too many services" | "wrong seq" | "seq used up";

export interface OutboxCounters {
  /** records that wait, handed out ones included */
  readonly waiting: number;
  readonly appended: number;
  readonly refused: number;
  /** accepted records that flash did not keep */
  readonly damaged: number;
  /** sector erases over the ring's whole life; divided by the sectors, the wear of each */
  readonly erases: number;
}

export interface Outbox {
  /** Longest record that is accepted, in bytes. */
  readonly recordBytesMax: number;
  readonly counters: OutboxCounters;
  /** records that wait, handed out ones included */
  readonly waiting: number;
  /** the same, and those since the start for which there was no room: what grows where fewer are sealed than come */
  readonly backlog: number;
  /** The seq and the predecessor's hash that the service's next record must have. */
  chain(service: number): ChainState;
  /** Accepts a record of `chain(service).seq` whose hash is `hash`: durable once this returns undefined, else the reason why not. */
  append(service: number, seq: number, record: Uint8Array, hash: Uint8Array): AppendRefusal | undefined;
  /** Hands out the oldest record that is neither done nor handed out; undefined where there is none. */
  next(): Waiting | undefined;
  /** Reads a handed-out record; undefined where flash has lost it, which lets go of it. */
  read(position: Position): Uint8Array | undefined;
  /** Lets go of a handed-out record whose receipt has been verified. */
  done(position: Position): void;
  /** Takes a handed-out record back: it is handed out again after `rewind`. */
  park(position: Position): void;
  /** Begins to hand out from the oldest record anew, those that are handed out now excepted. */
  rewind(): void;
}

export interface OutboxOptions {
  readonly flash: Flash;
  readonly keyValue: KeyValue;
  /** Hash of a record as the next one names it. */
  readonly recordHash: (record: Uint8Array) => Uint8Array;
}

/** Opens the outbox on `flash`, formatting it where it has never been used. Throws where the flash has no shape for a ring. */
export function openOutbox(options: OutboxOptions): Outbox {
  return new RingOutbox(options);
}

/** A class where closures would do: XS keeps a method once, in ROM, but a closure with all that it uses in RAM. */
class RingOutbox implements Outbox {
  readonly recordBytesMax: number;
  private readonly ring: Ring;
  private readonly chains: Map<number, ChainState>;
  private readonly reservations: Reservations;
  private readonly recordHash: (record: Uint8Array) => Uint8Array;
  private readonly counts: { waiting: number; appended: number; refused: number; damaged: number };
  /** where the next record to hand out is looked for; offset 0 is before the sector's header */
  private readonly cursor: { generation: number; offset: number };
  private readonly handedOut: Position[] = [];
  private oldestParked: number | undefined = undefined;
  /** records for which there was no room */
  private turnedAway = 0;

  constructor({ flash, keyValue, recordHash }: OutboxOptions) {
    const ring = openRing(flash, recordHash);
    const { chains, unsure, waiting, damaged } = ring.recovered;
    this.ring = ring;
    this.recordBytesMax = ring.recordBytesMax;
    this.chains = chains;
    this.reservations = new Reservations(keyValue);
    this.recordHash = recordHash;
    for (const [service, { seq, previous }] of chains) {
      if (unsure.has(service)) chains.set(service, { seq: Math.max(seq, this.reservations.of(service)), previous });
      this.reservations.cover(service, chains.get(service)!.seq);
    }
    this.counts = { waiting, appended: 0, refused: 0, damaged };
    this.cursor = { generation: ring.tail, offset: 0 };
  }

  get counters(): OutboxCounters {
    return { ...this.counts, erases: this.ring.head + 1 };
  }

  get waiting(): number {
    return this.counts.waiting;
  }

  get backlog(): number {
    return this.counts.waiting + this.turnedAway;
  }

  chain(service: number): ChainState {
    const known = this.chains.get(service);
    if (known !== undefined) return known;
    // Unknown to the ring: its first record, or the ring is a new one and the reservation says where the old one may have got to.
    const seq = this.reservations.of(service);
    return { seq, previous: seq === 0 ? noHash : unknownHash };
  }

  append(service: number, seq: number, record: Uint8Array, hash: Uint8Array): AppendRefusal | undefined {
    const refusal = this.refusalOf(service, seq, record);
    if (refusal === undefined && this.ring.append(service, seq, record, this.chains)) {
      this.chains.set(service, { seq: seq + 1, previous: hash });
      this.counts.waiting += 1;
      this.counts.appended += 1;
      this.reservations.cover(service, seq + 1);
      return undefined;
    }
    this.counts.refused += 1;
    if (refusal === undefined) this.turnedAway += 1;
    return refusal ?? "full";
  }

  next(): Waiting | undefined {
    while (this.cursor.generation <= this.ring.head) {
      const waiting = this.cursor.offset === 0 ? this.enterSector() : this.entryAtCursor();
      if (waiting !== "nothing here") return waiting;
    }
    return undefined;
  }

  read(position: Position): Uint8Array | undefined {
    const record = this.ring.recordAt(position);
    if (record === undefined && this.letGo(position)) this.counts.damaged += 1;
    return record;
  }

  done(position: Position): void {
    this.letGo(position);
  }

  park(position: Position): void {
    if (!this.takeBack(position)) return;
    this.oldestParked = Math.min(this.oldestParked ?? position.generation, position.generation);
  }

  rewind(): void {
    this.cursor.generation = this.ring.tail;
    this.cursor.offset = 0;
    this.oldestParked = undefined;
  }

  private refusalOf(service: number, seq: number, record: Uint8Array): AppendRefusal | undefined {
    if (record.length > this.ring.recordBytesMax) return "record too large";
    if (seq !== this.chain(service).seq) return "wrong seq";
    if (seq > SEQ_MAX) return "seq used up";
    return !this.chains.has(service) && this.chains.size === SERVICES_MAX ? "too many services" : undefined;
  }

  /** Steps behind the header of the cursor's sector, or over the sector where it is not one of the ring's any more. */
  private enterSector(): "nothing here" {
    const offset = this.ring.firstOffset(this.cursor.generation);
    if (offset === undefined) this.leaveSector();
    else this.cursor.offset = offset;
    return "nothing here";
  }

  private leaveSector(): void {
    this.cursor.generation += 1;
    this.cursor.offset = 0;
    this.advanceTail();
  }

  /** Takes the entry at the cursor and steps behind it; undefined at the end of the ring. */
  private entryAtCursor(): Waiting | "nothing here" | undefined {
    const { generation, offset } = this.cursor;
    const claim = this.ring.claimAt(generation, offset);
    if (claim.kind !== "written") {
      if (generation === this.ring.head) return undefined;
      this.leaveSector();
      return "nothing here";
    }
    const { service, seq, recordLength: length } = claim;
    this.cursor.offset = offset + entryBytes(length);
    const position = { generation, offset, length };
    if (claim.done || this.handedOut.some((other) => samePosition(other, position))) return "nothing here";
    const record = this.ring.recordAt(position);
    if (record === undefined) {
      this.ring.finish(position);
      this.counts.damaged += 1;
      this.counts.waiting -= 1;
      return "nothing here";
    }
    this.handedOut.push(position);
    const newest = this.chains.get(service);
    const hash = newest?.seq === seq + 1 ? newest.previous : this.recordHash(record);
    return { position, service, seq, hash };
  }

  private letGo(position: Position): boolean {
    if (!this.takeBack(position)) return false;
    this.ring.finish(position);
    this.counts.waiting -= 1;
    this.advanceTail();
    return true;
  }

  private takeBack(position: Position): boolean {
    const index = this.handedOut.findIndex((other) => samePosition(other, position));
    if (index >= 0) this.handedOut.splice(index, 1);
    return index >= 0;
  }

  /** Sectors that the cursor has left and that hold no handed-out or parked record may be used again. */
  private advanceTail(): void {
    let oldest = Math.min(this.cursor.generation, this.ring.head, this.oldestParked ?? this.cursor.generation);
    for (const { generation } of this.handedOut) oldest = Math.min(oldest, generation);
    this.ring.retireBefore(oldest);
  }
}

/** How far seqs are given out, as the key-value store has it. */
class Reservations {
  private readonly marks = new Map<number, number>();

  constructor(private readonly keyValue: KeyValue) {}

  /** Seqs from here on were never given out. */
  of(service: number): number {
    const known = this.marks.get(service);
    if (known !== undefined) return known;
    const stored = this.keyValue.get(`seq${service}`);
    const mark = stored?.length === 4 ? new DataView(stored.buffer, stored.byteOffset).getUint32(0, true) : 0;
    this.marks.set(service, mark);
    return mark;
  }

  /** Makes sure of it for a service whose next seq this is. */
  cover(service: number, next: number): void {
    if (next <= this.of(service)) return;
    const mark = Math.min(next + RESERVATION - 1, SEQ_MAX + 1);
    const stored = new Uint8Array(4);
    new DataView(stored.buffer).setUint32(0, mark, true);
    this.keyValue.set(`seq${service}`, stored);
    this.marks.set(service, mark);
  }
}

function samePosition(left: Position, right: Position): boolean {
  return left.generation === right.generation && left.offset === right.offset;
}
