// Bytes of a meter's port on their way to the agent. A driver's callback only hands them over: the agent runs from a timer, on an empty
// stack, and what it throws is not swallowed by the driver.

import Timer from "timer";

/** What a UART's driver would hold before bytes are lost. */
const BYTES_MAX = 8_192;

/** A callback that passes bytes on to `onBytes` soon, in order; what is too much for the queue is dropped, as a UART does. */
export function queued(onBytes: (bytes: Uint8Array) => void): (bytes: Uint8Array) => void {
  const waiting: Uint8Array[] = [];
  let length = 0;

  const pass = (): void => {
    const bytes = waiting.shift();
    if (bytes === undefined) return;
    length -= bytes.length;
    if (waiting.length > 0) Timer.set(pass);
    onBytes(bytes);
  };

  return (bytes) => {
    if (length + bytes.length > BYTES_MAX) return;
    length += bytes.length;
    waiting.push(bytes);
    if (waiting.length === 1) Timer.set(pass);
  };
}
