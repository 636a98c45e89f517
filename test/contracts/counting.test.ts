// The engine counts: whatever a module does, each call of a function and each turn of a loop takes one from its counter, what is copied
// or made at once takes as much as it is long, and a counter that is spent stops it for good.

import assert from "node:assert/strict";
import { test } from "node:test";
import { COUNTER_NAME, countTurns } from "../../tools/contracts/counting.js";
import { readEngine } from "../../tools/node/contracts/sandbox.js";

/** The platform's; types of Node have its types alone. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: Readonly<Record<string, unknown>> };
  readonly RuntimeError: new () => Error;
};

const I32 = 0x7f;

const sectionOf = (id: number, ...content: readonly number[]) => [id, content.length, ...content];

/** A module of one page of memory that exports `f(n)`, whose instructions are given. */
function moduleOf(...instructions: readonly number[]): Uint8Array {
  const body = [1, 1, I32, ...instructions, 0x0b];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...sectionOf(1, 1, 0x60, 1, I32, 0),
    ...sectionOf(2, 0),
    ...sectionOf(3, 1, 0),
    ...sectionOf(5, 1, 0, 1),
    ...sectionOf(6, 0),
    ...sectionOf(7, 1, 1, "f".charCodeAt(0), 0, 0),
    ...sectionOf(10, 1, body.length, ...body),
  ]);
}

/** What `f(argument)` takes of a counter that stands at `left`; undefined where it was stopped. */
function taken(wasm: Uint8Array, argument: number, left = 1_000_000n): number | undefined {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(countTurns(wasm)), {});
  const counter = exports[COUNTER_NAME] as { value: bigint };
  counter.value = left;
  try {
    (exports.f as (argument: number) => void)(argument);
  } catch (error) {
    assert.ok(error instanceof WebAssembly.RuntimeError, String(error));
    assert.ok(counter.value < 0n, `it was stopped with ${counter.value} left`);
    return undefined;
  }
  return Number(left - counter.value);
}

/** loop: n -= 1; while (n != 0) */
const counting = [0x03, 0x40, 0x20, 0, 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0, 0x0b];

test("a turn of a loop takes one, a call another", () => {
  assert.equal(taken(moduleOf(...counting), 1), 2);
  assert.equal(taken(moduleOf(...counting), 1_000), 1_001);
});

test("a loop without end is stopped, and so is whatever comes behind it", () => {
  const endless = moduleOf(0x03, 0x40, 0x0c, 0, 0x0b);
  assert.equal(taken(endless, 0), undefined);
  assert.equal(taken(moduleOf(), 0, -1n), undefined);
});

test("calls without end are stopped before the machine's stack is", () => {
  const calling = moduleOf(0x20, 0, 0x10, 0);
  assert.equal(taken(calling, 0, 1_000n), undefined);
});

test("what is filled or copied at once is taken by its length", () => {
  const filling = moduleOf(0x41, 0, 0x41, 7, 0x20, 0, 0xfc, 11, 0);
  const copying = moduleOf(0x41, 0, 0x41, 0, 0x20, 0, 0xfc, 10, 0, 0);
  for (const wasm of [filling, copying]) {
    assert.equal(taken(wasm, 31), 1);
    assert.equal(taken(wasm, 32_000), 1_001);
    assert.equal(taken(wasm, 64_000, 1_000n), undefined);
  }
});

test("a page of memory is taken by the bytes that the machine clears", () => {
  const growing = moduleOf(0x20, 0, 0x40, 0, 0x1a);
  assert.equal(taken(growing, 2), 1 + 2 * 2_048);
  assert.equal(taken(growing, 60_000), undefined);
});

test("a value stays what it is, though it is looked at", () => {
  // memory[0] = 5, filled over 4 bytes; trap unless the memory says so
  const filled = [0x41, 0, 0x41, 5, 0x41, 4, 0xfc, 11, 0];
  const wanted = [0x41, 0, 0x28, 2, 0, 0x41, ...[0x85, 0x8a, 0x94, 0x28], 0x47, 0x04, 0x40, 0x00, 0x0b];
  assert.equal(taken(moduleOf(...filled, ...wanted), 0), 1);
});

test("a module of instructions that are not known, or that is cut off, is refused", async () => {
  assert.throws(() => countTurns(moduleOf(0xfd, 12)), /instruction 253, which is not known/);
  assert.throws(() => countTurns(moduleOf(0xfc, 18, 0)), /instruction 252 18, which is not known/);
  const engine = await readEngine();
  for (const length of [9, 1_000, engine.length - 10]) {
    assert.throws(() => countTurns(engine.subarray(0, length)), { message: /cut off|has section/ });
  }
});
