// The ring of sectors that the outbox lies in: only appended to, erased a sector at a time just before it is used again. Generations
// number the sectors as they are opened and never repeat; generation g lies in sector g mod n. sector.ts has the bytes, outbox.ts
// the rules that a power cut must not break.

import type { Flash } from "../host.js";
import { type RecoveredChains, recoverChains, walkSector } from "./recovery.js";
import {
  type ChainState,
  COMMITTED,
  DONE,
  decodeEntry,
  decodeSectorHeader,
  ENTRY_HEADER_BYTES,
  ENTRY_OVERHEAD_BYTES,
  type EntryClaim,
  encodeEntry,
  encodeSectorHeader,
  entryBytes,
  RETIRED,
  readEntryClaim,
  readSectorClaim,
  SERVICES_MAX,
  type SectorClaim,
  sectorHeaderBytes,
} from "./sector.js";

const SECTOR_CLAIM_BYTES = 12;
const RECORD_BYTES_LEAST = 256;

/** Where an entry lies. */
export interface Position {
  readonly generation: number;
  readonly offset: number;
  /** bytes of the record */
  readonly length: number;
}

/** What a restart found. */
export interface Recovered extends RecoveredChains {
  readonly waiting: number;
  /** committed entries or sectors that flash did not keep */
  readonly damaged: number;
}

export interface Ring {
  /** Longest record that fits, in bytes. */
  readonly recordBytesMax: number;
  /** generation of the newest sector; -1 before the first */
  readonly head: number;
  /** generation of the oldest sector that may not be used again yet */
  readonly tail: number;
  readonly recovered: Recovered;
  /** Writes and commits an entry; false, and nothing written, where the ring is full. A sector that it opens begins with `chains`. */
  append(service: number, seq: number, record: Uint8Array, chains: ReadonlyMap<number, ChainState>): boolean;
  /** Offset of the first entry of a generation; undefined where its sector is not the ring's any more. */
  firstOffset(generation: number): number | undefined;
  /** What lies at an offset; `blank` behind the last entry. */
  claimAt(generation: number, offset: number): EntryClaim;
  /** The record of an entry; undefined where it does not pass its CRC. */
  recordAt(position: Position): Uint8Array | undefined;
  /** Marks an entry as done. */
  finish(position: Position): void;
  /** Gives up the sectors before a generation. */
  retireBefore(generation: number): void;
}

/** Opens the ring on `flash`, blank or used. Throws a RangeError where the flash has no shape for one. */
export function openRing(flash: Flash, recordHash: (record: Uint8Array) => Uint8Array): Ring {
  return new SectorRing(flash, recordHash);
}

/** A class where closures would do: XS keeps a method once, in ROM, but a closure with all that it uses in RAM. */
class SectorRing implements Ring {
  readonly recordBytesMax: number;
  readonly recovered: Recovered;
  head = -1;
  tail = 0;
  private readonly sectorSize: number;
  private readonly sectors: number;
  /** where the next entry of the newest sector may be written, and where its last one ends */
  private free: number;
  private end: number;

  constructor(
    private readonly flash: Flash,
    private readonly recordHash: (record: Uint8Array) => Uint8Array,
  ) {
    const { size, sectorSize } = flash;
    this.sectorSize = sectorSize;
    this.sectors = size / sectorSize;
    this.recordBytesMax = Math.min(0xffff, sectorSize - sectorHeaderBytes(SERVICES_MAX) - ENTRY_OVERHEAD_BYTES);
    if (!Number.isInteger(this.sectors) || this.sectors < 2 || this.recordBytesMax < RECORD_BYTES_LEAST) {
      throw new RangeError(`outbox flash of ${size} bytes in sectors of ${sectorSize} is too small or uneven`);
    }
    this.free = sectorSize;
    this.end = sectorSize;
    this.recovered = this.mount();
  }

  append(service: number, seq: number, record: Uint8Array, chains: ReadonlyMap<number, ChainState>): boolean {
    if (entryBytes(record.length) > this.sectorSize - this.free && !this.openSector(chains)) return false;
    const entry = encodeEntry(service, seq, record);
    this.flash.write(this.address(this.head, this.free), entry);
    this.setState(this.head, this.free, COMMITTED);
    this.free += entry.length;
    this.end = this.free;
    return true;
  }

  firstOffset(generation: number): number | undefined {
    const claim = this.sectorClaim(generation);
    return claim?.generation === generation ? claim.length : undefined;
  }

