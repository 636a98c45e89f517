// Makes an engine count what it does: each call of a function and each turn of a loop in its WebAssembly takes one from a counter,
// and an engine whose counter is spent stops there. So nothing that runs long is free, whatever language feature it hides behind.
// WebAssembly Core Specification 2.0, section 5 (binary format). The result depends on the bytes alone: its hash names the engine.

import { assertInvariant } from "../errors.js";

/** Under this name the engine exports its counter, a mutable i64. Below 0 it is spent. */
export const COUNTER_NAME = "left";

/** Bytes that a built-in copies or fills for one turn, as a power of 2. */
const COPIED_PER_TURN_LOG2 = 5;
/** Turns that a page of memory costs when it is new, as a power of 2: the machine clears its 65,536 bytes. */
const TURNS_PER_PAGE_LOG2 = 11;

const section = { type: 1, import: 2, function: 3, global: 6, export: 7, code: 10 } as const;
const I32 = 0x7f;
const I64 = 0x7e;
const MUTABLE = 1;
const GLOBAL = 3;
const op = {
  ...{ unreachable: 0x00, loop: 0x03, if: 0x04, end: 0x0b, memoryGrow: 0x40, prefixed: 0xfc },
  ...{ localGet: 0x20, localTee: 0x22, globalGet: 0x23, globalSet: 0x24, i64Const: 0x42 },
  ...{ i64LessSigned: 0x53, i64Subtract: 0x7d, i64ShiftLeft: 0x86, i64ShiftRight: 0x88, i64Extend: 0xad },
} as const;
const prefixed = { memoryCopy: 10, memoryFill: 11 } as const;
const NO_RESULT = 0x40;
/** 2^63 - 1 as signed LEB128: an engine that nobody has told its budget starts with as much. */
const MOST = [...Array<number>(9).fill(0xff), 0x00];

/** The engine with its counter. Throws where the bytes are no module of the instructions that are known here. */
export function countTurns(wasm: Uint8Array): Uint8Array {
  const reader = new Reader(wasm, 8);
  const sections: Section[] = [];
  while (!reader.isAtEnd) {
    const id = reader.byte();
    const length = reader.unsigned();
    sections.push({ id, content: reader.take(length) });
  }
  const parameters = parametersOf(sections);
  const counter = globalsImported(sections) + vectorLength(sections, section.global);
  const changed = sections.map(({ id, content }) => {
    if (id === section.global) return { id, content: appended(content, [I64, MUTABLE, op.i64Const, ...MOST, op.end]) };
    if (id === section.export) return { id, content: appended(content, exportOf(counter)) };
    if (id === section.code) return { id, content: countedCode(content, parameters, counter) };
    return { id, content };
  });
  const out = new Writer();
  out.bytes(wasm.subarray(0, 8));
  for (const { id, content } of changed) {
    out.byte(id);
    out.unsigned(content.length);
    out.bytes(content);
  }
  return out.taken();
}

interface Section {
  readonly id: number;
  readonly content: Uint8Array;
}

function contentOf(sections: readonly Section[], id: number): Uint8Array {
  const found = sections.find((candidate) => candidate.id === id);
  assertInvariant(found !== undefined, `the engine's module has section ${id}`);
  return found.content;
}

function vectorLength(sections: readonly Section[], id: number): number {
  return new Reader(contentOf(sections, id), 0).unsigned();
}

/** A vector with one more element. */
function appended(vector: Uint8Array, element: readonly number[]): Uint8Array {
  const reader = new Reader(vector, 0);
  const out = new Writer();
  out.unsigned(reader.unsigned() + 1);
  out.bytes(vector.subarray(reader.at));
  for (const byte of element) out.byte(byte);
  return out.taken();
}

function exportOf(counter: number): readonly number[] {
  const name = [...COUNTER_NAME].map((letter) => letter.charCodeAt(0));
  return [name.length, ...name, GLOBAL, ...unsignedBytes(counter)];
}

