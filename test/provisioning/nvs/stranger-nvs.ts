// A reader of NVS partitions that shares nothing with the writer: ESP-IDF's documented layout, with a CRC-32 of its own. It refuses
// whatever is not as documented, bits of the bitmap and bytes behind the last entry included.

const PAGE = 4096;

/** Values by `namespace/key`: integers as bigint, text without its end, blobs whole. */
export function readNvs(image: Uint8Array): ReadonlyMap<string, bigint | string | Uint8Array> {
  if (image.length % PAGE !== 0) throw new Error("no whole pages");
  const found: Found = { namespaces: new Map(), plain: [], chunks: new Map(), indices: [] };
  let active = 0;
  let isOver = false;
  for (let page = 0; page * PAGE < image.length; page += 1) {
    const bytes = image.subarray(page * PAGE, (page + 1) * PAGE);
    if (bytes.every((byte) => byte === 0xff)) {
      isOver = true;
      continue;
    }
    if (isOver) throw new Error(`page ${page} follows an empty one`);
    if (readPage(bytes, page, found) === "active") active += 1;
  }
  if (active !== 1) throw new Error(`${active} active pages`);
  if (!image.subarray(-PAGE).every((byte) => byte === 0xff)) throw new Error("no page is kept free");
  return gather(found);
}

interface Found {
  readonly namespaces: Map<number, string>;
  readonly plain: { readonly namespace: number; readonly key: string; readonly value: bigint | string }[];
  readonly chunks: Map<string, Uint8Array>;
  readonly indices: {
    readonly namespace: number;
    readonly key: string;
    readonly size: number;
    readonly count: number;
  }[];
}

function readPage(bytes: Uint8Array, page: number, found: Found): "active" | "full" {
  const view = new DataView(bytes.buffer, bytes.byteOffset, PAGE);
  const state = view.getUint32(0, true);
  if (state !== 0xfffffffe && state !== 0xfffffffc) throw new Error(`page ${page} has the state ${state}`);
  if (view.getUint32(4, true) !== page) throw new Error(`page ${page} has another number`);
  if (bytes[8] !== 0xfe) throw new Error(`page ${page} is not of version 2`);
  if (view.getUint32(28, true) !== crc(bytes.subarray(4, 28))) throw new Error(`page ${page} has a wrong checksum`);
  if (bytes[63]! >> 4 !== 0xf) throw new Error(`page ${page} has entries that it has no room for`);
  let isOver = false;
  for (let index = 0; index < 126; ) {
    const bits = (bytes[32 + (index >> 2)]! >> ((index & 3) * 2)) & 3;
    const at = 64 + 32 * index;
    if (bits === 3) {
      if (!bytes.subarray(at, at + 32).every((byte) => byte === 0xff)) throw new Error("bytes in an empty entry");
      isOver = true;
      index += 1;
      continue;
    }
    if (bits !== 2 || isOver) throw new Error(`entry ${index} of page ${page} is neither written nor empty`);
    const span = readEntry(bytes, at, found);
    for (let within = 1; within < span; within += 1) {
      const other = index + within;
      if (((bytes[32 + (other >> 2)]! >> ((other & 3) * 2)) & 3) !== 2) throw new Error("a span that is not written");
    }
    index += span;
  }
  return state === 0xfffffffe ? "active" : "full";
}

function readEntry(page: Uint8Array, at: number, found: Found): number {
  const head = page.subarray(at, at + 32);
  const view = new DataView(page.buffer, page.byteOffset + at, 32);
  const [namespace, kind, span, chunk] = head as unknown as [number, number, number, number];
  if (view.getUint32(4, true) !== crc(Uint8Array.of(...head.subarray(0, 4), ...head.subarray(8))))
    throw new Error("an entry has a wrong checksum");
  const name = [...head.subarray(8, 24)];
  const end = name.indexOf(0);
  if (end < 1 || name.slice(end).some((byte) => byte !== 0)) throw new Error("a key that does not end");
  const key = String.fromCharCode(...name.slice(0, end));
  const size = view.getUint16(24, true);
  const behind = page.subarray(at + 32, at + 32 + size);
  if (kind === 0x21 || kind === 0x42) {
    if (span !== 1 + Math.ceil(size / 32)) throw new Error(`span ${span} for ${size} bytes`);
    if (view.getUint32(28, true) !== crc(behind)) throw new Error("bytes have a wrong checksum");
  } else if (span !== 1) throw new Error("a span where none can be");
  if (kind === 0x42) {
    found.chunks.set(`${namespace}/${key}/${chunk}`, Uint8Array.from(behind));
  } else if (chunk !== 0xff) {
    throw new Error("a chunk that is none");
  } else if (kind === 0x21) {
    if (behind.at(-1) !== 0) throw new Error("text that does not end");
    found.plain.push({ namespace, key, value: new TextDecoder().decode(behind.subarray(0, -1)) });
  } else if (kind === 0x48) {
    if (head[29] !== 0) throw new Error("a blob that does not begin with chunk 0");
    found.indices.push({ namespace, key, size: view.getUint32(24, true), count: head[28]! });
  } else {
    const value = integer(view, kind);
    if (namespace === 0) found.namespaces.set(Number(value), key);
    else found.plain.push({ namespace, key, value });
  }
  return span;
}

function integer(view: DataView, kind: number): bigint {
  switch (kind) {
    case 0x01:
      return BigInt(view.getUint8(24));
    case 0x11:
      return BigInt(view.getInt8(24));
    case 0x02:
      return BigInt(view.getUint16(24, true));
    case 0x12:
      return BigInt(view.getInt16(24, true));
    case 0x04:
      return BigInt(view.getUint32(24, true));
    case 0x14:
      return BigInt(view.getInt32(24, true));
    case 0x08:
      return view.getBigUint64(24, true);
    case 0x18:
      return view.getBigInt64(24, true);
  }
  throw new Error(`no kind ${kind}`);
}

function gather({ namespaces, plain, chunks, indices }: Found): Map<string, bigint | string | Uint8Array> {
  const values = new Map<string, bigint | string | Uint8Array>();
  const name = (namespace: number, key: string): string => {
    const named = namespaces.get(namespace);
    if (named === undefined || values.has(`${named}/${key}`)) throw new Error(`${namespace}/${key} has no place`);
    return `${named}/${key}`;
  };
  for (const { namespace, key, value } of plain) values.set(name(namespace, key), value);
  for (const { namespace, key, size, count } of indices) {
    const pieces = Array.from({ length: count }, (_, chunk) => chunks.get(`${namespace}/${key}/${chunk}`));
    const whole = Uint8Array.from(pieces.flatMap((piece) => [...piece!]));
    if (whole.length !== size) throw new Error("a blob of another size than its index says");
    values.set(name(namespace, key), whole);
    for (let chunk = 0; chunk < count; chunk += 1) chunks.delete(`${namespace}/${key}/${chunk}`);
  }
  if (chunks.size > 0) throw new Error("chunks without an index");
  return values;
}

/** CRC-32 (IEEE 802.3) bit by bit, begun as NVS does: after the usual inversion with nothing left of it. */
function crc(bytes: Uint8Array): number {
  let register = 0;
  for (const byte of bytes) {
    register ^= byte;
    for (let bit = 0; bit < 8; bit += 1) register = (register >>> 1) ^ (register & 1 ? 0xedb88320 : 0);
  }
  return ~register >>> 0;
}
