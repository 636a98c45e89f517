// Tries a format with each of its numbers, found where it stands in an example, at the bounds and at powers of two: it is refused with a
// WireError, or it is read back as it was and every use that is made of its kind can hold it. A number that has no use listed fails.

import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "../../src/wire/bytes.js";
import { WireError } from "../../src/wire/error.js";
import { type Item, independentCbor, independentDecode } from "./independent-cbor.js";

export interface Format {
  readonly example: Uint8Array;
  /** What the decoder makes of bytes; throws a WireError. */
  read(bytes: Uint8Array): unknown;
  /** Back to bytes, where the format has an encoder that does not sign. */
  write?(value: never): Uint8Array;
}

export function format<T>(
  example: Uint8Array,
  read: (bytes: Uint8Array) => T,
  write?: (value: T) => Uint8Array,
): Format {
  return { example, read, ...(write !== undefined && { write: write as (value: never) => Uint8Array }) };
}

/** What is done with a number of this name, in the objects that decoders give. */
export type Uses = Readonly<Record<string, (value: number) => void>>;

const edges = [0, 1, 255, 256, 4_001, 4_002, 65_535, 65_536, 2 ** 31];
for (const power of [32, 40, 42, 48]) edges.push(2 ** power - 2, 2 ** power - 1, 2 ** power);
edges.push(2 ** 32 * 1_000 - 1, 2 ** 32 * 1_000, 2 ** 53 - 1);
const values: readonly Item[] = [...edges, -1, -2, 2n ** 53n, 2n ** 63n - 1n];

/** The example with each of its numbers in turn replaced; byte strings that hold an item are looked into. */
function* changes(item: Item, put: (changed: Item) => Uint8Array): Generator<Uint8Array> {
  if (typeof item === "number" || typeof item === "bigint") for (const value of values) yield put(value);
  else if (Array.isArray(item)) {
    for (const [index, part] of item.entries()) {
      yield* changes(part, (changed) => put(item.map((other, place) => (place === index ? changed : other))));
    }
  } else if (item instanceof Map) {
    for (const [key, part] of item) yield* changes(part, (changed) => put(new Map([...item, [key, changed]])));
  } else if (item instanceof Uint8Array && item.length > 8) {
    const tag = item[0] === 0xd2 ? 1 : 0;
    const inner = tried(() => independentDecode(item.subarray(tag)));
    if (!Array.isArray(inner) && !(inner instanceof Map)) return;
    yield* changes(inner, (changed) => put(Buffer.concat([item.subarray(0, tag), independentCbor(changed)])));
  }
}

function tried<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** Uses every number in what a decoder gave; `name` is that of the member it stands in. */
function use(uses: Uses, value: unknown, name: string): void {
  if (typeof value === "number" || typeof value === "bigint") {
    const known = uses[name];
    assert.ok(known !== undefined, `a number ${name} has no use listed`);
    known(value as number);
  } else if (Array.isArray(value)) for (const part of value) use(uses, part, name);
  else if (typeof value === "object" && value !== null && !(value instanceof Uint8Array)) {
    for (const [member, part] of Object.entries(value)) use(uses, part, member);
  }
}

/** A test for each format: all of its numbers, one at a time, at all bounds. */
export function tryEveryNumber(formats: Readonly<Record<string, Format>>, uses: Uses): void {
  for (const [name, { example, read, write }] of Object.entries(formats)) {
    test(`every number of a ${name} is refused or lives through all that is done with it`, () => {
      use(uses, read(example), name);
      const tag = example[0] === 0xd2 ? 1 : 0;
      const whole = (changed: Item) => Buffer.concat([example.subarray(0, tag), independentCbor(changed)]);
      let accepted = 0;
      let refused = 0;
      for (const made of changes(independentDecode(example.subarray(tag)), whole)) {
        const bytes = sizedAs(name, made);
        let value: unknown;
        try {
          value = read(bytes);
        } catch (error) {
          assert.ok(error instanceof WireError, `${name}: ${String(error)} of ${toHex(bytes)}`);
          refused += 1;
          continue;
        }
        accepted += 1;
        use(uses, value, name);
        if (write !== undefined) assert.deepEqual(Uint8Array.from(write(value as never)), Uint8Array.from(bytes));
      }
      assert.ok(refused > 0 || name === "hidden part", "no number has a bound");
      assert.ok(accepted > 0 || name === "command", "no number may be another");
    });
  }
}

/** A block states its own length. */
function sizedAs(name: string, bytes: Uint8Array): Uint8Array {
  if (name !== "block") return Uint8Array.from(bytes);
  const parts = independentDecode(bytes) as Item[];
  const size = Buffer.alloc(4);
  size.writeUInt32BE(bytes.length);
  return Uint8Array.from(independentCbor(parts.map((part, index) => (index === 1 ? size : part))));
}