/** How many parameters each function of the code section has. */
function parametersOf(sections: readonly Section[]): readonly number[] {
  const types = new Reader(contentOf(sections, section.type), 0);
  const counts = Array.from({ length: types.unsigned() }, () => {
    assertInvariant(types.byte() === 0x60, "a type of the engine's module is that of a function");
    const count = types.unsigned();
    types.take(count);
    types.take(types.unsigned());
    return count;
  });
  const functions = new Reader(contentOf(sections, section.function), 0);
  return Array.from({ length: functions.unsigned() }, () => counts[functions.unsigned()]!);
}

function globalsImported(sections: readonly Section[]): number {
  const reader = new Reader(contentOf(sections, section.import), 0);
  let globals = 0;
  for (let left = reader.unsigned(); left > 0; left -= 1) {
    reader.take(reader.unsigned());
    reader.take(reader.unsigned());
    const kind = reader.byte();
    assertInvariant(kind === 0 || kind === GLOBAL, "the engine imports functions and globals alone");
    if (kind === 0) reader.unsigned();
    else reader.take(2);
    if (kind === GLOBAL) globals += 1;
  }
  return globals;
}

function countedCode(content: Uint8Array, parameters: readonly number[], counter: number): Uint8Array {
  const reader = new Reader(content, 0);
  const out = new Writer();
  const count = reader.unsigned();
  assertInvariant(count === parameters.length, "the engine's module has a body for each function");
  out.unsigned(count);
  for (const own of parameters) {
    const body = countedBody(reader.take(reader.unsigned()), own, counter);
    out.unsigned(body.length);
    out.bytes(body);
  }
  return out.taken();
}

/** A function's body that counts: two more locals, and counting at its start, in each loop, before what takes long by itself. */
function countedBody(body: Uint8Array, parameters: number, counter: number): Uint8Array {
  const reader = new Reader(body, 0);
  const out = new Writer();
  const groups = reader.unsigned();
  const groupsFrom = reader.at;
  let locals = parameters;
  for (let left = groups; left > 0; left -= 1) {
    locals += reader.unsigned();
    reader.byte();
  }
  out.unsigned(groups + 2);
  out.bytes(body.subarray(groupsFrom, reader.at));
  out.bytes(Uint8Array.of(1, I64, 1, I32));
  const charges = chargesOf(counter, { left: locals, size: locals + 1 });
  out.bytes(charges.turn);
  let copied = reader.at;
  const insert = (charge: Uint8Array, at: number) => {
    out.bytes(body.subarray(copied, at));
    out.bytes(charge);
    copied = at;
  };
  while (!reader.isAtEnd) {
    const from = reader.at;
    const code = reader.byte();
    const sub = code === op.prefixed ? reader.unsigned() : 0;
    skipImmediates(reader, code, sub);
    if (code === op.loop) insert(charges.turn, reader.at);
    else if (code === op.memoryGrow) insert(charges.pages, from);
    else if (code === op.prefixed && isCopying(sub)) insert(charges.copied, from);
  }
  out.bytes(body.subarray(copied));
  return out.taken();
}

function isCopying(sub: number): boolean {
  return sub === prefixed.memoryCopy || sub === prefixed.memoryFill;
}

interface Charges {
  readonly turn: Uint8Array;
  /** of an instruction whose last operand is a number of bytes */
  readonly copied: Uint8Array;
  /** of one whose last operand is a number of pages */
  readonly pages: Uint8Array;
}

