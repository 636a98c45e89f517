// Answers to readers that take them, slowly or not at all: the connection is played by the test.

import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { ServerResponse } from "node:http";
import { test } from "node:test";
import type { FastifyReply } from "fastify";
import { createAnswers } from "../../../tools/node/api/answers.js";
import { createByteBudget } from "../../../tools/node/api/byte-budget.js";
import { createTurns } from "../../../tools/node/api/turns.js";

const MEBIBYTE = 1_048_576;

/** A reader that takes what it is sent when it is told to. */
class Reader extends EventEmitter {
  destroyed = false;
  hasEnded = false;
  readonly socket = { resetAndDestroy: () => this.destroy() };
  readonly #taken: Buffer[] = [];
  #waiting: (() => void) | undefined;

  writeHead(): void {}

  write(part: Uint8Array, done: () => void): void {
    assert.equal(this.#waiting, undefined, "a part was sent before the one before it was taken");
    this.#taken.push(Buffer.from(part));
    this.#waiting = done;
  }

  end(): void {
    this.hasEnded = true;
  }

  /** Takes what it was sent; false where nothing is there. */
  take(): boolean {
    const done = this.#waiting;
    this.#waiting = undefined;
    done?.();
    return done !== undefined;
  }

  close(): void {
    this.emit("close");
  }

  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.close();
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#taken);
  }
}

function createAnswering(all = 4 * MEBIBYTE, ofAddress = 2 * MEBIBYTE) {
  const clock = { now_ms: 1_000 };
  const monotonic_ms = () => clock.now_ms;
  const budget = createByteBudget(all, ofAddress);
  const seen = { slow: 0, items: 0, broken: [] as unknown[] };
  const answers = createAnswers({
    turns: createTurns(2, { monotonic_ms, afterOthers: setImmediate }),
    budget,
    monotonic_ms,
    onRead: (_group, { items }) => {
      seen.items += items;
    },
    onSlow: () => {
      seen.slow += 1;
    },
    onBroken: (error) => seen.broken.push(error),
  });
  const send = async (items: Iterator<Uint8Array, void>, group = "a", method = "GET") => {
    const raw = new Reader();
    const reply = { raw, hijack() {}, request: { method } } as unknown as FastifyReply;
    return { raw, isSent: await answers.send(reply, group, { type: "application/cbor-seq" }, items) };
  };
  return { answers, budget, clock, seen, send };
}

