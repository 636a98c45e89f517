// An image of an NVS partition as ESP-IDF reads it, format version 2 (ESP-IDF, Non-Volatile Storage Library, internals): pages of 4,096
// bytes, each a header of 32, a bitmap of 32 and 126 entries of 32. The last page stays erased: NVS needs one to move entries to.

import { crc32 } from "node:zlib";
import { GridsealError } from "../../errors.js";

export type NvsInteger = "u8" | "i8" | "u16" | "i16" | "u32" | "i32" | "u64" | "i64";

/** A value under a key of a namespace; a blob may have several pages, text one at most. */
export type NvsValue = { readonly namespace: string; readonly key: string } & (
  | { readonly type: NvsInteger; readonly value: bigint }
  | { readonly type: "text"; readonly value: string }
  | { readonly type: "blob"; readonly value: Uint8Array }
);

export const PAGE_BYTES = 4_096;
/** Two with entries and the erased one: what ESP-IDF takes for writable. */
export const PAGES_MIN = 3;
const ENTRIES_MAX = 126;
const ENTRY_BYTES = 32;
const FIRST_ENTRY = 64;
const BITMAP = 32;
const NAME_CHARACTERS_MAX = 15;
const NAMESPACES_MAX = 254;
const TEXT_BYTES_MAX = 4_000;

const VERSION_2 = 0xfe;
const FULL = 0xfc;
const ACTIVE = 0xfe;
const ANY_CHUNK = 0xff;
/** The low digit is the size, 0x10 the sign. */
const integers: Readonly<Record<NvsInteger, number>> = {
  ...{ u8: 0x01, i8: 0x11, u16: 0x02, i16: 0x12 },
  ...{ u32: 0x04, i32: 0x14, u64: 0x08, i64: 0x18 },
};
const TEXT = 0x21;
const BLOB_DATA = 0x42;
const BLOB_INDEX = 0x48;

/**
 * The image of a partition of so many bytes. Throws USAGE where the size is none, a name or value does not fit its kind, a key comes
 * twice, or there is no room for all.
 */
export function nvsImage(values: readonly NvsValue[], bytes: number): Uint8Array {
  if (bytes % PAGE_BYTES !== 0 || bytes < PAGES_MIN * PAGE_BYTES)
    throw refuse(`a partition has ${PAGES_MIN} or more pages of ${PAGE_BYTES} bytes, not ${bytes} bytes`);
  const image = new Image(bytes);
  const namespaces = new Map<string, number>();
  const names = new Set<string>();
  for (const value of values) {
    const name = `${value.namespace}/${value.key}`;
    for (const each of [value.namespace, value.key]) checkName(each);
    if (names.has(name)) throw refuse(`${name} comes twice`);
    names.add(name);
    let index = namespaces.get(value.namespace);
    if (index === undefined) {
      index = namespaces.size + 1;
      if (index > NAMESPACES_MAX) throw refuse(`there are more than ${NAMESPACES_MAX} namespaces`);
      namespaces.set(value.namespace, index);
      image.put(entry(0, integers.u8, value.namespace, Uint8Array.of(index)));
    }
    putValue(image, index, value);
  }
  return image.bytes;
}

function checkName(name: string): void {
  if (!/^[\x21-\x7e]+$/.test(name) || name.length > NAME_CHARACTERS_MAX)
    throw refuse(`"${name}" is no name of 1 to ${NAME_CHARACTERS_MAX} characters of ASCII`);
}

function putValue(image: Image, namespace: number, value: NvsValue): void {
  const { key } = value;
  if (value.type === "blob") return putBlob(image, { namespace, key, bytes: value.value });
  if (value.type === "text") {
    const bytes = new TextEncoder().encode(`${value.value}\0`);
    if (bytes.length > TEXT_BYTES_MAX)
      throw refuse(`text ${key} has ${bytes.length} bytes, at most ${TEXT_BYTES_MAX} fit`);
    const pieces = Math.ceil(bytes.length / ENTRY_BYTES);
    image.reserve(pieces + 1);
    return image.put(entry(namespace, TEXT, key, sizeAndCrc(bytes), { span: pieces + 1 }), bytes);
  }
  const kind = integers[value.type];
  const bits = 8 * (kind & 0x0f);
  const isSigned = (kind & 0x10) !== 0;
  const fits = isSigned ? BigInt.asIntN(bits, value.value) : BigInt.asUintN(bits, value.value);
  if (fits !== value.value) throw refuse(`${key}: ${value.value} is no ${value.type}`);
  const eight = new Uint8Array(8);
  new DataView(eight.buffer).setBigUint64(0, BigInt.asUintN(64, value.value), true);
  image.put(entry(namespace, kind, key, eight.subarray(0, bits / 8)));
}