/** Instructions that take from the counter and stop where it is spent; the locals hold what is left, and an operand. */
function chargesOf(counter: number, local: { readonly left: number; readonly size: number }): Charges {
  const [global, left, size] = [counter, local.left, local.size].map(unsignedBytes);
  const charge = (cost: readonly number[]) => [
    ...[op.globalGet, ...global!, ...cost, op.i64Subtract],
    ...[op.localTee, ...left!, op.globalSet, ...global!],
    ...[op.localGet, ...left!, op.i64Const, 0, op.i64LessSigned],
    ...[op.if, NO_RESULT, op.unreachable, op.end],
  ];
  const bySize = (...shift: readonly number[]) => {
    const cost = [op.localGet, ...size!, op.i64Extend, op.i64Const, ...shift];
    return Uint8Array.from([op.localTee, ...size!, ...charge(cost)]);
  };
  return {
    turn: Uint8Array.from(charge([op.i64Const, 1])),
    copied: bySize(COPIED_PER_TURN_LOG2, op.i64ShiftRight),
    pages: bySize(TURNS_PER_PAGE_LOG2, op.i64ShiftLeft),
  };
}

/** What follows an instruction's code, by the code (section 5.4). */
function skipImmediates(reader: Reader, code: number, sub: number): void {
  if (code === op.prefixed) return skipPrefixed(reader, sub);
  if (code >= 0x45 && code <= 0xc4) return;
  if (code >= 0x28 && code <= 0x3e) return reader.skipIntegers(2);
  if (code >= 0x20 && code <= 0x26) return reader.skipIntegers(1);
  switch (code) {
    case 0x00:
    case 0x01:
    case 0x05:
    case 0x0b:
    case 0x0f:
    case 0x1a:
    case 0x1b:
    case 0xd1:
      return;
    case 0x02:
    case 0x03:
    case 0x04:
    case 0x0c:
    case 0x0d:
    case 0x10:
    case 0x3f:
    case 0x40:
    case 0x41:
    case 0x42:
    case 0xd0:
    case 0xd2:
      return reader.skipIntegers(1);
    case 0x11:
      return reader.skipIntegers(2);
    case 0x0e:
      return reader.skipIntegers(reader.unsigned() + 1);
    case 0x1c:
      return void reader.take(reader.unsigned());
    case 0x43:
      return void reader.take(4);
    case 0x44:
      return void reader.take(8);
    default:
      throw new Error(`the engine's module has instruction ${code}, which is not known here`);
  }
}

function skipPrefixed(reader: Reader, sub: number): void {
  if (sub <= 7) return;
  if (sub > 17) throw new Error(`the engine's module has instruction 252 ${sub}, which is not known here`);
  const hasTwo = sub === 8 || sub === prefixed.memoryCopy || sub === 12 || sub === 14;
  reader.skipIntegers(hasTwo ? 2 : 1);
}

/** Reads a module; throws a RangeError beyond its end. */
class Reader {
  readonly #bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  get isAtEnd(): boolean {
    return this.at >= this.#bytes.length;
  }

  byte(): number {
    const byte = this.#bytes[this.at];
    if (byte === undefined) throw new RangeError("the engine's module is cut off");
    this.at += 1;
    return byte;
  }

  /** LEB128 (section 5.2.2). */
  unsigned(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  take(length: number): Uint8Array {
    if (this.at + length > this.#bytes.length) throw new RangeError("the engine's module is cut off");
    this.at += length;
    return this.#bytes.subarray(this.at - length, this.at);
  }

  /** Integers of LEB128, signed ones too. */
  skipIntegers(count: number): void {
    for (let left = count; left > 0; left -= 1) while (this.byte() >= 0x80);
  }
}

class Writer {
  #bytes = new Uint8Array(1_024);
  #length = 0;

  byte(byte: number): void {
    this.#room(1);
    this.#bytes[this.#length] = byte;
    this.#length += 1;
  }

  bytes(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  unsigned(value: number): void {
    for (const byte of unsignedBytes(value)) this.byte(byte);
  }

  taken(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #room(length: number): void {
    if (this.#length + length <= this.#bytes.length) return;
    const more = new Uint8Array(2 * (this.#length + length));
    more.set(this.#bytes);
    this.#bytes = more;
  }
}

function unsignedBytes(value: number): readonly number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return [...bytes, rest];
}
