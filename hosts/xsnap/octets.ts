// The primitives of the bridge's messages (bridge.ts): numbers little-endian, text and bytes behind a 32-bit length.

/** No message is longer: a claim above it is refused before anything is allocated for it. */
export const MESSAGE_BYTES_MAX = 1 << 20;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Builds a message; throws where a value has no place in one. */
export class Writer {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  octet(value: number): void {
    const at = this.#claim(1);
    this.#bytes[at] = value;
  }

  count(value: number): void {
    if (!Number.isInteger(value) || value < 0 || value > 0xffffffff)
      throw new Error(`bridge count must be an unsigned 32-bit integer, got ${value}`);
    const at = this.#claim(4);
    this.#view.setUint32(at, value, true);
  }

  real(value: number): void {
    const at = this.#claim(8);
    this.#view.setFloat64(at, value, true);
  }

  text(value: string): void {
    this.bytes(encoder.encode(value));
  }

  bytes(value: Uint8Array): void {
    this.count(value.length);
    const at = this.#claim(value.length);
    this.#bytes.set(value, at);
  }

  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }

  #claim(length: number): number {
    const at = this.#length;
    const end = at + length;
    if (end > MESSAGE_BYTES_MAX) throw new Error(`bridge message is longer than ${MESSAGE_BYTES_MAX} bytes`);
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(end, 2 * this.#bytes.length));
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    this.#length = end;
    return at;
  }
}

/** Reads a message; throws where it is not what is asked for. */
export class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    if (bytes.length > MESSAGE_BYTES_MAX) throw new Error(`bridge message is longer than ${MESSAGE_BYTES_MAX} bytes`);
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  octet(): number {
    return this.#view.getUint8(this.#take(1));
  }

  flag(): boolean {
    const value = this.octet();
    if (value > 1) throw new Error(`bridge flag must be 0 or 1, got ${value}`);
    return value === 1;
  }

  count(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  real(): number {
    return this.#view.getFloat64(this.#take(8), true);
  }

  text(): string {
    return decoder.decode(this.bytes());
  }

  texts(): readonly string[] {
    const count = this.count();
    // Each text takes at least its length: a claim above that is refused before the loop.
    if (4 * count > this.#bytes.length - this.#at) throw new Error("bridge message is truncated");
    const texts: string[] = [];
    for (let index = 0; index < count; index++) texts.push(this.text());
    return texts;
  }

  /** A copy, so that what is kept of it does not keep the whole message. */
  bytes(): Uint8Array {
    const length = this.count();
    const at = this.#take(length);
    return this.#bytes.slice(at, at + length);
  }

  end(): void {
    const left = this.#bytes.length - this.#at;
    if (left !== 0) throw new Error(`bridge message has ${left} bytes too many`);
  }

  #take(length: number): number {
    const at = this.#at;
    if (length > this.#bytes.length - at) throw new Error("bridge message is truncated");
    this.#at = at + length;
    return at;
  }
}
