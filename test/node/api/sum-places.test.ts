import assert from "node:assert/strict";
import { test } from "node:test";
import { createSumPlaces } from "../../../tools/node/api/sum-places.js";

/** Who has come to a place so far, in the order of their turns. */
function queueOf(places_max: number) {
  const places = createSumPlaces(places_max);
  const came: string[] = [];
  const held = new Map<string, () => void>();
  const take = (name: string) => {
    void places.take(name[0]!).then((giveBack) => {
      came.push(name);
      held.set(name, giveBack);
    });
  };
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  return {
    take: async (...names: readonly string[]) => {
      names.forEach(take);
      await settled();
      return came.join(" ");
    },
    giveBack: async (name: string) => {
      held.get(name)!();
      await settled();
      return came.join(" ");
    },
  };
}

test("an address has one place at a time, and others have theirs meanwhile", async () => {
  const queue = queueOf(2);
  assert.equal(await queue.take("a1", "a2", "a3", "b1"), "a1 b1");
  assert.equal(await queue.giveBack("a1"), "a1 b1 a2");
});

test("where all places are taken the addresses come one after the other, whoever asked for more", async () => {
  const queue = queueOf(1);
  assert.equal(await queue.take("a1", "a2", "a3", "b1", "b2", "c1"), "a1");
  assert.equal(await queue.giveBack("a1"), "a1 a2");
  assert.equal(await queue.giveBack("a2"), "a1 a2 b1");
  assert.equal(await queue.giveBack("b1"), "a1 a2 b1 c1");
  assert.equal(await queue.giveBack("c1"), "a1 a2 b1 c1 a3");
  assert.equal(await queue.giveBack("a3"), "a1 a2 b1 c1 a3 b2");
});

test("a place that is given back twice is one", async () => {
  const queue = queueOf(1);
  await queue.take("a1", "b1", "c1");
  assert.equal(await queue.giveBack("a1"), "a1 b1");
  assert.equal(await queue.giveBack("a1"), "a1 b1");
});
