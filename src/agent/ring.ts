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
  const { sectorSize } = flash;
  const sectors = flash.size / sectorSize;
  const recordBytesMax = Math.min(0xffff, sectorSize - sectorHeaderBytes(SERVICES_MAX) - ENTRY_OVERHEAD_BYTES);
  if (!Number.isInteger(sectors) || sectors < 2 || recordBytesMax < RECORD_BYTES_LEAST) {
    throw new RangeError(`outbox flash of ${flash.size} bytes in sectors of ${sectorSize} is too small or uneven`);
  }

  let head = -1;
  let tail = 0;
  /** where the next entry of the newest sector may be written, and where its last one ends */
  let free = sectorSize;
  let end = sectorSize;
  const recovered = mount();

  return {
    recordBytesMax,
    recovered,
    get head() {
      return head;
    },
    get tail() {
      return tail;
    },
    append(service, seq, record, chains) {
      if (entryBytes(record.length) > sectorSize - free && !openSector(chains)) return false;
      const entry = encodeEntry(service, seq, record);
      flash.write(address(head, free), entry);
      setState(head, free, COMMITTED);
      free += entry.length;
      end = free;
      return true;
    },
    firstOffset(generation) {
      const claim = sectorClaim(generation);
      return claim?.generation === generation ? claim.length : undefined;
    },
    claimAt(generation, offset) {
      const room = (generation === head ? end : sectorSize) - offset;
      if (room < ENTRY_OVERHEAD_BYTES - 3) return { kind: "blank" };
      return readEntryClaim(flash.read(address(generation, offset), ENTRY_HEADER_BYTES), room);
    },
    recordAt: ({ generation, offset, length }) =>
      decodeEntry(flash.read(address(generation, offset), entryBytes(length))),
    finish: ({ generation, offset }) => setState(generation, offset, DONE),
    retireBefore(generation) {
      for (; tail < generation; tail += 1) {
        if (sectorClaim(tail)?.generation === tail) setState(tail, 0, RETIRED);
      }
    },
  };

  function address(generation: number, offset: number): number {
    return (generation % sectors) * sectorSize + offset;
  }

  function setState(generation: number, offset: number, state: number): void {
    flash.write(address(generation, offset), Uint8Array.of(state));
  }

  function sectorClaim(generation: number): SectorClaim | undefined {
    return readSectorClaim(flash.read(address(generation, 0), SECTOR_CLAIM_BYTES), sectorSize);
  }

  /** Opens the next sector as the newest one; false where it still holds records. */
  function openSector(chains: ReadonlyMap<number, ChainState>): boolean {
    const next = head + 1;
    if (next - sectors >= tail) return false;
    const header = encodeSectorHeader(next, chains);
    flash.erase(address(next, 0));
    flash.write(address(next, 0), header);
    head = next;
    free = header.length;
    end = free;
    return true;
  }

  function mount(): Recovered {
    const snapshot = findHead();
    if (snapshot === undefined) return { chains: new Map(), unsure: new Set(), waiting: 0, damaged: 0 };
    tail = Math.max(0, head - sectors + 1);
    let waiting = 0;
    let damaged = 0;
    for (let generation = tail; generation < head; generation += 1) {
      const found = mountSector(generation);
      waiting += found.waiting;
      // Before the oldest waiting record, a sector that is no sector is one whose erasing was cut.
      if (found.broken && (found.ours || waiting > 0)) damaged += 1;
      if (waiting > 0) continue;
      if (found.ours && !found.retired) setState(generation, 0, RETIRED);
      tail = generation + 1;
    }
    const sector = flash.read(address(head, 0), sectorSize);
    const start = sectorHeaderBytes(snapshot.size);
    const walk = walkSector(sector, start);
    free = walk.free;
    end = walk.end;
    const chains = recoverChains(sector, start, walk, snapshot, recordHash);
    return { ...chains, waiting: waiting + walk.waiting, damaged: damaged + (walk.broken ? 1 : 0) };
  }

  /** The newest sector is the one of the highest generation whose header is whole: a header cut short never counted. */
  function findHead(): Map<number, ChainState> | undefined {
    const claims: SectorClaim[] = [];
    for (let index = 0; index < sectors; index += 1) {
      const claim = sectorClaim(index);
      if (claim !== undefined && claim.generation % sectors === index) claims.push(claim);
    }
    claims.sort((left, right) => right.generation - left.generation);
    for (const { generation, length } of claims) {
      const snapshot = decodeSectorHeader(flash.read(address(generation, 0), length));
      if (snapshot === undefined) continue;
      head = generation;
      return snapshot;
    }
    return undefined;
  }

  function mountSector(generation: number): { ours: boolean; retired: boolean; waiting: number; broken: boolean } {
    const claim = sectorClaim(generation);
    if (claim?.generation !== generation) return { ours: false, retired: false, waiting: 0, broken: true };
    if (claim.retired) return { ours: true, retired: true, waiting: 0, broken: false };
    const { waiting, broken } = walkSector(flash.read(address(generation, 0), sectorSize), claim.length);
    return { ours: true, retired: false, waiting, broken };
  }
}
