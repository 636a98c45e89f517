// Texts in the order of their UTF-8, for whoever lists those that begin with a prefix: chunks of a bounded size, so that a change costs
// no more however many there are.

/** Texts of a chunk, beyond which it is parted in two. */
const CHUNK_MAX = 512;

export class OrderedKeys {
  /** none is empty but where all are */
  readonly #chunks: string[][] = [[]];

  add(key: string): void {
    const place = this.#chunkOf(key);
    const chunk = this.#chunks[place]!;
    const at = placeIn(chunk, key);
    if (chunk[at] === key) return;
    chunk.splice(at, 0, key);
    if (chunk.length > CHUNK_MAX) this.#chunks.splice(place + 1, 0, chunk.splice(CHUNK_MAX / 2));
  }

  delete(key: string): void {
    const place = this.#chunkOf(key);
    const chunk = this.#chunks[place]!;
    const at = placeIn(chunk, key);
    if (chunk[at] !== key) return;
    chunk.splice(at, 1);
    if (chunk.length === 0 && this.#chunks.length > 1) this.#chunks.splice(place, 1);
  }

  /** Those that begin with the prefix, ascending. */
  *under(prefix: string): Generator<string> {
    let at: number | undefined;
    for (let place = this.#chunkOf(prefix); place < this.#chunks.length; place += 1) {
      const chunk = this.#chunks[place]!;
      for (at ??= placeIn(chunk, prefix); at < chunk.length; at += 1) {
        const key = chunk[at]!;
        if (!key.startsWith(prefix)) return;
        yield key;
      }
      at = 0;
    }
  }

  /** The last chunk whose first key is not behind this one. */
  #chunkOf(key: string): number {
    let low = 0;
    let high = this.#chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (compareKeys(this.#chunks[middle]![0]!, key) <= 0) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** The first place whose key is not before this one. */
function placeIn(chunk: readonly string[], key: string): number {
  let low = 0;
  let high = chunk.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareKeys(chunk[middle]!, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** By code points, as their UTF-8 is in order: the same in every language. Negative, zero or positive. */
export function compareKeys(one: string, other: string): number {
  const shorter = Math.min(one.length, other.length);
  for (let index = 0; index < shorter; index += 1) {
    const left = one.charCodeAt(index);
    const right = other.charCodeAt(index);
    if (left !== right) return rankOf(left) - rankOf(right);
  }
  return one.length - other.length;
}

/** Halves of characters beyond 16 bits stand behind all others. */
function rankOf(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}
