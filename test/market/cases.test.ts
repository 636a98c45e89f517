// The cases contract in the engine that nodes run it in: who has many cases lets go of his own, and what has gone is not opened again.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { encodeValue, type Value } from "../../src/wire/value.js";
import { effects, openChains, type Signer, type TestChain } from "./chain.js";

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
const step = ({ id: subject }: { readonly id: string }, height: number, state: string, index = 0) => ({
  violation: `1:${height}:${index}`,
  ...{ subject, state, reason: "" },
});
const cases = (chain: TestChain) =>
  [...chain.state.keys()].filter((key) => key.startsWith("case/")).map((key) => key.slice(5));

/** Names of violations that are told and have no case, of one subject or of all. */
const said = (chain: TestChain, subject = "") =>
  [...chain.state.keys()]
    .filter((key) => key.startsWith(`said/${subject}`))
    .flatMap((key) => (chain.get(key) as readonly Value[][]).map(([id]) => String(id)));

test("who contests much presses out no case of others, nor one that was decided against him", async () => {
  const chain = newChain({ kept_cases: 3 });
  await tell(chain, 1, anna.id);
  for (let height = 2; height < 9; height += 1) await tell(chain, height, bert.id);
  await chain.done(regulator, STEP, step(anna, 1, "lifted"));
  await chain.done(bert, STEP, step(bert, 2, "contested"));
  await chain.done(regulator, STEP, step(bert, 2, "upheld"));
  for (let height = 3; height < 9; height += 1) await chain.done(bert, STEP, step(bert, height, "contested"));
  assert.equal(await chain.denied(bert, STEP, step(bert, 2, "contested")), "not-from-there");
  assert.equal(await chain.denied(regulator, STEP, step(anna, 1, "upheld")), "not-from-there");
  assert.deepEqual(cases(chain).sort(), ["1:1:0", "1:2:0", "1:6:0", "1:7:0", "1:8:0"]);
});

test("a case that has gone is said to have lapsed, and never open again", async () => {
  const chain = newChain({ kept_cases: 10, kept_of_one: 2 });
  await tell(chain, 1, bert.id, bert.id, bert.id, anna.id);
  const told = [];
  for (const index of [0, 1, 2]) told.push(...(await chain.done(bert, STEP, step(bert, 1, "contested", index))));
  assert.deepEqual(effects(told, "lapsed"), [{ violations: ["1:1:0"] }]);
  for (const who of [bert, regulator]) {
    const to = who === bert ? "contested" : "upheld";
    assert.equal(await chain.denied(who, STEP, step(bert, 1, to, 0)), "not-kept");
  }
  await chain.done(anna, STEP, step(anna, 1, "contested", 3));
  assert.equal(await chain.denied(bert, STEP, step(bert, 1, "contested", 4)), "not-kept");
  assert.equal(await chain.denied(bert, STEP, step(bert, 2, "contested")), "unknown-violation");
});

test("the case that goes for another one is the oldest of the subject that has most", async () => {
  const chain = newChain({ kept_cases: 4 });
  const subjects = [anna, bert, bert, bert, anna];
  await tell(chain, 1, ...subjects.map(({ id }) => id));
  for (const [index, subject] of subjects.entries())
    await chain.done(regulator, STEP, step(subject, 1, "upheld", index));
  assert.deepEqual(cases(chain).sort(), ["1:1:0", "1:1:2", "1:1:3", "1:1:4"]);
});

test("who has thousands of violations presses out none of another one's, and keeps his newest", async () => {
  const chain = newChain({ kept_rows: 500 });
  await tell(chain, 1, anna.id);
  const lapsed: string[] = [];
  for (let height = 2; height <= 41; height += 1) {
    const told = await tell(chain, height, ...Array.from({ length: 100 }, () => bert.id));
    for (const { violations } of effects<{ violations: readonly string[] }>(told, "lapsed")) lapsed.push(...violations);
  }
  const kept = said(chain, bert.id);
  assert.ok(kept.length >= 40, `${kept.length} of his own are kept`);
  assert.equal(kept.at(-1), "1:41:99");
  assert.equal(lapsed.length + kept.length, 4_000, "what is not kept is said to have lapsed");
  assert.equal(await chain.denied(bert, STEP, step(bert, 2, "contested")), "not-kept");
  await chain.done(anna, STEP, step(anna, 1, "contested"));
  await chain.done(bert, STEP, step(bert, 41, "contested", 99));
});

test("where too many are told of, those go of whom was told first", async () => {
  const chain = newChain({ kept_subjects: 300 });
  const subjects = (from: number) =>
    Array.from({ length: 70 }, (_, index) => (from * 70 + index).toString(16).padStart(16, "0"));
  const told = [];
  for (let height = 0; height < 5; height += 1) told.push(...(await tell(chain, height + 1, ...subjects(height))));
  const [gone, ...others] = effects<{ subjects: readonly string[] }>(told, "lapsed");
  assert.deepEqual(gone?.subjects, [...subjects(0), ...subjects(1).slice(0, 30)]);
  assert.equal(others.length, 0);
  assert.equal(said(chain).length, 250);
  await tell(chain, 6, subjects(0)[0]!);
  assert.deepEqual(said(chain, subjects(0)[0]), ["1:6:0"], "who is told of anew is kept anew");
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
        const outcome = await chain.ask(who, STEP, step({ id: subjects[at]! }, 1, state, at));
        const isDone = outcome.every(({ type }) => type !== "denial");
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
  await chain.done(regulator, STEP, step(anna, 1, "upheld"));
  t.diagnostic(`a step takes ${chain.used} of the budget`);
  assert.ok(chain.used < 60);
  assert.equal(cases(chain).length, subjects.length);
});

test("a message against a hundred subjects that have all they may have stays within what the contract may take", async (t) => {
  const chain = newChain({ kept_rows: 32_768 });
  const rule = `${"c".repeat(32)}/${"n".repeat(64)}`;
  const rows = Array.from({ length: 100 }, (_, index): Value => [6, index.toString(16).padStart(16, "f"), null, rule]);
  const place = { service: 65_535, contract: null, name: "violation", time_s: chain.time_s };
  let height = 2 ** 43 - 100;
  for (let count = 0; count < 20; count += 1) {
    height += 1;
    await chain.run("message", { ...place, number: count, height, body: [999_900, rows] });
  }
  const others = Array.from({ length: 32_700 }, (_, index) => index.toString(16).padStart(16, "0"));
  const [oldest, newest, count] = chain.get("kept/said") as [number, number, number];
  assert.deepEqual([oldest, newest], [0, 0]);
  chain.state = new Map([
    ...chain.state,
    ["kept/said/0", encodeValue(others.slice(0, 100))],
    ["kept/said/1", chain.state.get("kept/said/0")!],
    ...others
      .slice(0, 100)
      .map((subject): [string, Uint8Array] => [`said/${subject}`, encodeValue([["1:1:1", 1, 0, null]])]),
    ["kept/said", encodeValue([0, 1, count + others.length])],
  ]);
  const said = await chain.run("message", { ...place, number: 20, height: height + 1, body: [999_900, rows] });
  assert.equal(effects<{ subjects?: Value[] }>(said, "lapsed").find(({ subjects }) => subjects)?.subjects?.length, 100);
  t.diagnostic(`the message takes ${chain.used} of the budget`);
  assert.ok(chain.used < 250);
});
