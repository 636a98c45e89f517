// The native half of the simulator's host (native.c, serial.c). Paths are relative to the meter's folder.

/** Makes the meter's folder the one that paths are relative to. Throws where it cannot be used. */
export function enter(this: unknown): undefined {
  return native("machine_enter").call(this) as undefined;
}

/** A variable of the environment; undefined where it is not set. */
export function variable(this: unknown, name: string): string | undefined {
  return native("machine_variable").call(this, name) as string | undefined;
}

/** Bytes of the operating system's generator: the SDK's own are the same in every run. */
export function random(this: unknown, length: number): ArrayBuffer {
  return native("machine_random").call(this, length) as ArrayBuffer;
}

/** The IPv4 address of a name; undefined where it has none. Waits for the answer. */
export function resolve(this: unknown, name: string): string | undefined {
  return native("machine_resolve").call(this, name) as string | undefined;
}

export function print(this: unknown, line: string): undefined {
  return native("machine_print").call(this, line) as undefined;
}

/** Ends the process. */
export function exit(this: unknown, status: number): undefined {
  return native("machine_exit").call(this, status) as undefined;
}

/** Undefined where there is none. */
export function readFile(this: unknown, path: string): ArrayBuffer | undefined {
  return native("machine_readFile").call(this, path) as ArrayBuffer | undefined;
}

/** Old or new after a power cut, never torn. */
export function replaceFile(this: unknown, path: string, bytes: Uint8Array): undefined {
  return native("machine_replaceFile").call(this, path, bytes) as undefined;
}

export function removeFile(this: unknown, path: string): undefined {
  return native("machine_removeFile").call(this, path) as undefined;
}

/** Writes at the end of a file that has `length` bytes so far; a power cut may leave any prefix written. */
export function appendFile(this: unknown, path: string, bytes: Uint8Array, length: number): undefined {
  return native("machine_appendFile").call(this, path, bytes, length) as undefined;
}

/** The slot that runs, 0 or 1, where a bootloader has started this. */
export function slot(this: unknown): number | undefined {
  return native("machine_slot").call(this) as number | undefined;
}

/** Starts anew as a reset does, with the image that is to boot. */
export function restart(this: unknown): undefined {
  return native("machine_restart").call(this) as undefined;
}

/** Opens the flash in a file, made erased of `size` bytes where it is shorter; its size. A larger file is a larger chip. */
export function flashOpen(this: unknown, path: string, size: number): number {
  return native("machine_flashOpen").call(this, path, size) as number;
}

export function flashRead(this: unknown, offset: number, length: number): ArrayBuffer {
  return native("machine_flashRead").call(this, offset, length) as ArrayBuffer;
}

export function flashWrite(this: unknown, offset: number, bytes: Uint8Array): undefined {
  return native("machine_flashWrite").call(this, offset, bytes) as undefined;
}

export function flashErase(this: unknown, offset: number, length: number): undefined {
  return native("machine_flashErase").call(this, offset, length) as undefined;
}

/** Marks the unused stack, so that `use` sees how deep it was used. */
export function paintStack(this: unknown): undefined {
  return native("machine_paintStack").call(this) as undefined;
}

/** JSON of what the engine has reserved since its start: chunkBytes, slots, stackSlotsUsed, stackSlots, keys, erases, writes, values. */
export function use(this: unknown): string {
  return native("machine_use").call(this) as string;
}

/** Opens the serial device of the meter's port, of which there is one. Throws where it cannot be opened. */
export function openSerial(this: unknown, path: string, baud: number, dataBits: 7 | 8, even: boolean): undefined {
  return native("serial_open").call(this, path, baud, dataBits, even) as undefined;
}

/** Another line for the open device, at once. */
export function setSerialLine(this: unknown, baud: number, dataBits: 7 | 8, even: boolean): undefined {
  return native("serial_setLine").call(this, baud, dataBits, even) as undefined;
}

/** How many of the bytes there was room for. Throws where the device is gone. */
export function writeSerial(this: unknown, bytes: Uint8Array): number {
  return native("serial_write").call(this, bytes) as number;
}

/** Whether all that was written has left. */
export function isSerialIdle(this: unknown): boolean {
  return native("serial_isIdle").call(this) as boolean;
}

/** At most so many of the bytes that have come, undefined where there are none. Throws where the device is gone. */
export function readSerial(this: unknown, most: number): ArrayBuffer | undefined {
  return native("serial_read").call(this, most) as ArrayBuffer | undefined;
}

/** How often the ring was full, so that bytes were lost. */
export function serialOverruns(this: unknown): number {
  return native("serial_overruns").call(this) as number;
}

export function closeSerial(this: unknown): undefined {
  return native("serial_close").call(this) as undefined;
}
