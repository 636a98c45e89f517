// What the tests of every protocol's reader have in common: outcomes of a whole stream, and the same stream in any pieces.

import assert from "node:assert/strict";
import fc from "fast-check";
import { formatObis } from "../../src/meter/obis.js";
import type { ReaderOptions } from "../../src/meter/open-reader.js";
import { createReader } from "../../src/meter/open-reader.js";
import type { Outcome, Protocol, Reading } from "../../src/meter/reader.js";
import { createHousehold, type HouseholdState } from "../../tools/emulators/household.js";

export function outcomesOf(protocol: Protocol, bytes: Uint8Array, options?: ReaderOptions): Outcome[] {
  const reader = createReader(protocol, options);
  return [...reader.push(bytes, 0), ...reader.end()];
}

/** The one reading of a stream with one frame. */
export function readingOf(protocol: Protocol, bytes: Uint8Array, options?: ReaderOptions): Reading {
  const outcomes = outcomesOf(protocol, bytes, options);
  assert.deepEqual(kinds(outcomes), ["ok"]);
  return outcomes[0] as Reading;
}

/** `ok` or the reason of each outcome. */
export function kinds(outcomes: readonly Outcome[]): string[] {
  return outcomes.map((outcome) => (outcome.ok ? "ok" : outcome.reason));
}

/** Value, scaler and unit by code. */
export function registersOf({ registers }: Reading): Record<string, readonly [number | bigint, number, number]> {
  return Object.fromEntries(
    registers.map(({ obis, value, scaler, unit }) => [formatObis(obis), [value, scaler, unit]]),
  );
}

export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}

/** The bytes with one bit or more of one byte changed. */
export function changed(bytes: Uint8Array, index: number, mask = 1): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[index] = copy[index]! ^ mask;
  return copy;
}

/** Asserts that the stream's outcomes are the same in any pieces. */
export function assertAnyPieces(protocol: Protocol, stream: Uint8Array, options?: ReaderOptions): void {
  const whole = outcomesOf(protocol, stream, options);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 40 }), (lengths) => {
      const reader = createReader(protocol, options);
      const outcomes: Outcome[] = [];
      for (let start = 0, turn = 0; start < stream.length; turn++) {
        const length = lengths[turn % lengths.length]!;
        outcomes.push(...reader.push(stream.subarray(start, start + length), 0));
        start += length;
      }
      assert.deepEqual([...outcomes, ...reader.end()], whole);
    }),
    { numRuns: 40 },
  );
}

/** Asserts that no bytes break the reader, those of `pieces` among them, and that it reads `good` after a pause. */
export function assertSurvives(
  protocol: Protocol,
  good: Uint8Array,
  pieces: readonly Uint8Array[],
  options?: ReaderOptions,
): void {
  const hostile = fc.oneof(
    fc.uint8Array({ maxLength: 600 }),
    fc.constantFrom(...pieces),
    fc
      .tuple(fc.constantFrom(good, ...pieces), fc.nat(), fc.nat())
      .map(([piece, from, to]) => piece.slice(from % piece.length, to % (piece.length + 1))),
    fc
      .tuple(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }))
      .map(([index, mask]) => changed(good, index, mask)),
  );
  fc.assert(
    fc.property(fc.array(hostile, { maxLength: 8 }), (chunks) => {
      const reader = createReader(protocol, options);
      for (const chunk of chunks) reader.push(chunk, 0);
      reader.end();
      assert.ok(reader.push(good, 10_000).at(-1)?.ok);
    }),
    { numRuns: 60 },
  );
}

/** A household at a moment of the past; the same seed gives the same one. */
export function householdAt(time_s: number, seed = 1): HouseholdState {
  return createHousehold({ seed, start_s: time_s - 30 * 86_400 }).step(time_s);
}
