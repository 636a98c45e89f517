// The native half of the host that counts instructions (counter.c).

/** What the emulator was given under this name before the start; undefined where nothing was. */
export function given(this: unknown, name: string): ArrayBuffer | undefined {
  return native("counter_given").call(this, name) as ArrayBuffer | undefined;
}

/** Says something to whoever counts: a word, a text without spaces, bytes. It is not counted. */
export function say(this: unknown, what: string, text: string, bytes: Uint8Array): undefined {
  return native("counter_say").call(this, what, text, bytes) as undefined;
}

export function flashRead(this: unknown, offset: number, length: number): ArrayBuffer {
  return native("counter_flashRead").call(this, offset, length) as ArrayBuffer;
}

export function flashWrite(this: unknown, offset: number, bytes: Uint8Array): undefined {
  return native("counter_flashWrite").call(this, offset, bytes) as undefined;
}

export function flashErase(this: unknown, offset: number, length: number): undefined {
  return native("counter_flashErase").call(this, offset, length) as undefined;
}
