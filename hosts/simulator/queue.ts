// Bytes of a meter's port on their way to the agent. A driver's callback only hands them over: the agent runs from a timer, on an empty
// stack, and what it throws is not swallowed by the driver.

import Timer from "timer";

/** Two seconds of telegrams of the busiest meters: what comes while the agent signs. */
const BYTES_MAX = 4_096;
const BYTES_MIN = 256;
/** Passed on at once: so few that no two telegrams end in it, for each takes many times its bytes until it is recorded. */
const PIECE_BYTES = 256;

/** A callback that passes bytes on to `onBytes` soon, in order; what is too much for the queue is dropped, as a UART does. */
export function queued(onBytes: (bytes: Uint8Array) => void): (bytes: Uint8Array) => void {
  const queue = new ByteQueue(onBytes);
  return (bytes) => queue.add(bytes);
}

/** A class where closures would do: XS keeps a method once, in ROM, but a closure with all that it uses in RAM. */
class ByteQueue {
  /** One buffer, for many small pieces take more than their bytes; undefined where nothing waits. */
  private buffer: Uint8Array | undefined = undefined;
  private length = 0;

  constructor(private readonly onBytes: (bytes: Uint8Array) => void) {}

  add(bytes: Uint8Array): void {
    const length = this.length + bytes.length;
    if (length > BYTES_MAX) return;
    if (this.buffer === undefined) Timer.set(() => this.pass());
    if (this.buffer === undefined || this.buffer.length < length) {
      const larger = new Uint8Array(Math.min(Math.max(2 * length, BYTES_MIN), BYTES_MAX));
      if (this.buffer !== undefined) larger.set(this.buffer.subarray(0, this.length));
      this.buffer = larger;
    }
    this.buffer.set(bytes, this.length);
    this.length = length;
  }

  private pass(): void {
    const { buffer, length } = this;
    if (buffer === undefined) return;
    const piece = buffer.slice(0, Math.min(length, PIECE_BYTES));
    this.length = length - piece.length;
    if (this.length === 0) this.buffer = undefined;
    else {
      buffer.copyWithin(0, piece.length, length);
      Timer.set(() => this.pass());
    }
    this.onBytes(piece);
  }
}
