// The outbox: signed records wait here, on flash, until their receipts have been verified. A ring of sectors that is only appended
// to; sector.ts has the bytes. Whatever byte a power cut falls on, the ring starts again by itself from these rules:
//
// - An entry is written whole, then committed by clearing one bit, then `append` returns. Only then may the record leave the meter.
//   An uncommitted entry therefore never left: it is dropped and its seq is used again, without a gap. Its sector is closed.
// - Every sector opens with the chain state of all services, so a restart reads sector headers and the newest sector alone, and
//   sectors can be erased without forgetting where a chain stands. A sector is erased just before it is used again.
// - Where flash itself fails (a committed entry that does not pass its CRC, a ring that is gone), a seq that left could be given
//   out twice. The key-value store reserves seqs in blocks against that: such a service goes on at its reservation. The gap is visible,
//   as it should be.
// - A full ring refuses new records; what was accepted is never overwritten.

import type { Flash, KeyValue } from "../host.js";
import { recoverChains, type SectorWalk, walkSector } from "./recovery.js";
import {
  type ChainState,
  COMMITTED,
  DONE,
  decodeEntry,
  decodeSectorHeader,
  ENTRY_HEADER_BYTES,
  ENTRY_OVERHEAD_BYTES,
  encodeEntry,
  encodeSectorHeader,
  entryBytes,
  RETIRED,
  readEntryClaim,
  readSectorClaim,
  SERVICES_MAX,
  sectorHeaderBytes,
} from "./sector.js";

/** Seqs reserved at a time: a service costs one key-value write per so many records. */
export const RESERVATION = 64;
const SEQ_MAX = 0xffffffff;
const SECTOR_CLAIM_BYTES = 12;
const unknownHash = new Uint8Array(32);
const noHash = new Uint8Array(0);

/** Where an entry lies; its generation is never used twice. */
export interface Position {
  readonly generation: number;
  readonly offset: number;
  /** bytes of the record */
  readonly length: number;
}

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

interface Cursor {
  generation: number;
  offset: number;
}

