// What a restart reads out of the bytes of one sector of the outbox: how many records wait in it, where its entries end, and, in the
// newest sector, where the chain of every service stands. Pure; outbox.ts has the rules.

import {
  type ChainState,
  decodeEntry,
  ENTRY_HEADER_BYTES,
  ENTRY_OVERHEAD_BYTES,
  entryBytes,
  readEntryClaim,
} from "./sector.js";

export interface SectorWalk {
  /** committed entries that are not done */
  readonly waiting: number;
  /** offset at which the next entry may be written; the sector's size where nothing may be written behind the last one */
  readonly free: number;
  /** offset behind the last entry that can be reached */
  readonly end: number;
  /** whether the walk ended at bytes that were committed and are no entry any more */
  readonly broken: boolean;
}

/** Steps through a sector's entries from `start`, the end of its header. */
export function walkSector(sector: Uint8Array, start: number): SectorWalk {
  let waiting = 0;
  let offset = start;
  while (sector.length - offset >= ENTRY_OVERHEAD_BYTES) {
    const claim = readEntryClaim(sector.subarray(offset, offset + ENTRY_HEADER_BYTES), sector.length - offset);
    if (claim.kind === "blank") return { waiting, free: offset, end: offset, broken: false };
    if (claim.kind !== "written") {
      return { waiting, free: sector.length, end: offset, broken: claim.kind === "unreadable" };
    }
    if (!claim.done) waiting += 1;
    offset += entryBytes(claim.recordLength);
  }
  return { waiting, free: sector.length, end: offset, broken: false };
}

export interface RecoveredChains {
  readonly chains: Map<number, ChainState>;
  /** services whose newest record may be one that flash did not keep */
  readonly unsure: ReadonlySet<number>;
}

/** Brings the chain states of the newest sector's header up to its last entry. */
export function recoverChains(
  sector: Uint8Array,
  start: number,
  walk: SectorWalk,
  snapshot: ReadonlyMap<number, ChainState>,
  recordHash: (record: Uint8Array) => Uint8Array,
): RecoveredChains {
  const chains = new Map(snapshot);
  let unsure = new Set<number>();
  for (let offset = start; offset < walk.end; ) {
    const claim = readEntryClaim(sector.subarray(offset, offset + ENTRY_HEADER_BYTES), sector.length - offset);
    if (claim.kind !== "written") break;
    const length = entryBytes(claim.recordLength);
    const record = decodeEntry(sector.subarray(offset, offset + length));
    if (record === undefined) {
      unsure = new Set(chains.keys());
    } else {
      chains.set(claim.service, { seq: claim.seq + 1, previous: recordHash(record) });
      unsure.delete(claim.service);
    }
    offset += length;
  }
  return { chains, unsure: walk.broken ? new Set(chains.keys()) : unsure };
}
