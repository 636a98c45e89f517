// The bytes of the outbox on flash: a header at the start of each sector, then entries, all little-endian and on four-byte
// boundaries. A state byte leads each and loses bits as its story goes on, so that nothing is ever rewritten in place.
//
//   sector: state 1, "G" 1, header length 2, generation 4, format 1, services 1, zero 2, services * (service 4, next seq 4,
//           hash of the last record 32), CRC-32 4
//   entry:  state 1, "R" 1, record length 2, service 4, seq 4, record, 0 to 3 bytes of padding, CRC-32 4
//
// Both CRCs cover what stands between the state byte and themselves, padding included.

import { crc32 } from "./crc32.js";

/** State of a sector whose entries are all done. */
export const RETIRED = 0xfe;
/** State of an entry that is wholly written: from now on it may leave the meter. */
export const COMMITTED = 0xfe;
/** State of an entry that is sealed, or unreadable: its space may be used again. */
export const DONE = 0xfc;

export const ENTRY_HEADER_BYTES = 12;
/** Of an entry beside the record, with the most padding. */
export const ENTRY_OVERHEAD_BYTES = ENTRY_HEADER_BYTES + 4 + 3;
/** Services that one ring remembers; each takes 40 bytes of every sector. */
export const SERVICES_MAX = 16;

const FORMAT = 1;
const BLANK = 0xff;
const SECTOR_MAGIC = 0x47;
const ENTRY_MAGIC = 0x52;
const SECTOR_FIXED_BYTES = 12;
const SERVICE_BYTES = 40;
const HASH_BYTES = 32;
const CRC_BYTES = 4;

/** Where a service's record chain stands: the next record's seq and the hash that it names as its predecessor. */
export interface ChainState {
  readonly seq: number;
  /** 32 bytes, or none at seq 0 */
  readonly previous: Uint8Array;
}

/** Bytes of a sector header that remembers so many services. */
export function sectorHeaderBytes(services: number): number {
  return SECTOR_FIXED_BYTES + services * SERVICE_BYTES + CRC_BYTES;
}

/** The header of generation `generation`, which carries the chain state of every service as it was when the sector was opened. */
export function encodeSectorHeader(generation: number, chains: ReadonlyMap<number, ChainState>): Uint8Array {
  const bytes = new Uint8Array(sectorHeaderBytes(chains.size));
  const view = new DataView(bytes.buffer);
  bytes[0] = BLANK;
  bytes[1] = SECTOR_MAGIC;
  view.setUint16(2, bytes.length, true);
  view.setUint32(4, generation, true);
  bytes[8] = FORMAT;
  bytes[9] = chains.size;
  let offset = SECTOR_FIXED_BYTES;
  for (const [service, chain] of chains) {
    view.setUint32(offset, service, true);
    view.setUint32(offset + 4, chain.seq, true);
    bytes.set(chain.previous, offset + 8);
    offset += SERVICE_BYTES;
  }
  view.setUint32(offset, crc32(bytes, 1, offset), true);
  return bytes;
}

/** What the first bytes of a sector claim; only `decodeSectorHeader` proves it. */
export interface SectorClaim {
  readonly retired: boolean;
  readonly generation: number;
  readonly length: number;
}

/** The claim in a sector's first 12 bytes, or undefined where they are no header of this format. */
export function readSectorClaim(bytes: Uint8Array, sectorSize: number): SectorClaim | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const length = view.getUint16(2, true);
  if (bytes[1] !== SECTOR_MAGIC || bytes[8] !== FORMAT || bytes[9]! > SERVICES_MAX) return undefined;
  if (length !== sectorHeaderBytes(bytes[9]!) || length > sectorSize) return undefined;
  return { retired: bytes[0] !== BLANK, generation: view.getUint32(4, true), length };
}

/** The chain states of a whole header, or undefined where its CRC does not hold. */
export function decodeSectorHeader(bytes: Uint8Array): Map<number, ChainState> | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const end = bytes.length - CRC_BYTES;
  if (crc32(bytes, 1, end) !== view.getUint32(end, true)) return undefined;
  const chains = new Map<number, ChainState>();
  for (let offset = SECTOR_FIXED_BYTES; offset < end; offset += SERVICE_BYTES) {
    const previous = bytes.slice(offset + 8, offset + 8 + HASH_BYTES);
    chains.set(view.getUint32(offset, true), { seq: view.getUint32(offset + 4, true), previous });
  }
  return chains;
}

/** Bytes that a record takes on flash. */
export function entryBytes(recordLength: number): number {
  return ENTRY_HEADER_BYTES + padded(recordLength) + CRC_BYTES;
}

/** A whole entry whose state byte is still blank. */
export function encodeEntry(service: number, seq: number, record: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(entryBytes(record.length));
  const view = new DataView(bytes.buffer);
  bytes[0] = BLANK;
  bytes[1] = ENTRY_MAGIC;
  view.setUint16(2, record.length, true);
  view.setUint32(4, service, true);
  view.setUint32(8, seq, true);
  bytes.set(record, ENTRY_HEADER_BYTES);
  const end = bytes.length - CRC_BYTES;
  view.setUint32(end, crc32(bytes, 1, end), true);
  return bytes;
}

/** What the 12 bytes at an entry's place show. `torn` was cut while it was written and never left; `unreadable` did not end so. */
export type EntryClaim =
  | { readonly kind: "blank" | "torn" | "unreadable" }
  | {
      readonly kind: "written";
      readonly done: boolean;
      readonly service: number;
      readonly seq: number;
      readonly recordLength: number;
    };

/** Reads an entry's header; `room` is what is left of the sector from the entry's start. */
export function readEntryClaim(bytes: Uint8Array, room: number): EntryClaim {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  if (view.getUint32(0, true) === 0xffffffff) return { kind: "blank" };
  if (bytes[0] === BLANK) return { kind: "torn" };
  const recordLength = view.getUint16(2, true);
  if (bytes[1] !== ENTRY_MAGIC || entryBytes(recordLength) > room) return { kind: "unreadable" };
  return {
    kind: "written",
    done: bytes[0] !== COMMITTED,
    service: view.getUint32(4, true),
    seq: view.getUint32(8, true),
    recordLength,
  };
}

/** The record in a whole entry, or undefined where its CRC does not hold. */
export function decodeEntry(bytes: Uint8Array): Uint8Array | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const end = bytes.length - CRC_BYTES;
  if (crc32(bytes, 1, end) !== view.getUint32(end, true)) return undefined;
  return bytes.slice(ENTRY_HEADER_BYTES, ENTRY_HEADER_BYTES + view.getUint16(2, true));
}

function padded(length: number): number {
  return (length + 3) & ~3;
}
