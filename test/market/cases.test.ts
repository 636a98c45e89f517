// The cases contract in the engine that nodes run it in: who has many cases lets go of his own, and what has gone is not opened again.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { encodeValue, type Value } from "../../src/wire/value.js";
import { openChains, type Signer, type TestChain } from "./chain.js";

const file = fileURLToPath(new URL("../../tools/market/cases/cases.ts", import.meta.url));
const { chain: newChain, close } = await openChains(file);
after(close);

const STEP = 16;
const regulator: Signer = { id: "dd00000000000001", role: 10 };
const [anna, bert] = ["a", "b"].map((digit) => ({ id: `cc0000000000000${digit}`, role: 2 })) as [Signer, Signer];

/** Trading tells that this is held against somebody, at this height. */
const tell = (chain: TestChain, height: number, ...subjects: readonly string[]) =>
  chain.run("message", {
    ...{ service: 1, number: height, contract: null, name: "violation", height, time_s: chain.time_s },
    body: [0, subjects.map((subject): Value => [6, subject, null, "market/late"])],
  });
const step = (height: number, state: string, index = 0) => ({
  violation: `1:${height}:${index}`,
  ...{ state, reason: "" },
});
const cases = (chain: TestChain) =>
  [...chain.state.keys()].filter((key) => key.startsWith("case/")).map((key) => key.slice(5));

test("who contests much presses out no case of others, nor one that was decided against him", async () => {
  const chain = newChain({ kept_cases: 3 });
  await tell(chain, 1, anna.id);
  for (let height = 2; height < 9; height += 1) await tell(chain, height, bert.id);
  await chain.done(regulator, STEP, step(1, "lifted"));
  await chain.done(bert, STEP, step(2, "contested"));
  await chain.done(regulator, STEP, step(2, "upheld"));
  for (let height = 3; height < 9; height += 1) await chain.done(bert, STEP, step(height, "contested"));
  assert.equal(await chain.denied(bert, STEP, step(2, "contested")), "not-from-there");
  assert.equal(await chain.denied(regulator, STEP, step(1, "upheld")), "not-from-there");
  assert.deepEqual(cases(chain).sort(), ["1:1:0", "1:2:0", "1:6:0", "1:7:0", "1:8:0"]);
});

test("a case that has gone is too old, and never open again", async () => {
  const chain = newChain({ kept_cases: 10, kept_of_one: 2 });
  await tell(chain, 1, bert.id, bert.id, bert.id, anna.id);
  for (const index of [0, 1, 2]) await chain.done(bert, STEP, step(1, "contested", index));
  for (const who of [bert, regulator]) {
    const to = who === bert ? "contested" : "upheld";
    assert.equal(await chain.denied(who, STEP, step(1, to, 0)), "too-old");
  }
  await chain.done(anna, STEP, step(1, "contested", 3));
  assert.equal(await chain.denied(bert, STEP, step(1, "contested", 4)), "unknown-violation");
});

test("the case that goes for another one is the oldest of the subject that has most", async () => {
  const chain = newChain({ kept_cases: 4 });
  await tell(chain, 1, anna.id, bert.id, bert.id, bert.id, anna.id);
  for (const index of [0, 1, 2, 3, 4]) await chain.done(regulator, STEP, step(1, "upheld", index));
  assert.deepEqual(cases(chain).sort(), ["1:1:0", "1:1:2", "1:1:3", "1:1:4"]);
});

test("a violation that is told no more is too old, one that no chain has told is unknown", async () => {
  const chain = newChain({ kept_messages: 2 });
  for (const height of [5, 6, 7, 8]) await tell(chain, height, anna.id);
  assert.equal(await chain.denied(anna, STEP, step(6, "contested")), "too-old");
  assert.equal(await chain.denied(anna, STEP, step(9, "contested")), "unknown-violation");
  await chain.done(anna, STEP, step(7, "contested"));
});

test("whatever is contested and decided, rings keep their bounds, and nothing decided is open again", async () => {
  const move = fc.record({ at: fc.nat(23), state: fc.constantFrom("contested", "upheld", "lifted") });
  await fc.assert(
    fc.asyncProperty(fc.array(move, { minLength: 10, maxLength: 40 }), async (moves) => {
      const chain = newChain({ kept_cases: 5, kept_of_one: 3 });
      const subjects = Array.from({ length: 24 }, (_, at) => `cc0000000000000${(at % 7).toString(16)}`);
      await tell(chain, 1, ...subjects);
      const decided = new Set<number>();
      for (const { at, state } of moves) {
        const who = state === "contested" ? { id: subjects[at]!, role: 2 } : regulator;
        const said = await chain.ask(who, STEP, step(1, state, at));
        const isDone = said.every(({ type }) => type !== "denial");
        if (isDone && state === "contested") assert.ok(!decided.has(at), `${at} is not contested once it is decided`);
        if (isDone && state !== "contested") decided.add(at);
        assert.ok(cases(chain).length <= 10);
        const rings = [...chain.state.keys()]
          .filter((key) => key.includes("/of/"))
          .map((key) => (chain.get(key) as Value[])[1]);
        assert.deepEqual(rings.flat().sort(), cases(chain).sort(), "each case stands in one ring");
        for (const key of [...chain.state.keys()].filter((key) => key.includes("/by/"))) {
          const [, ring, , count, place] = key.split("/");
          const [at, ids] = chain.get(`kept/${ring}/of/${chain.get(key)}`) as [number, string[]];
          assert.deepEqual([ids.length, at], [Number(count), Number(place)], key);
        }
        for (const ring of rings) assert.ok((ring as Value[]).length <= 3);
      }
    }),
    { numRuns: 15 },
  );
});

test("a step in full rings of one case each stays within the budget that the contract is founded with", async (t) => {
  const chain = newChain();
  const subjects = Array.from({ length: 4_096 }, (_, index) => index.toString(16).padStart(16, "0"));
  const kept = subjects.flatMap((subject, index): [string, Value][] => [
    [`case/2:${index}:0`, { state: "upheld", kind: 6, subject, rule: null, steps: [] }],
    [`kept/case/by/1/${index}`, subject],
    [`kept/case/of/${subject}`, [index, [`2:${index}:0`]]],
  ]);
  const entries: readonly [string, Value][] = [...kept, ["kept/case", [subjects.length]]];
  chain.state = new Map(entries.map(([key, value]) => [key, encodeValue(value)]));
  await tell(chain, 1, anna.id);
  await chain.done(regulator, STEP, step(1, "upheld"));
  t.diagnostic(`a step takes ${chain.used} of the budget`);
  assert.ok(chain.used < 60);
  assert.equal(cases(chain).length, subjects.length);
});
