// The native half of the ESP32's host (native.c, meter-serial.c, pulses.c).

/** Bytes of the chip's generator. */
export function random(this: unknown, length: number): ArrayBuffer {
  return native("chip_random").call(this, length) as ArrayBuffer;
}

/** Opens a UART with its ring at 115,200 baud, 8N1; `transmit` is -1 where there is none. P1's receiving line is inverted. */
export function openSerial(
  this: unknown,
  port: number,
  receive: number,
  transmit: number,
  inverted: boolean,
): undefined {
  return native("chip_openSerial").call(this, port, receive, transmit, inverted) as undefined;
}

/** Another line for an open UART, at once. */
export function setSerialLine(this: unknown, port: number, baud: number, dataBits: 7 | 8, even: boolean): undefined {
  return native("chip_setSerialLine").call(this, port, baud, dataBits, even) as undefined;
}

/** At most so many of the bytes that have come; undefined where there are none. */
export function readSerial(this: unknown, port: number, most: number): ArrayBuffer | undefined {
  return native("chip_readSerial").call(this, port, most) as ArrayBuffer | undefined;
}

/** How many of the bytes there was room for. */
export function writeSerial(this: unknown, port: number, bytes: Uint8Array): number {
  return native("chip_writeSerial").call(this, port, bytes) as number;
}

/** Whether all that was written has left. */
export function isSerialIdle(this: unknown, port: number): boolean {
  return native("chip_isSerialIdle").call(this, port) as boolean;
}

/** How often the ring was full, so that bytes were lost. */
export function serialOverruns(this: unknown): number {
  return native("chip_serialOverruns").call(this) as number;
}

/** Counts from now on how often the contact between a pin and ground closes, bounces left out. */
export function countPulses(this: unknown, pin: number): undefined {
  return native("chip_countPulses").call(this, pin) as undefined;
}

/** How often it has closed. */
export function pulses(this: unknown): number {
  return native("chip_pulses").call(this) as number;
}

export function restart(this: unknown): undefined {
  return native("chip_restart").call(this) as undefined;
}

/** esp_reset_reason_t */
export function resetReason(this: unknown): number {
  return native("chip_resetReason").call(this) as number;
}

/** Leaves a line for the run after the next reset: its first 255 characters, those that are not ASCII as question marks. */
export function leaveReason(this: unknown, reason: string): undefined {
  return native("chip_leaveReason").call(this, reason) as undefined;
}

/** What the run before left, once. To be called once a run: it counts the resets. */
export function leftReason(this: unknown): string | undefined {
  return native("chip_leftReason").call(this) as string | undefined;
}

/** Resets since power on. */
export function resets(this: unknown): number {
  return native("chip_resets").call(this) as number;
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
