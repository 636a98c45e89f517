import assert from "node:assert/strict";
import { test } from "node:test";
import { createTurns } from "../../../tools/node/api/turns.js";

function createLoop() {
  const later: (() => void)[] = [];
  const clock = { now_ms: 0 };
  const turns = createTurns(2, { monotonic_ms: () => clock.now_ms, afterOthers: (run) => later.push(run) });
  /** One turn of the loop: what was put off before it. */
  const turn = () => {
    for (const run of later.splice(0)) run();
  };
  return { turns, clock, turn, later };
}

test("does what waits in order, for the time of a turn, and the rest after the others", () => {
  const { turns, clock, turn } = createLoop();
  const done: number[] = [];
  for (let index = 0; index < 5; index += 1) {
    void turns.next(() => {
      done.push(index);
      clock.now_ms += 1;
    });
  }
  turn();
  assert.deepEqual(done, [0, 1]);
  turn();
  assert.deepEqual(done, [0, 1, 2, 3]);
  turn();
  assert.deepEqual(done, [0, 1, 2, 3, 4]);
});

test("has one turn at a time, though work is added while it works", () => {
  const { turns, clock, turn, later } = createLoop();
  let done = 0;
  const again = () => {
    done += 1;
    clock.now_ms += 1;
    if (done < 10) void turns.next(again);
  };
  void turns.next(again);
  for (let count = 1; count <= 5; count += 1) {
    turn();
    assert.equal(done, 2 * count);
    assert.ok(later.length <= 1);
  }
  turn();
  assert.deepEqual([done, later.length], [10, 0]);
});

test("gives the result, or what was thrown, to who asked, and goes on", async () => {
  const { turns, turn } = createLoop();
  const [bad, good] = [turns.next(() => Promise.reject(new Error("bad"))), turns.next(() => 7)];
  const thrown = turns.next(() => {
    throw new Error("thrown");
  });
  turn();
  await assert.rejects(bad, /bad/);
  await assert.rejects(thrown, /thrown/);
  assert.equal(await good, 7);
});
