// The native half of the host on an emulated processor (native.c).

/** The same bytes in every run. */
export function random(this: unknown, length: number): ArrayBuffer {
  return native("processor_random").call(this, length) as ArrayBuffer;
}

/** A value that was stored; undefined where there is none. */
export function get(this: unknown, name: string): ArrayBuffer | undefined {
  return native("processor_get").call(this, name) as ArrayBuffer | undefined;
}

export function set(this: unknown, name: string, bytes: Uint8Array): undefined {
  return native("processor_set").call(this, name, bytes) as undefined;
}

export function remove(this: unknown, name: string): undefined {
  return native("processor_remove").call(this, name) as undefined;
}

export function flashRead(this: unknown, offset: number, length: number): ArrayBuffer {
  return native("processor_flashRead").call(this, offset, length) as ArrayBuffer;
}

/** Clears bits only. */
export function flashWrite(this: unknown, offset: number, bytes: Uint8Array): undefined {
  return native("processor_flashWrite").call(this, offset, bytes) as undefined;
}

/** The sector that begins there. */
export function flashErase(this: unknown, offset: number): undefined {
  return native("processor_flashErase").call(this, offset) as undefined;
}

/** At most so many of the port's bytes; undefined where none have come. */
export function portRead(this: unknown, most: number): ArrayBuffer | undefined {
  return native("processor_portRead").call(this, most) as ArrayBuffer | undefined;
}

/** Tells whoever asks; what that takes is not counted. */
export function say(this: unknown, word: string, number: number, text: string, bytes: Uint8Array): undefined {
  return native("processor_say").call(this, word, number, text, bytes) as undefined;
}
