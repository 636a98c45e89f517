// Blocks that are composed in pieces: the loop has its turn between them, and each of a block's inputs is composed once.

import assert from "node:assert/strict";
import { test } from "node:test";
import { GridsealError } from "../../../../tools/errors.js";
import type { BlockInputs, Composition } from "../../../../tools/ledger/compose.js";
import type { Pieces } from "../../../../tools/ledger/pieces.js";
import { createCompositions } from "../../../../tools/node/chain/blocks/compositions.js";

const block = { type: "runs" } as unknown as Composition;

function createWorld() {
  const timers: (() => void)[] = [];
  const fatal: unknown[] = [];
  let ready = 0;
  let pieces = 0;
  const ports = {
    setTimer: (_name: string, _delay_ms: number, callback: () => void) => void timers.push(callback),
    clearTimer: () => void timers.splice(0),
    onFatal: (error: unknown) => void fatal.push(error),
  };
  const compositions = createCompositions(ports, () => {
    ready += 1;
  });
  function* made(count: number, composition: Composition = block): Pieces<Composition> {
    for (let piece = 1; piece < count; piece += 1) {
      pieces += 1;
      yield;
    }
    pieces += 1;
    return composition;
  }
  return {
    ...{ compositions, timers, fatal, made },
    ready: () => ready,
    pieces: () => pieces,
    /** One turn of the loop. */
    turn: () => timers.shift()?.(),
  };
}

const inputs = (time_ms: number): BlockInputs => ({ batches: [], anchors: [], time_ms, judgedAt: 0, calls: 32 });

test("a block of one piece is there at once, and composed once", () => {
  const { compositions, made, pieces, timers } = createWorld();
  for (let turn = 0; turn < 3; turn += 1)
    assert.equal(
      compositions.of(inputs(1), () => made(1)),
      block,
    );
  assert.deepEqual([pieces(), timers.length], [1, 0]);
});

test("a block of many pieces is waited for, a piece a turn, and told of when it is there", () => {
  const world = createWorld();
  const { compositions, made } = world;
  assert.equal(
    compositions.of(inputs(1), () => made(5)),
    undefined,
  );
  for (let turn = 1; turn < 5; turn += 1) {
    assert.equal(world.ready(), 0);
    assert.equal(
      compositions.of(inputs(1), () => made(5)),
      undefined,
    );
    assert.equal(world.pieces(), turn, "others have the loop between two pieces");
    world.turn();
  }
  assert.equal(world.ready(), 1);
  assert.equal(
    compositions.of(inputs(1), () => made(5)),
    block,
  );
  assert.equal(world.pieces(), 5);
});

test("two blocks are made one behind the other, and what is of a height that is over is not gone on with", () => {
  const world = createWorld();
  const { compositions, made } = world;
  compositions.of(inputs(1), () => made(2));
  compositions.of(inputs(2), () => made(2));
  world.turn();
  world.turn();
  assert.equal(world.ready(), 2);
  compositions.of(inputs(3), () => made(9));
  const before = world.pieces();
  compositions.clear();
  world.turn();
  assert.equal(world.pieces(), before);
});

test("what comes to nothing is asked for anew; a damaged row ends the node", () => {
  const world = createWorld();
  const { compositions, made } = world;
  const none = { type: "none", reason: "it waits for orders" } as const;
  assert.equal(
    compositions.of(inputs(1), () => made(1, none)),
    none,
  );
  assert.equal(
    compositions.of(inputs(1), () => made(1)),
    block,
  );
  const broken = new GridsealError("STORE_CORRUPT", "a row is damaged");
  compositions.of(inputs(2), function* () {
    yield;
    throw broken;
  });
  world.turn();
  assert.deepEqual(world.fatal, [broken]);
});

test("what shows late that a block cannot be made is thrown to whoever asks, ends no node and holds up no other block", () => {
  const world = createWorld();
  const { compositions, made } = world;
  const broken = new RangeError("a point is out of bounds");
  const ask = () =>
    compositions.of(inputs(1), function* () {
      yield;
      throw broken;
    });
  assert.equal(ask(), undefined);
  compositions.of(inputs(2), () => made(2));
  world.turn();
  assert.equal(world.ready(), 1, "who waits asks again");
  assert.throws(ask, broken);
  assert.throws(ask, broken);
  world.turn();
  assert.equal(
    compositions.of(inputs(2), () => made(2)),
    block,
  );
  assert.deepEqual(world.fatal, []);
});
