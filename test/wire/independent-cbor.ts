// Deterministic CBOR (RFC 8949 section 4.2.1) a second time, written from the RFC alone and sharing nothing with the code under test:
// what it writes is what fixtures and vectors are compared with, and a stranger reads exported chains with it.

export type Item =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly Item[]
  | ReadonlyMap<number | bigint | string, Item>;

export function independentCbor(item: Item): Buffer {
  if (item === false) return Buffer.of(0xf4);
  if (item === true) return Buffer.of(0xf5);
  if (item === null) return Buffer.of(0xf6);
  if (typeof item === "number" || typeof item === "bigint") {
    const integer = BigInt(item);
    return integer < 0n ? head(1, -1n - integer) : head(0, integer);
  }
  if (typeof item === "string") {
    const text = Buffer.from(item, "utf8");
    return Buffer.concat([head(3, BigInt(text.length)), text]);
  }
  if (item instanceof Uint8Array) return Buffer.concat([head(2, BigInt(item.length)), item]);
  if (item instanceof Map) {
    const entries = [...item].map(([key, value]) => [independentCbor(key), independentCbor(value)] as const);
    entries.sort(([left], [right]) => Buffer.compare(left, right));
    return Buffer.concat([head(5, BigInt(entries.length)), ...entries.flat()]);
  }
  const items = item as readonly Item[];
  return Buffer.concat([head(4, BigInt(items.length)), ...items.map(independentCbor)]);
}

/** Tag 18 before an item. */
export function tagged18(item: Item): Buffer {
  return Buffer.concat([Buffer.of(0xd2), independentCbor(item)]);
}

function head(major: number, argument: bigint): Buffer {
  const initial = major << 5;
  if (argument < 24n) return Buffer.of(initial | Number(argument));
  for (const [additional, width] of [
    [24, 1],
    [25, 2],
    [26, 4],
    [27, 8],
  ] as const) {
    if (argument >> BigInt(8 * width) > 0n) continue;
    const bytes = Buffer.alloc(1 + width);
    bytes[0] = initial | additional;
    for (let index = width; index > 0; index -= 1) {
      bytes[index] = Number((argument >> BigInt(8 * (width - index))) & 0xffn);
    }
    return bytes;
  }
  throw new RangeError(`${argument} has no head in CBOR`);
}

/** Decodes one item of deterministic CBOR that fills the bytes; throws an Error for anything else. Safe integers are numbers. */
export function independentDecode(bytes: Uint8Array): Item {
  const [item, end] = decodeAt(bytes, 0, 0);
  if (end !== bytes.length) throw new Error(`${bytes.length - end} bytes behind a CBOR item`);
  return item;
}

/** The items of a CBOR sequence (RFC 8742), the first `count` of them, each as its bytes. */
export function independentSequence(bytes: Uint8Array, count = Number.POSITIVE_INFINITY): Uint8Array[] {
  const items: Uint8Array[] = [];
  for (let offset = 0; offset < bytes.length && items.length < count; ) {
    const [, end] = decodeAt(bytes, offset, 0);
    items.push(bytes.subarray(offset, end));
    offset = end;
  }
  return items;
}

function decodeAt(bytes: Uint8Array, start: number, depth: number): readonly [Item, number] {
  const initial = bytes[start];
  if (initial === undefined || depth > 8) throw new Error(`no CBOR item at byte ${start}`);
  if (initial >= 0xf4 && initial <= 0xf6) return [initial === 0xf6 ? null : initial === 0xf5, start + 1];
  const major = initial >> 5;
  const width = (initial & 31) < 24 ? 0 : 1 << ((initial & 31) - 24);
  if (major > 5 || width > 8 || start + width >= bytes.length) throw new Error(`unsupported CBOR at byte ${start}`);
  let argument = BigInt(width === 0 ? initial & 31 : 0);
  for (let index = 1; index <= width; index += 1) argument = argument * 256n + BigInt(bytes[start + index]!);
  const shortest = head(major, argument);
  if (shortest.length !== width + 1) throw new Error(`CBOR head at byte ${start} is not the shortest`);
  let offset = start + 1 + width;
  if (major < 2) {
    const integer = major === 0 ? argument : -1n - argument;
    return [Number.isSafeInteger(Number(integer)) ? Number(integer) : integer, offset];
  }
  const count = Number(argument);
  if (count > bytes.length - offset) throw new Error(`CBOR length at byte ${start} runs past the end`);
  if (major < 4) {
    const string = bytes.subarray(offset, offset + count);
    return [major === 2 ? string : new TextDecoder("utf-8", { fatal: true }).decode(string), offset + count];
  }
  const items: Item[] = [];
  let previousKey: Uint8Array | undefined;
  for (let index = 0; index < (major === 5 ? 2 * count : count); index += 1) {
    const [item, end] = decodeAt(bytes, offset, depth + 1);
    if (major === 5 && index % 2 === 0) {
      const key = bytes.subarray(offset, end);
      if (previousKey !== undefined && Buffer.compare(previousKey, key) >= 0) throw new Error("CBOR keys out of order");
      previousKey = key;
    }
    items.push(item);
    offset = end;
  }
  if (major === 4) return [items, offset];
  const map = new Map<number | bigint | string, Item>();
  for (let index = 0; index < items.length; index += 2) map.set(items[index] as number | string, items[index + 1]!);
  return [map, offset];
}