/** Opens the ring on `flash`, formatting it where it has never been used. Throws where the flash is not a ring's: shape or size. */
export function openOutbox({ flash, keyValue, recordHash }: OutboxOptions): Outbox {
  const { sectorSize } = flash;
  const sectors = flash.size / sectorSize;
  const recordBytesMax = Math.min(0xffff, sectorSize - sectorHeaderBytes(SERVICES_MAX) - ENTRY_OVERHEAD_BYTES);
  if (!Number.isInteger(sectors) || sectors < 2 || recordBytesMax < 256) {
    throw new RangeError(`outbox flash of ${flash.size} bytes in sectors of ${sectorSize} is too small or uneven`);
  }

  const counts = { waiting: 0, appended: 0, refused: 0, damaged: 0 };
  let chains = new Map<number, ChainState>();
  const reserved = new Map<number, number>();
  /** newest sector; -1 before the first */
  let head = -1;
  /** where the newest sector's entries end, and where the next one may be written */
  let walk: Pick<SectorWalk, "free" | "end"> = { free: sectorSize, end: sectorSize };
  /** oldest sector that still has a record to keep */
  let tail = 0;
  const cursor: Cursor = { generation: 0, offset: 0 };
  const handedOut: Position[] = [];
  let oldestParked: number | undefined;

  const address = (generation: number, offset: number): number => (generation % sectors) * sectorSize + offset;
  const setState = (generation: number, offset: number, state: number): void =>
    flash.write(address(generation, offset), Uint8Array.of(state));

  mount();

  return {
    recordBytesMax,
    get counters() {
      return { ...counts, erases: head + 1 };
    },
    chain,
    append(service, seq, record, hash) {
      const refusal = refusalOf(service, seq, record);
      if (refusal !== undefined) {
        counts.refused += 1;
        return refusal;
      }
      const entry = encodeEntry(service, seq, record);
      const offset = walk.free;
      flash.write(address(head, offset), entry);
      setState(head, offset, COMMITTED);
      walk = { free: offset + entry.length, end: offset + entry.length };
      chains.set(service, { seq: seq + 1, previous: hash });
      counts.waiting += 1;
      counts.appended += 1;
      reserve(service);
      return undefined;
    },
    next,
    read(position) {
      const record = recordAt(position);
      if (record === undefined && letGo(position)) counts.damaged += 1;
      return record;
    },
    done: (position) => void letGo(position),
    park(position) {
      if (!release(position)) return;
      oldestParked = Math.min(oldestParked ?? position.generation, position.generation);
    },
    rewind() {
      cursor.generation = tail;
      cursor.offset = 0;
      oldestParked = undefined;
    },
  };

  function chain(service: number): ChainState {
    const known = chains.get(service);
    if (known !== undefined) return known;
    // Unknown to the ring: its first record, or the ring is a new one and the reservation says where the old one may have got to.
    const seq = reservationOf(service);
    return { seq, previous: seq === 0 ? noHash : unknownHash };
  }

  function refusalOf(service: number, seq: number, record: Uint8Array): AppendRefusal | undefined {
    if (record.length > recordBytesMax) return "record too large";
    if (seq !== chain(service).seq || seq >= SEQ_MAX) return "wrong seq";
    if (!chains.has(service) && chains.size === SERVICES_MAX) return "too many services";
    if (entryBytes(record.length) > sectorSize - walk.free && !openSector()) return "full";
    return undefined;
  }

  /** Opens the next sector as the newest one; false where it still holds records. */
  function openSector(): boolean {
    const next = head + 1;
    if (next - sectors >= tail) return false;
    const header = encodeSectorHeader(next, chains);
    flash.erase(address(next, 0));
    flash.write(address(next, 0), header);
    head = next;
    walk = { free: header.length, end: header.length };
    advanceTail();
    return true;
  }

  function reservationOf(service: number): number {
    const known = reserved.get(service);
    if (known !== undefined) return known;
    const stored = keyValue.get(`seq${service}`);
    const mark = stored?.length === 4 ? new DataView(stored.buffer, stored.byteOffset).getUint32(0, true) : 0;
    reserved.set(service, mark);
    return mark;
  }

  /** Every seq that may leave lies below its service's reservation. */
  function reserve(service: number): void {
    const { seq } = chains.get(service)!;
    if (seq <= reservationOf(service)) return;
    const mark = Math.min(seq + RESERVATION - 1, SEQ_MAX);
    const stored = new Uint8Array(4);
    new DataView(stored.buffer).setUint32(0, mark, true);
    keyValue.set(`seq${service}`, stored);
    reserved.set(service, mark);
  }

  function next(): Waiting | undefined {
    for (;;) {
      if (head < 0 || cursor.generation > head) return undefined;
      if (cursor.offset === 0 && !enterSector()) continue;
      if (cursor.generation === head && cursor.offset >= walk.end) return undefined;
      const waiting = entryAtCursor();
      if (waiting !== undefined) return waiting;
    }
  }

  /** Steps behind the header of the cursor's sector, or over the sector where it is not one of the ring's any more. */
  function enterSector(): boolean {
    const length = headerLength(cursor.generation);
    if (length === undefined) {
      leaveSector();
      return false;
    }
    cursor.offset = length;
    return true;
  }

  function leaveSector(): void {
    cursor.generation += 1;
    cursor.offset = 0;
    advanceTail();
  }

  /** Takes the entry at the cursor and steps behind it; undefined where there is nothing to hand out in it. */
  function entryAtCursor(): Waiting | undefined {
    const { generation, offset } = cursor;
    const room = sectorSize - offset;
    const claim =
      room < ENTRY_OVERHEAD_BYTES
        ? undefined
        : readEntryClaim(flash.read(address(generation, offset), ENTRY_HEADER_BYTES), room);
    if (claim?.kind !== "written") {
      if (generation === head) cursor.offset = walk.end;
      else leaveSector();
      return undefined;
    }
    cursor.offset = offset + entryBytes(claim.recordLength);
    const position = { generation, offset, length: claim.recordLength };
    if (claim.done || handedOut.some((other) => samePosition(other, position))) return undefined;
    const record = recordAt(position);
    if (record === undefined) {
      setState(generation, offset, DONE);
      counts.damaged += 1;
      counts.waiting -= 1;
      return undefined;
    }
    handedOut.push(position);
    const { service, seq } = claim;
    const newest = chains.get(service);
    const hash = newest?.seq === seq + 1 ? newest.previous : recordHash(record);
    return { position, service, seq, hash };
  }

  function recordAt({ generation, offset, length }: Position): Uint8Array | undefined {
    return decodeEntry(flash.read(address(generation, offset), entryBytes(length)));
  }

  function letGo(position: Position): boolean {
    if (!release(position)) return false;
    setState(position.generation, position.offset, DONE);
    counts.waiting -= 1;
    advanceTail();
    return true;
  }

  function release(position: Position): boolean {
    const index = handedOut.findIndex((other) => samePosition(other, position));
    if (index >= 0) handedOut.splice(index, 1);
    return index >= 0;
  }

  /** The tail is the oldest sector that the cursor has yet to leave or that holds a handed-out or parked record. */
  function advanceTail(): void {
    let oldest = Math.min(cursor.generation, head);
    if (oldestParked !== undefined) oldest = Math.min(oldest, oldestParked);
    for (const position of handedOut) oldest = Math.min(oldest, position.generation);
    for (; tail < oldest; tail += 1) if (headerLength(tail) !== undefined) setState(tail, 0, RETIRED);
  }

  /** Length of a sector's header where it is the one of this generation. */
  function headerLength(generation: number): number | undefined {
    const claim = readSectorClaim(flash.read(address(generation, 0), SECTOR_CLAIM_BYTES), sectorSize);
    return claim?.generation === generation ? claim.length : undefined;
  }

  function mount(): void {
    const snapshot = findHead();
    if (snapshot === undefined) return;
    tail = Math.max(0, head - sectors + 1);
    for (let generation = tail; generation < head; generation += 1) mountSector(generation);
    const sector = flash.read(address(head, 0), sectorSize);
    const start = headerLength(head)!;
    const walked = walkSector(sector, start);
    const recovered = recoverChains(sector, start, walked, snapshot, recordHash);
    chains = recovered.chains;
    for (const service of recovered.unsure) {
      const { seq, previous } = chains.get(service)!;
      chains.set(service, { seq: Math.max(seq, reservationOf(service)), previous });
    }
    walk = walked;
    counts.waiting += walked.waiting;
    if (walked.broken) counts.damaged += 1;
    cursor.generation = tail;
    for (const service of chains.keys()) reserve(service);
  }

  /** The newest sector is the one of the highest generation whose header is whole: a header cut short never counted. */
  function findHead(): Map<number, ChainState> | undefined {
    const generations: number[] = [];
    for (let index = 0; index < sectors; index += 1) {
      const claim = readSectorClaim(flash.read(index * sectorSize, SECTOR_CLAIM_BYTES), sectorSize);
      if (claim !== undefined && claim.generation % sectors === index) generations.push(claim.generation);
    }
    generations.sort((left, right) => right - left);
    for (const generation of generations) {
      const snapshot = decodeSectorHeader(flash.read(address(generation, 0), headerLength(generation)!));
      if (snapshot === undefined) continue;
      head = generation;
      return snapshot;
    }
    return undefined;
  }

  /** Counts what waits in a sector before the newest one; the tail is moved over those in which nothing does. */
  function mountSector(generation: number): void {
    const claim = readSectorClaim(flash.read(address(generation, 0), SECTOR_CLAIM_BYTES), sectorSize);
    const ours = claim?.generation === generation;
    const walked =
      ours && !claim.retired ? walkSector(flash.read(address(generation, 0), sectorSize), claim.length) : undefined;
    counts.waiting += walked?.waiting ?? 0;
    if (walked?.broken || (!ours && counts.waiting > 0)) counts.damaged += 1;
    if (counts.waiting > 0) return;
    if (walked !== undefined) setState(generation, 0, RETIRED);
    tail = generation + 1;
  }
}

function samePosition(left: Position, right: Position): boolean {
  return left.generation === right.generation && left.offset === right.offset;
}
