// Lines out of what somebody types or pastes at a console, and what is still to be written to it. Both are bounded: a line that is too
// long is dropped whole, and so is output that nobody reads. Pure.

/** A configuration is the longest line there is. */
export const LINE_BYTES_MAX = 8_192;
export const OUTPUT_BYTES_MAX = 8_192;
const LINE_BYTES_FIRST = 128;

const BACKSPACE = 0x08;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const ESCAPE = 0x1b;
const DELETE = 0x7f;

/** A line that is being typed; its memory is there while it is. */
export interface Input {
  bytes: Uint8Array | undefined;
  length: number;
  /** the line was too long: the rest of it is dropped */
  skips: boolean;
}

export type Typed =
  | { readonly kind: "line"; readonly text: string }
  /** a line of more than LINE_BYTES_MAX has ended */
  | { readonly kind: "tooLong" };

export function createInput(): Input {
  return { bytes: undefined, length: 0, skips: false };
}

/** Takes bytes, calls `onTyped` for each line that ends in them, and gives what the terminal is to show of them. Never throws. */
export function typed(input: Input, bytes: Uint8Array, onTyped: (typed: Typed) => void): string {
  let echo = "";
  for (const byte of bytes) {
    if (byte === LINE_FEED || byte === CARRIAGE_RETURN) {
      if (input.length === 0 && !input.skips) continue;
      const ended: Typed = input.skips ? { kind: "tooLong" } : { kind: "line", text: textOf(input) };
      clear(input);
      onTyped(ended);
      echo = "";
    } else if (byte === BACKSPACE || byte === DELETE) {
      if (input.length === 0) continue;
      input.length -= 1;
      echo += "\b \b";
    } else if (byte === ESCAPE) {
      clear(input);
    } else if (byte >= 0x20 && !input.skips) {
      if (input.length === LINE_BYTES_MAX) {
        clear(input);
        input.skips = true;
        continue;
      }
      append(input, byte);
      if (byte < DELETE) echo += String.fromCharCode(byte);
    }
  }
  return echo;
}

function append(input: Input, byte: number): void {
  const full = input.bytes;
  if (full === undefined || input.length === full.length) {
    input.bytes = new Uint8Array(full === undefined ? LINE_BYTES_FIRST : Math.min(2 * full.length, LINE_BYTES_MAX));
    if (full !== undefined) input.bytes.set(full);
  }
  input.bytes![input.length] = byte;
  input.length += 1;
}

function clear(input: Input): void {
  input.bytes = undefined;
  input.length = 0;
  input.skips = false;
}

/** UTF-8 with U+FFFD for what is none. */
export function textOf({ bytes, length }: Pick<Input, "bytes" | "length">): string {
  if (bytes === undefined) return "";
  let text = "";
  for (let at = 0; at < length; ) {
    const first = bytes[at]!;
    const more = first < 0x80 ? 0 : first < 0xc2 ? -1 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : first < 0xf5 ? 3 : -1;
    let code = more <= 0 ? first : first & (0x3f >> more);
    let have = 0;
    while (have < more && at + have + 1 < length && (bytes[at + have + 1]! & 0xc0) === 0x80) {
      have += 1;
      code = code * 64 + (bytes[at + have]! & 0x3f);
    }
    const least = more === 3 ? 0x10000 : more === 2 ? 0x800 : 0;
    const good = have === more && code >= least && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
    text += good ? String.fromCodePoint(code) : "\ufffd";
    at += good ? more + 1 : 1;
  }
  return text;
}

/** What is still to be written. */
export interface Output {
  readonly waiting: Uint8Array[];
  length: number;
  /** lines that found no room */
  lost: number;
}

export function createOutput(): Output {
  return { waiting: [], length: 0, lost: 0 };
}

/** Puts bytes behind what is waiting, or counts them as lost where that has no room. */
export function put(output: Output, bytes: Uint8Array): void {
  if (bytes.length === 0) return;
  if (output.length + bytes.length > OUTPUT_BYTES_MAX) {
    output.lost += 1;
    return;
  }
  output.waiting.push(bytes);
  output.length += bytes.length;
}

/** At most `most` of the bytes that are first in turn; `written` takes them off. Undefined where nothing waits. */
export function next({ waiting }: Output, most: number): Uint8Array | undefined {
  const first = waiting[0];
  return first === undefined || first.length <= most ? first : first.subarray(0, most);
}

/** Takes the bytes that `next` gave off. */
export function written(output: Output, length: number): void {
  const first = output.waiting[0]!;
  output.length -= length;
  if (length < first.length) output.waiting[0] = first.subarray(length);
  else output.waiting.shift();
}
