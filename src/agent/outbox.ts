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
import { openRing, type Position } from "./ring.js";
import { type ChainState, entryBytes, SERVICES_MAX } from "./sector.js";

/** Seqs reserved at a time: a service costs one key-value write per so many records. */
export const RESERVATION = 64;
const SEQ_MAX = 0xffffffff;
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

export type AppendRefusal = "full" | "record too large" | "too many services" | "wrong seq";

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
export function openOutbox({ flash, keyValue, recordHash }: OutboxOptions): Outbox {
  const ring = openRing(flash, recordHash);
  const { chains } = ring.recovered;
  const reservations = createReservations(keyValue);
  for (const [service, { seq, previous }] of chains) {
    const unsure = ring.recovered.unsure.has(service);
    if (unsure) chains.set(service, { seq: Math.max(seq, reservations.of(service)), previous });
    reservations.cover(service, chains.get(service)!.seq);
  }
  const counts = { waiting: ring.recovered.waiting, appended: 0, refused: 0, damaged: ring.recovered.damaged };
  /** where the next record to hand out is looked for; offset 0 is before the sector's header */
  const cursor = { generation: ring.tail, offset: 0 };
  const handedOut: Position[] = [];
  let oldestParked: number | undefined;

  return {
    recordBytesMax: ring.recordBytesMax,
    get counters() {
      return { ...counts, erases: ring.head + 1 };
    },
    chain,
    append(service, seq, record, hash) {
      const refusal = refusalOf(service, seq, record);
      if (refusal === undefined && ring.append(service, seq, record, chains)) {
        chains.set(service, { seq: seq + 1, previous: hash });
        counts.waiting += 1;
        counts.appended += 1;
        reservations.cover(service, seq + 1);
        return undefined;
      }
      counts.refused += 1;
      return refusal ?? "full";
    },
    next() {
      while (cursor.generation <= ring.head) {
        const waiting = cursor.offset === 0 ? enterSector() : entryAtCursor();
        if (waiting !== "nothing here") return waiting;
      }
      return undefined;
    },
    read(position) {
      const record = ring.recordAt(position);
      if (record === undefined && letGo(position)) counts.damaged += 1;
      return record;
    },
    done: (position) => void letGo(position),
    park(position) {
      if (!takeBack(position)) return;
      oldestParked = Math.min(oldestParked ?? position.generation, position.generation);
    },
    rewind() {
      cursor.generation = ring.tail;
      cursor.offset = 0;
      oldestParked = undefined;
    },
  };

  function chain(service: number): ChainState {
    const known = chains.get(service);
    if (known !== undefined) return known;
    // Unknown to the ring: its first record, or the ring is a new one and the reservation says where the old one may have got to.
    const seq = reservations.of(service);
    return { seq, previous: seq === 0 ? noHash : unknownHash };
  }

  function refusalOf(service: number, seq: number, record: Uint8Array): AppendRefusal | undefined {
    if (record.length > ring.recordBytesMax) return "record too large";
    if (seq !== chain(service).seq || seq >= SEQ_MAX) return "wrong seq";
    return !chains.has(service) && chains.size === SERVICES_MAX ? "too many services" : undefined;
  }

  /** Steps behind the header of the cursor's sector, or over the sector where it is not one of the ring's any more. */
  function enterSector(): "nothing here" {
    const offset = ring.firstOffset(cursor.generation);
    if (offset === undefined) leaveSector();
    else cursor.offset = offset;
    return "nothing here";
  }

  function leaveSector(): void {
    cursor.generation += 1;
    cursor.offset = 0;
    advanceTail();
  }

  /** Takes the entry at the cursor and steps behind it; undefined at the end of the ring. */
  function entryAtCursor(): Waiting | "nothing here" | undefined {
    const { generation, offset } = cursor;
    const claim = ring.claimAt(generation, offset);
    if (claim.kind !== "written") {
      if (generation === ring.head) return undefined;
      leaveSector();
      return "nothing here";
    }
    const { service, seq, recordLength: length } = claim;
    cursor.offset = offset + entryBytes(length);
    const position = { generation, offset, length };
    if (claim.done || handedOut.some((other) => samePosition(other, position))) return "nothing here";
    const record = ring.recordAt(position);
    if (record === undefined) {
      ring.finish(position);
      counts.damaged += 1;
      counts.waiting -= 1;
      return "nothing here";
    }
    handedOut.push(position);
    const newest = chains.get(service);
    const hash = newest?.seq === seq + 1 ? newest.previous : recordHash(record);
    return { position, service, seq, hash };
  }

  function letGo(position: Position): boolean {
    if (!takeBack(position)) return false;
    ring.finish(position);
    counts.waiting -= 1;
    advanceTail();
    return true;
  }

  function takeBack(position: Position): boolean {
    const index = handedOut.findIndex((other) => samePosition(other, position));
    if (index >= 0) handedOut.splice(index, 1);
    return index >= 0;
  }

  /** Sectors that the cursor has left and that hold no handed-out or parked record may be used again. */
  function advanceTail(): void {
    let oldest = Math.min(cursor.generation, ring.head, oldestParked ?? cursor.generation);
    for (const { generation } of handedOut) oldest = Math.min(oldest, generation);
    ring.retireBefore(oldest);
  }
}

interface Reservations {
  /** Seqs from here on were never given out. */
  of(service: number): number;
  /** Makes sure of it for a service whose next seq this is. */
  cover(service: number, next: number): void;
}

function createReservations(keyValue: KeyValue): Reservations {
  const marks = new Map<number, number>();
  const of = (service: number): number => {
    const known = marks.get(service);
    if (known !== undefined) return known;
    const stored = keyValue.get(`seq${service}`);
    const mark = stored?.length === 4 ? new DataView(stored.buffer, stored.byteOffset).getUint32(0, true) : 0;
    marks.set(service, mark);
    return mark;
  };
  return {
    of,
    cover(service, next) {
      if (next <= of(service)) return;
      const mark = Math.min(next + RESERVATION - 1, SEQ_MAX);
      const stored = new Uint8Array(4);
      new DataView(stored.buffer).setUint32(0, mark, true);
      keyValue.set(`seq${service}`, stored);
      marks.set(service, mark);
    },
  };
}

function samePosition(left: Position, right: Position): boolean {
  return left.generation === right.generation && left.offset === right.offset;
}
