import assert from "node:assert/strict";
import { test } from "node:test";
import type { ReadBatch } from "../../../tools/node/chain/compose.js";
import type { Exchange } from "../../../tools/node/chain/exchange.js";
import { createJudging } from "../../../tools/node/chain/judging.js";
import { createPool } from "../../../tools/node/chain/pool.js";
import type { ChainPorts } from "../../../tools/node/chain/ports.js";
import type { Sealer } from "../../../tools/node/chain/sealer.js";
import type { Input } from "../../../tools/node/consensus/types.js";
import { batch, by, nameOf, set } from "./batches.js";

/** Judging with a clock and a timer of its own; a value's body says how many temporary blocks it holds. */
function bench() {
  const pool = createPool(set);
  const built: number[] = [];
  let now_ms = 1_000;
  let timer: { readonly at_ms: number; readonly callback: () => void } | undefined;
  const ports = {
    chain: { service: 1 },
    store: { origin: () => undefined },
    monotonic_ms: () => now_ms,
    setTimer: (_name: string, delay_ms: number, callback: () => void) =>
      (timer = { at_ms: now_ms + delay_ms, callback }),
    clearTimer: () => (timer = undefined),
    anchors: () => [],
  };
  const sealer = {
    tip: {
      chain: { service: 1 },
      governance: { heights: [] },
      judgedAt: 0,
      view: { meter: () => undefined, origin: () => undefined },
    },
    build: ({ batches }: { batches: readonly unknown[] }) => ({ id: new Uint8Array(32), body: [batches.length] }),
  };
  const judging = createJudging(ports as unknown as ChainPorts, {
    pool,
    sealer: sealer as unknown as Sealer,
    exchange: {} as Exchange,
    feed(input: Input) {
      if (input.type === "built") built.push(input.body[0]!);
    },
    onWaiting: () => assert.fail("nothing is asked"),
  });
  return {
    judging,
    built,
    come(origin: number): ReadBatch {
      const read = batch(0, origin);
      pool.add(read, now_ms);
      return read;
    },
    accept(read: ReadBatch) {
      for (const node of [1, 2, 3]) pool.acknowledge(nameOf(read), by(node));
      judging.retry();
    },
    pass(delay_ms: number) {
      now_ms += delay_ms;
      if (timer === undefined || timer.at_ms > now_ms) return;
      const { callback } = timer;
      timer = undefined;
      callback();
    },
  };
}

test("a new value is built at once where no temporary block is about to be accepted", () => {
  const { judging, built, come, accept } = bench();
  accept(come(0));
  judging.build(1, 0);
  assert.deepEqual(built, [1]);
});

test("a new value waits for the temporary blocks that have just come, and is built once", () => {
  const { judging, built, come, accept, pass } = bench();
  const [first, second, third] = [0, 1, 2].map(come);
  accept(first!);
  judging.build(1, 0);
  accept(second!);
  assert.deepEqual(built, []);
  accept(third!);
  assert.deepEqual(built, [3]);
  pass(1_000);
  assert.deepEqual(built, [3]);
});

test("a new value waits no longer than a moment for a temporary block that is not accepted", () => {
  const { judging, built, come, accept, pass } = bench();
  const first = come(0);
  come(1);
  pass(10);
  accept(first);
  judging.build(1, 0);
  pass(10);
  assert.deepEqual(built, []);
  pass(15);
  assert.deepEqual(built, [1]);
  judging.build(2, 0);
  assert.deepEqual(built, [1, 1], "it came too long ago");
});

test("a value that the end of its height overtakes is not built", () => {
  const { judging, built, come, accept, pass } = bench();
  accept(come(0));
  come(1);
  judging.build(1, 0);
  judging.clear();
  pass(1_000);
  judging.retry();
  assert.deepEqual(built, []);
});