  claimAt(generation: number, offset: number): EntryClaim {
    const room = (generation === this.head ? this.end : this.sectorSize) - offset;
    if (room < ENTRY_OVERHEAD_BYTES - 3) return { kind: "blank" };
    return readEntryClaim(this.flash.read(this.address(generation, offset), ENTRY_HEADER_BYTES), room);
  }

  recordAt({ generation, offset, length }: Position): Uint8Array | undefined {
    return decodeEntry(this.flash.read(this.address(generation, offset), entryBytes(length)));
  }

  finish({ generation, offset }: Position): void {
    this.setState(generation, offset, DONE);
  }

  retireBefore(generation: number): void {
    for (; this.tail < generation; this.tail += 1) {
      if (this.sectorClaim(this.tail)?.generation === this.tail) this.setState(this.tail, 0, RETIRED);
    }
  }

  private address(generation: number, offset: number): number {
    return (generation % this.sectors) * this.sectorSize + offset;
  }

  private setState(generation: number, offset: number, state: number): void {
    this.flash.write(this.address(generation, offset), Uint8Array.of(state));
  }

  private sectorClaim(generation: number): SectorClaim | undefined {
    return readSectorClaim(this.flash.read(this.address(generation, 0), SECTOR_CLAIM_BYTES), this.sectorSize);
  }

  /** Opens the next sector as the newest one; false where it still holds records. */
  private openSector(chains: ReadonlyMap<number, ChainState>): boolean {
    const next = this.head + 1;
    if (next - this.sectors >= this.tail) return false;
    const header = encodeSectorHeader(next, chains);
    this.flash.erase(this.address(next, 0));
    this.flash.write(this.address(next, 0), header);
    this.head = next;
    this.free = header.length;
    this.end = this.free;
    return true;
  }

  private mount(): Recovered {
    const snapshot = this.findHead();
    if (snapshot === undefined) return { chains: new Map(), unsure: new Set(), waiting: 0, damaged: 0 };
    this.tail = Math.max(0, this.head - this.sectors + 1);
    let waiting = 0;
    let damaged = 0;
    for (let generation = this.tail; generation < this.head; generation += 1) {
      const found = this.mountSector(generation);
      waiting += found.waiting;
      // Before the oldest waiting record, a sector that is no sector is one whose erasing was cut.
      if (found.broken && (found.ours || waiting > 0)) damaged += 1;
      if (waiting > 0) continue;
      if (found.ours && !found.retired) this.setState(generation, 0, RETIRED);
      this.tail = generation + 1;
    }
    const sector = this.flash.read(this.address(this.head, 0), this.sectorSize);
    const start = sectorHeaderBytes(snapshot.size);
    const walk = walkSector(sector, start);
    this.free = walk.free;
    this.end = walk.end;
    const chains = recoverChains(sector, start, walk, snapshot, this.recordHash);
    return { ...chains, waiting: waiting + walk.waiting, damaged: damaged + (walk.broken ? 1 : 0) };
  }

  /** The newest sector is the one of the highest generation whose header is whole: a header cut short never counted. */
  private findHead(): Map<number, ChainState> | undefined {
    let below = Number.POSITIVE_INFINITY;
    for (;;) {
      const claim = this.highestClaim(below);
      if (claim === undefined) return undefined;
      const snapshot = decodeSectorHeader(this.flash.read(this.address(claim.generation, 0), claim.length));
      if (snapshot !== undefined) {
        this.head = claim.generation;
        return snapshot;
      }
      below = claim.generation;
    }
  }

  private highestClaim(below: number): SectorClaim | undefined {
    let highest: SectorClaim | undefined;
    for (let index = 0; index < this.sectors; index += 1) {
      const claim = this.sectorClaim(index);
      if (claim === undefined || claim.generation >= below || claim.generation % this.sectors !== index) continue;
      if (highest === undefined || claim.generation > highest.generation) highest = claim;
    }
    return highest;
  }

  private mountSector(generation: number): { ours: boolean; retired: boolean; waiting: number; broken: boolean } {
    const claim = this.sectorClaim(generation);
    if (claim?.generation !== generation) return { ours: false, retired: false, waiting: 0, broken: true };
    if (claim.retired) return { ours: true, retired: true, waiting: 0, broken: false };
    const { waiting, broken } = walkSector(this.flash.read(this.address(generation, 0), this.sectorSize), claim.length);
    return { ours: true, retired: false, waiting, broken };
  }
}