interface Blob {
  readonly namespace: number;
  readonly key: string;
  readonly bytes: Uint8Array;
}

/** Chunks, each as long as its page has room, and their index behind them. */
function putBlob(image: Image, { namespace, key, bytes }: Blob): void {
  let chunks = 0;
  for (let at = 0; chunks === 0 || at < bytes.length; chunks += 1) {
    // A chunk without a byte would be no use: its head needs an entry behind it.
    image.reserve(bytes.length === 0 ? 1 : 2);
    const chunk = bytes.subarray(at, at + (image.room - 1) * ENTRY_BYTES);
    const span = 1 + Math.ceil(chunk.length / ENTRY_BYTES);
    image.put(entry(namespace, BLOB_DATA, key, sizeAndCrc(chunk), { span, chunk: chunks }), chunk);
    at += chunk.length;
  }
  const index = new Uint8Array(8).fill(0xff);
  new DataView(index.buffer).setUint32(0, bytes.length, true);
  index[4] = chunks;
  index[5] = 0;
  image.put(entry(namespace, BLOB_INDEX, key, index));
}

interface Place {
  /** entries with those of its bytes */
  readonly span?: number;
  readonly chunk?: number;
}

/** An entry's head: its own checksum is over all of it but that. */
function entry(namespace: number, kind: number, key: string, content: Uint8Array, place: Place = {}): Uint8Array {
  const head = new Uint8Array(ENTRY_BYTES).fill(0xff);
  head.set([namespace, kind, place.span ?? 1, place.chunk ?? ANY_CHUNK]);
  head.fill(0, 8, 24);
  head.set(new TextEncoder().encode(key), 8);
  head.set(content, 24);
  new DataView(head.buffer).setUint32(4, checksum(head.subarray(8), checksum(head.subarray(0, 4))), true);
  return head;
}

/** What an entry says of the bytes behind it. */
function sizeAndCrc(bytes: Uint8Array): Uint8Array {
  const content = new Uint8Array(8).fill(0xff);
  const view = new DataView(content.buffer);
  view.setUint16(0, bytes.length, true);
  view.setUint32(4, checksum(bytes), true);
  return content;
}

/** NVS begins its CRC-32 with all ones where zlib begins with none; zlib gives 0 for no bytes, whatever came before. */
function checksum(bytes: Uint8Array, before = 0xffffffff): number {
  return bytes.length === 0 ? before : crc32(bytes, before);
}

class Image {
  readonly bytes: Uint8Array;
  #page = -1;
  #entries = ENTRIES_MAX;

  constructor(length: number) {
    this.bytes = new Uint8Array(length).fill(0xff);
    this.#begin();
  }

  /** Entries that are free on this page. */
  get room(): number {
    return ENTRIES_MAX - this.#entries;
  }

  /** Sees to it that so many entries are free on one page. */
  reserve(entries: number): void {
    if (this.room < entries) this.#begin();
  }

  put(head: Uint8Array, behind: Uint8Array = new Uint8Array(0)): void {
    this.reserve(1);
    const count = 1 + Math.ceil(behind.length / ENTRY_BYTES);
    const base = this.#page * PAGE_BYTES;
    const at = base + FIRST_ENTRY + this.#entries * ENTRY_BYTES;
    this.bytes.set(head, at);
    this.bytes.set(behind, at + ENTRY_BYTES);
    // Two bits an entry: 11 is empty, 10 written.
    for (let index = this.#entries; index < this.#entries + count; index += 1) {
      this.bytes[base + BITMAP + (index >> 2)]! &= ~(1 << ((index & 3) * 2));
    }
    this.#entries += count;
  }

  #begin(): void {
    if (this.#page >= 0) this.bytes[this.#page * PAGE_BYTES] = FULL;
    this.#page += 1;
    if ((this.#page + 2) * PAGE_BYTES > this.bytes.length)
      throw refuse(`${this.bytes.length} bytes have no room for all values`);
    this.#entries = 0;
    const head = this.bytes.subarray(this.#page * PAGE_BYTES, this.#page * PAGE_BYTES + FIRST_ENTRY / 2);
    const view = new DataView(head.buffer, head.byteOffset);
    head[0] = ACTIVE;
    view.setUint32(4, this.#page, true);
    head[8] = VERSION_2;
    view.setUint32(28, checksum(head.subarray(4, 28)), true);
  }
}

function refuse(what: string): GridsealError {
  return new GridsealError("USAGE", `no NVS partition can hold this: ${what}`);
}
