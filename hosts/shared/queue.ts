// Bytes of a meter's port on their way to the agent. A driver's callback only hands them over: the agent runs from a timer, on an empty
// stack, and what it throws is not swallowed by the driver.

import Timer from "timer";

/** What a UART's driver would hold before bytes are lost. */
const BYTES_MAX = 8_192;

/** A callback that passes bytes on to `onBytes` soon, in order; what is too much for the queue is dropped, as a UART does. */
export function queued(onBytes: (bytes: Uint8Array) => void): (bytes: Uint8Array) => void {
  const queue = new ByteQueue(onBytes);
  return (bytes) => queue.add(bytes);
}

/** A class where closures would do: XS keeps a method once, in ROM, but a closure with all that it uses in RAM. */
class ByteQueue {
  private readonly waiting: Uint8Array[] = [];
  private length = 0;

  constructor(private readonly onBytes: (bytes: Uint8Array) => void) {}

  add(bytes: Uint8Array): void {
    if (this.length + bytes.length > BYTES_MAX) return;
    this.length += bytes.length;
    this.waiting.push(bytes);
    if (this.waiting.length === 1) Timer.set(() => this.pass());
  }

  private pass(): void {
    const bytes = this.waiting.shift();
    if (bytes === undefined) return;
    this.length -= bytes.length;
    if (this.waiting.length > 0) Timer.set(() => this.pass());
    this.onBytes(bytes);
  }
}
