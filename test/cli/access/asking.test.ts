// Several nodes are asked, and one that sleeps holds nobody up.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Asked, askSeveral, OTHERS_MS } from "../../../tools/cli/access/asking.js";

/** Never answers, until it is given up. */
const asleep = (origin: string): Asked & { isGivenUp: boolean } => ({
  origin,
  isGivenUp: false,
  ask(signal) {
    return new Promise((_, reject) => {
      signal.addEventListener("abort", () => {
        this.isGivenUp = true;
        reject(signal.reason);
      });
    });
  },
});

/** Answers at once; what is asked of it is told. */
function giving(origin: string, told: string[], fails = false): Asked {
  return {
    origin,
    async ask(_signal, onHeard) {
      told.push(origin);
      onHeard();
      if (fails) throw new Error(`${origin} breaks off`);
    },
  };
}

test("of all that are asked together, one that sleeps is given up where the others are enough", async () => {
  const told: string[] = [];
  const complaints: string[] = [];
  const sleeper = asleep("a");
  const isEnough = () => told.length === 2;
  const nodes = [sleeper, giving("b", told), giving("c", told)];
  const asking = { order: "together", isEnough, hearsOthers: true } as const;
  assert.deepEqual(await askSeveral(nodes, asking, complaints), ["b", "c"]);
  assert.ok(sleeper.isGivenUp, "its request is ended, or the process would wait for it");
  assert.deepEqual(complaints, ["a has not answered in time, and the others were enough"]);
});

test("where the others are not enough, it is waited for", async () => {
  const told: string[] = [];
  let answer = () => {};
  const slow: Asked = { origin: "a", ask: () => new Promise((resolve) => (answer = resolve)) };
  const asking = { order: "together", isEnough: () => false, hearsOthers: true } as const;
  const asked = askSeveral([slow, giving("b", told)], asking, []);
  setTimeout(() => answer(), OTHERS_MS + 200);
  assert.deepEqual(await asked, ["b", "a"]);
});

test("in turn, the next is asked where one breaks off or sleeps, and no other where it is enough", async () => {
  const told: string[] = [];
  const complaints: string[] = [];
  const isEnough = () => told.includes("c");
  const asking = { order: "in turn", isEnough, hearsOthers: false } as const;
  const nodes = [asleep("a"), giving("b", told, true), giving("c", told), giving("d", told)];
  assert.deepEqual(await askSeveral(nodes, asking, complaints), ["c"]);
  assert.deepEqual(told, ["b", "c"]);
  assert.deepEqual(complaints, ["b breaks off", "a has not answered in time, and the others were enough"]);
});

test("in turn, one that goes on giving is not doubled by another", async () => {
  const told: string[] = [];
  const steady: Asked = {
    origin: "a",
    async ask(_signal, onHeard) {
      for (let count = 0; count < 8; count += 1) {
        await new Promise((resolve) => setTimeout(resolve, OTHERS_MS / 4));
        onHeard();
      }
    },
  };
  const asking = { order: "in turn", isEnough: () => false, hearsOthers: false } as const;
  assert.deepEqual(await askSeveral([steady, giving("b", told)], asking, []), ["a", "b"]);
});