/** Lets the loop come to everything that waits for it. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
}

function* blocks(count: number, length: number): Generator<Uint8Array, void> {
  for (let index = 0; index < count; index += 1) yield Buffer.alloc(length, index);
}

test("sends all of an answer, byte for byte, and holds a piece of it at a time", async () => {
  const { budget, send } = createAnswering();
  const { raw, isSent } = await send(blocks(100, 40_000));
  assert.equal(isSent, true);
  let most = 0;
  while (!raw.hasEnded) {
    most = Math.max(most, budget.held_bytes);
    raw.take();
    await settle();
  }
  assert.deepEqual(raw.bytes, Buffer.concat([...blocks(100, 40_000)]));
  assert.equal(most, 280_000);
  raw.close();
  assert.equal(budget.held_bytes, 0);
});

test("reads on when what was read has been taken, and no sooner", async () => {
  const { seen, send } = createAnswering();
  const { raw } = await send(blocks(100, 40_000));
  await settle();
  const { items } = seen;
  await settle();
  assert.equal(seen.items, items);
  for (let part = 0; part < 9; part += 1) {
    raw.take();
    await settle();
  }
  assert.equal(seen.items, 2 * items);
});

test("an item longer than a piece counts whole until it is taken, and goes in parts", async () => {
  const { budget, send } = createAnswering();
  const { raw } = await send(blocks(1, MEBIBYTE));
  for (let parts = 0; parts < 31; parts += 1) {
    assert.equal(budget.held_bytes, MEBIBYTE);
    assert.equal(raw.take(), true);
    await settle();
  }
  raw.take();
  await settle();
  assert.equal(budget.held_bytes, 0);
  assert.deepEqual([raw.hasEnded, raw.bytes.length], [true, MEBIBYTE]);
});

test("refuses what finds no room, of the address or at all, and has sent nothing then", async () => {
  const { budget, send } = createAnswering();
  await send(blocks(1, 2 * MEBIBYTE));
  const refused = await send(blocks(1, 10));
  assert.deepEqual([refused.isSent, refused.raw.hasEnded, refused.raw.bytes.length], [false, false, 0]);
  assert.equal((await send(blocks(1, 2 * MEBIBYTE), "b")).isSent, true);
  assert.equal((await send(blocks(1, 10), "c")).isSent, false);
  assert.equal(budget.held_bytes, 4 * MEBIBYTE);
});

test("ends a range that finds no more room behind a whole item", async () => {
  const { answers, send } = createAnswering();
  const { raw } = await send(blocks(100, 240_000));
  const other = await send(blocks(1, 2 * MEBIBYTE - 480_000));
  assert.equal(other.isSent, true);
  answers.sent(new Reader() as unknown as ServerResponse, "a", 1);
  while (!raw.hasEnded) {
    raw.take();
    await settle();
  }
  assert.deepEqual(raw.bytes, Buffer.concat([...blocks(2, 240_000)]));
});

test("who takes nothing is closed in time, who goes on taking is not, and what was held comes back", async () => {
  const { answers, budget, clock, seen, send } = createAnswering();
  const idle = await send(blocks(1_000, 5_000));
  const slow = await send(blocks(1_000, 5_000));
  for (let second = 0; second < 60; second += 1) {
    await settle();
    slow.raw.take();
    clock.now_ms += 1_000;
    answers.closeSlow();
  }
  assert.deepEqual([idle.raw.destroyed, slow.raw.destroyed, seen.slow], [true, false, 1]);
  slow.raw.destroy();
  assert.equal(budget.held_bytes, 0);
});

test("who drips is closed too: time is given for what was taken", async () => {
  const { answers, clock, send } = createAnswering();
  const { raw } = await send(blocks(1_000, 5_000));
  for (let minute = 0; minute < 5 && !raw.destroyed; minute += 1) {
    await settle();
    raw.take();
    for (let second = 0; second < 9; second += 1) {
      clock.now_ms += 1_000;
      answers.closeSlow();
    }
  }
  assert.equal(raw.destroyed, true);
});

test("a small answer that is not taken is closed in time, and counts until then", async () => {
  const { answers, budget, clock } = createAnswering();
  const raw = new Reader();
  answers.sent(raw as unknown as ServerResponse, "a", 500);
  assert.equal(budget.held_bytes, 500);
  clock.now_ms += 10_001;
  answers.closeSlow();
  assert.deepEqual([raw.destroyed, budget.held_bytes], [true, 0]);
});

test("an address has sixteen long answers at once, and whoever takes nothing makes room for the next", async () => {
  const { clock, seen, send } = createAnswering(64 * MEBIBYTE, 32 * MEBIBYTE);
  const first = await Promise.all(Array.from({ length: 16 }, () => send(blocks(100, 5_000))));
  assert.equal((await send(blocks(1, 10))).isSent, false);
  assert.equal((await send(blocks(1, 10), "b")).isSent, true);
  for (let passed_ms = 0; passed_ms < 1_500; passed_ms += 500) {
    await settle();
    for (const { raw } of first.slice(1)) raw.take();
    await settle();
    clock.now_ms += 500;
  }
  await settle();
  for (const { raw } of first.slice(1)) raw.take();
  await settle();
  assert.equal((await send(blocks(1, 10))).isSent, true);
  assert.deepEqual([first[0]!.raw.destroyed, seen.slow], [true, 1]);
  assert.equal((await send(blocks(1, 10))).isSent, false);
});

test("rejects where the first item cannot be read, closes where a later one cannot, and says so", async () => {
  const { seen, budget, send } = createAnswering();
  const damage = new Error("damaged");
  function* broken(good: number): Generator<Uint8Array, void> {
    yield* blocks(good, 30_000);
    throw damage;
  }
  await assert.rejects(send(broken(0)), damage);
  const { raw } = await send(broken(4));
  while (!raw.destroyed) {
    raw.take();
    await settle();
  }
  assert.deepEqual(seen.broken, [damage]);
  assert.deepEqual(raw.bytes, Buffer.concat([...blocks(4, 30_000)]), "what was read before is sent");
  assert.deepEqual([raw.hasEnded, budget.held_bytes], [false, 0]);
});

test("an answer to HEAD ends behind its head", async () => {
  const { send } = createAnswering();
  const { raw } = await send(blocks(100, 5_000), "a", "HEAD");
  assert.deepEqual([raw.hasEnded, raw.bytes.length], [true, 0]);
});

test("a reader that goes away in the middle ends the reading", async () => {
  const { seen, budget, send } = createAnswering();
  const { raw } = await send(blocks(1_000, 5_000));
  await settle();
  const { items } = seen;
  raw.destroy();
  await settle();
  assert.deepEqual([seen.items, budget.held_bytes], [items, 0]);
});

test("items are given up wherever an answer ends before the last of them", async () => {
  const { send } = createAnswering();
  const ended: string[] = [];
  function* watched(name: string, length = 240_000): Generator<Uint8Array, void> {
    try {
      yield* blocks(100, length);
    } finally {
      ended.push(name);
    }
  }
  await send(watched("head"), "a", "HEAD");
  const { raw } = await send(watched("left"));
  raw.destroy();
  await send(watched("no room", 3 * MEBIBYTE));
  await settle();
  assert.deepEqual(ended.sort(), ["head", "left", "no room"]);
});

test("whose reader has gone before its turn is not read at all", async () => {
  const { answers, seen } = createAnswering();
  const raw = new Reader();
  const reply = { raw, hijack() {}, request: { method: "GET" } } as unknown as FastifyReply;
  raw.destroyed = true;
  assert.equal(await answers.send(reply, "a", { type: "application/cbor-seq" }, blocks(1, 10)), true);
  assert.equal(seen.items, 0);
});
