// The native half of the ESP32's host (native.c).

/** Bytes of the chip's generator. */
export function random(this: unknown, length: number): ArrayBuffer {
  return native("chip_random").call(this, length) as ArrayBuffer;
}

/** Inverts the receiving line of an open UART, as P1 wants it, or does not. */
export function invertSerial(this: unknown, port: number, inverted: boolean): undefined {
  return native("chip_invertSerial").call(this, port, inverted) as undefined;
}

/** The line of an open UART, once what was written before has left it. */
export function setSerialLine(this: unknown, port: number, baud: number, dataBits: 7 | 8, even: boolean): undefined {
  return native("chip_setSerialLine").call(this, port, baud, dataBits, even) as undefined;
}

/** Counts from now on how often the contact between a pin and ground closes, bounces left out. */
export function countPulses(this: unknown, pin: number): undefined {
  return native("chip_countPulses").call(this, pin) as undefined;
}

/** How often it has closed. */
export function pulses(this: unknown): number {
  return native("chip_pulses").call(this) as number;
}

/** Arms the watchdog: from then on `feed` is called more often than its time, or the chip is reset. */
export function watch(this: unknown): undefined {
  return native("chip_watch").call(this) as undefined;
}

export function feed(this: unknown): undefined {
  return native("chip_feed").call(this) as undefined;
}

export function restart(this: unknown): undefined {
  return native("chip_restart").call(this) as undefined;
}

/** esp_reset_reason_t */
export function resetReason(this: unknown): number {
  return native("chip_resetReason").call(this) as number;
}

/** Bytes that the slot which does not run holds; 0 where there is none. */
export function slotBytes(this: unknown): number {
  return native("chip_slotBytes").call(this) as number;
}

/** Begins to write an image into the slot that does not run; sectors are erased as they are reached. */
export function beginImage(this: unknown): undefined {
  return native("chip_beginImage").call(this) as undefined;
}

export function writeImage(this: unknown, bytes: Uint8Array): undefined {
  return native("chip_writeImage").call(this, bytes) as undefined;
}

/** Gives up what is being written; nothing where nothing is. */
export function abandonImage(this: unknown): undefined {
  return native("chip_abandonImage").call(this) as undefined;
}

/** What was written is checked by the chip's own rules, and starts at the next reset, on trial. */
export function activateImage(this: unknown): undefined {
  return native("chip_activateImage").call(this) as undefined;
}

/** Whether the image that runs is on trial after an update. */
export function isOnTrial(this: unknown): boolean {
  return native("chip_isOnTrial").call(this) as boolean;
}

export function keepImage(this: unknown): undefined {
  return native("chip_keepImage").call(this) as undefined;
}

/** Restarts with the image before the update. */
export function dropImage(this: unknown): undefined {
  return native("chip_dropImage").call(this) as undefined;
}
