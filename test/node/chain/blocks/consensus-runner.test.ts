import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Effect, Input } from "../../../../tools/consensus/types.js";
import { createRunner } from "../../../../tools/node/chain/blocks/consensus-runner.js";

/** A core that answers each input with the next scripted effects. */
function createScript(script: readonly (readonly Effect[])[]) {
  let position = 0;
  return {
    step(): Effect[] {
      const effects = script[position] ?? [];
      position += 1;
      return [...effects];
    },
    position: () => ({ height: 1, round: 0, step: "propose" as const, voting: true }),
    standing: () => ({ abstention: undefined, claimed: [] }),
    bodyOf: () => undefined,
  };
}

interface Written {
  readonly record: number;
  readonly finish: () => void;
}

function createHarness(script: readonly (readonly Effect[])[], beforeEach = () => {}) {
  const performed: number[] = [];
  const writes: Written[] = [];
  const failures: unknown[] = [];
  const runner = createRunner({
    consensus: createScript(script),
    monotonic_ms: () => 0,
    persist: (record) =>
      new Promise((resolve) => {
        writes.push({ record: record[0]!, finish: resolve });
      }),
    setTimer() {},
    clearTimer() {},
    perform(effect) {
      beforeEach();
      performed.push(effect.type === "build" ? effect.height : -1);
    },
    onFatal: (error) => failures.push(error),
  });
  return { runner, performed, writes, failures };
}

const input: Input = { type: "start" };
const persist = (record: number): Effect => ({ type: "persist", record: Uint8Array.of(record) });
const act = (height: number): Effect => ({ type: "build", height, round: 0 });
const turn = () => new Promise((resolve) => setImmediate(resolve));

test("performs effects before a record at once, and those behind it when it is durable", async () => {
  const { runner, performed, writes } = createHarness([[act(1), persist(1), act(2)]]);
  runner.feed(input);
  assert.deepEqual(performed, [1]);
  writes[0]!.finish();
  await turn();
  assert.deepEqual(performed, [1, 2]);
});

test("holds effects of later steps behind a record that is being written", async () => {
  const { runner, performed, writes } = createHarness([[persist(1), act(1)], [act(2)]]);
  runner.feed(input);
  runner.feed(input);
  assert.deepEqual(performed, []);
  writes[0]!.finish();
  await turn();
  assert.deepEqual(performed, [1, 2]);
});

test("an effect that fails behind a record ends the node in order, as one before it does", async () => {
  for (const script of [[persist(1), act(1)], [act(1)]]) {
    const { runner, writes, failures } = createHarness([script], () => {
      throw new Error("a row is damaged");
    });
    runner.feed(input);
    writes[0]?.finish();
    await turn();
    assert.deepEqual(failures.map(String), ["Error: a row is damaged"]);
  }
});

test("writes records that pile up as one, the newest", async () => {
  const { runner, performed, writes } = createHarness([
    [persist(1), act(1)],
    [persist(2), act(2)],
    [persist(3), act(3)],
  ]);
  for (let step = 0; step < 3; step += 1) runner.feed(input);
  assert.deepEqual(
    writes.map(({ record }) => record),
    [1],
  );
  writes[0]!.finish();
  await turn();
  assert.deepEqual(
    writes.map(({ record }) => record),
    [1, 3],
  );
  writes[1]!.finish();
  await turn();
  assert.deepEqual(performed, [1, 2, 3]);
});

test("performs nothing after a write that failed, and says so", async () => {
  const failures: unknown[] = [];
  const performed: unknown[] = [];
  const runner = createRunner({
    consensus: createScript([[persist(1), act(1)], [act(2)]]),
    monotonic_ms: () => 0,
    persist: () => Promise.reject(new Error("disk is full")),
    setTimer() {},
    clearTimer() {},
    perform: (effect) => performed.push(effect),
    onFatal: (error) => failures.push(error),
  });
  runner.feed(input);
  await turn();
  runner.feed(input);
  assert.equal(failures.length, 1);
  assert.deepEqual(performed, []);
});

test("stops where the core's invariant fails", () => {
  const failures: unknown[] = [];
  const consensus = {
    ...createScript([]),
    step(): Effect[] {
      throw new Error("invariant");
    },
  };
  const runner = createRunner({
    consensus,
    monotonic_ms: () => 0,
    persist: async () => {},
    setTimer() {},
    clearTimer() {},
    perform() {},
    onFatal: (error) => failures.push(error),
  });
  runner.feed(input);
  runner.feed(input);
  assert.equal(failures.length, 1);
});

test("in whatever order steps and writes end: everything is performed, in order, behind its record", async () => {
  const steps = fc.array(fc.array(fc.boolean(), { maxLength: 4 }), { minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(steps, fc.infiniteStream(fc.boolean()), async (shape, coins) => {
      let record = 0;
      let height = 0;
      /** the record that must be durable before each effect */
      const needs = new Map<number, number>();
      const script = shape.map((kinds) =>
        kinds.map((isRecord) => {
          if (isRecord) {
            record += 1;
            return persist(record);
          }
          height += 1;
          needs.set(height, record);
          return act(height);
        }),
      );
      const harness = createHarness(script);
      let durable = 0;
      const finishOne = async () => {
        const write = harness.writes.shift();
        if (write === undefined) return;
        durable = write.record;
        write.finish();
        await turn();
      };
      const check = () => {
        for (const done of harness.performed) assert.ok(needs.get(done)! <= durable);
        assert.deepEqual(
          harness.performed,
          [...harness.performed].sort((left, right) => left - right),
        );
      };
      for (const _ of script) {
        harness.runner.feed(input);
        check();
        if (coins.next().value) await finishOne();
        check();
      }
      while (harness.writes.length > 0) await finishOne();
      assert.equal(harness.performed.length, height);
      assert.deepEqual(harness.failures, []);
    }),
    { numRuns: 100 },
  );
});
