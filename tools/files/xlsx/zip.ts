// The parts of a ZIP file in memory (PKWARE APPNOTE 6.3.10): stored and deflated ones, without encryption, below 4 GiB.

import { crc32, inflateRawSync } from "node:zlib";

/** All parts that are unpacked of a file, together. */
export const UNPACKED_BYTES_MAX = 268_435_456;
const PARTS_MAX = 10_000;
const END_BYTES = 22;
const COMMENT_BYTES_MAX = 65_535;
const ENTRY_BYTES = 46;
const LOCAL_BYTES = 30;
/** In the place of a count or a length: the 64-bit kind of ZIP has it elsewhere. */
const [IN_ZIP64_16, IN_ZIP64_32] = [0xffff, 0xffff_ffff];
const [STORED, DEFLATED] = [0, 8];
const ENCRYPTED = 1;

interface Part {
  readonly flags: number;
  readonly method: number;
  readonly crc: number;
  readonly packed_bytes: number;
  readonly bytes: number;
  /** of the local header */
  readonly offset: number;
}

export interface Archive {
  /** The part of that name; undefined where there is none. Throws an Error where it is damaged, encrypted or too large. */
  unpack(name: string): Uint8Array | undefined;
}

/** Throws an Error where the bytes are no whole ZIP file. Nothing is unpacked before it is asked for. */
export function openZip(bytes: Uint8Array): Archive {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts = partsOf(bytes, view);
  let left = UNPACKED_BYTES_MAX;
  return {
    unpack(name) {
      const part = parts.get(name);
      if (part === undefined) return undefined;
      if (part.bytes > left) throw new Error(`${name}: it unpacks to more than ${UNPACKED_BYTES_MAX} bytes in all`);
      left -= part.bytes;
      return unpackPart(bytes, view, { ...part, name });
    },
  };
}

function partsOf(bytes: Uint8Array, view: DataView): ReadonlyMap<string, Part> {
  const end = endOf(view);
  const count = view.getUint16(end + 10, true);
  let offset = view.getUint32(end + 16, true);
  if (count === IN_ZIP64_16 || offset === IN_ZIP64_32) throw new Error("a ZIP of the 64-bit kind is not read");
  if (count > PARTS_MAX) throw new Error(`the ZIP has ${count} parts, at most ${PARTS_MAX} are read`);
  const parts = new Map<string, Part>();
  for (let index = 0; index < count; index += 1) {
    if (offset + ENTRY_BYTES > end || view.getUint32(offset, true) !== 0x02014b50) throw damaged("its directory");
    const nameEnd = offset + ENTRY_BYTES + view.getUint16(offset + 28, true);
    if (nameEnd > end) throw damaged("its directory");
    const name = new TextDecoder().decode(bytes.subarray(offset + ENTRY_BYTES, nameEnd));
    if (parts.has(name)) throw new Error(`the ZIP has two parts ${JSON.stringify(name)}`);
    parts.set(name, {
      flags: view.getUint16(offset + 8, true),
      method: view.getUint16(offset + 10, true),
      crc: view.getUint32(offset + 16, true),
      packed_bytes: view.getUint32(offset + 20, true),
      bytes: view.getUint32(offset + 24, true),
      offset: view.getUint32(offset + 42, true),
    });
    offset = nameEnd + view.getUint16(offset + 30, true) + view.getUint16(offset + 32, true);
  }
  return parts;
}

/** Where the record is that ends the file, before its comment. */
function endOf(view: DataView): number {
  const least = Math.max(0, view.byteLength - END_BYTES - COMMENT_BYTES_MAX);
  for (let offset = view.byteLength - END_BYTES; offset >= least; offset -= 1) {
    const isEnd = view.getUint32(offset, true) === 0x06054b50;
    if (isEnd && offset + END_BYTES + view.getUint16(offset + 20, true) === view.byteLength) return offset;
  }
  throw damaged("its end");
}

function unpackPart(bytes: Uint8Array, view: DataView, part: Part & { readonly name: string }): Uint8Array {
  const { name, flags, method, offset, packed_bytes } = part;
  if ((flags & ENCRYPTED) !== 0) throw new Error(`${name} is encrypted: save the file without a password`);
  if (offset + LOCAL_BYTES > bytes.length || view.getUint32(offset, true) !== 0x04034b50) throw damaged(name);
  const start = offset + LOCAL_BYTES + view.getUint16(offset + 26, true) + view.getUint16(offset + 28, true);
  if (start + packed_bytes > bytes.length) throw damaged(name);
  const packed = bytes.subarray(start, start + packed_bytes);
  if (method !== STORED && method !== DEFLATED) throw new Error(`${name} is packed by method ${method}, not deflated`);
  const unpacked = method === STORED ? packed : inflate(packed, part);
  if (unpacked.length !== part.bytes || crc32(unpacked) !== part.crc) throw damaged(name);
  return unpacked;
}

/** No more than the directory says is unpacked. */
function inflate(packed: Uint8Array, { name, bytes }: { readonly name: string; readonly bytes: number }): Uint8Array {
  try {
    return inflateRawSync(packed, { maxOutputLength: Math.max(bytes, 1) });
  } catch (cause) {
    throw damaged(name, cause);
  }
}

function damaged(what: string, cause?: unknown): Error {
  return new Error(`the ZIP is cut or damaged: ${what} is not there as a whole`, { cause });
}
