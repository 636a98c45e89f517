// Runs of a height: asked for once, run again after a fault, given up where they hold others up, forgotten when the height is over.

import assert from "node:assert/strict";
import { test } from "node:test";
import { GridsealError } from "../../../../tools/errors.js";
import type { BlockInputs } from "../../../../tools/ledger/compose.js";
import { MemoryState } from "../../../../tools/ledger/memory-state.js";
import type { Outcome } from "../../../../tools/ledger/outcome.js";
import { BLOCK_CALLS_MAX, type RunPlan } from "../../../../tools/ledger/run-plan.js";
import { createContractRuns } from "../../../../tools/node/chain/blocks/contract-runs.js";
import type { ChainPorts } from "../../../../tools/node/chain/ports.js";

const plan: RunPlan = { height: 1, time_s: 0, contracts: [], calls: [], state: new MemoryState() };
const done: Outcome = { type: "done", used: 0, writes: [], emissions: [] };
const inputsOf = (time_ms: number): BlockInputs => ({ batches: [], anchors: [], time_ms, judgedAt: 0, calls: 32 });
const settled = () => new Promise((resolve) => setImmediate(resolve));

function machine() {
  const timers = new Map<string, { readonly at_ms: number; readonly callback: () => void }>();
  const asked: { readonly unwanted: AbortSignal; resolve(): void; reject(): void }[] = [];
  const seen = { now_ms: 0, ready: 0, faults: 0 };
  const ports = {
    runContracts: (_plan: RunPlan, unwanted: AbortSignal) =>
      new Promise<readonly Outcome[]>((resolve, reject) => {
        const fault = new GridsealError("ENGINE_FAULT", "the thread of contracts ended");
        asked.push({ unwanted, resolve: () => resolve([done]), reject: () => reject(fault) });
      }),
    onRunFault: () => {
      seen.faults += 1;
    },
    monotonic_ms: () => seen.now_ms,
    setTimer: (name: string, delay_ms: number, callback: () => void) =>
      timers.set(name, { at_ms: seen.now_ms + delay_ms, callback }),
    clearTimer: (name: string) => timers.delete(name),
    log: { error() {} },
  } as unknown as ChainPorts;
  const runs = createContractRuns(ports, () => {
    seen.ready += 1;
  });
  const pass = (ms: number) => {
    seen.now_ms += ms;
    for (const [name, { at_ms, callback }] of [...timers]) {
      if (at_ms > seen.now_ms) continue;
      timers.delete(name);
      callback();
    }
  };
  return { runs, asked, seen, pass };
}

test("a block's contracts run once, however often they are asked for", async () => {
  const { runs, asked, seen } = machine();
  assert.equal(runs.outcomesOf(inputsOf(1), plan), undefined);
  assert.equal(runs.outcomesOf(inputsOf(1), plan), undefined);
  assert.equal(asked.length, 1);
  asked[0]!.resolve();
  await settled();
  assert.equal(seen.ready, 1);
  assert.deepEqual(runs.outcomesOf(inputsOf(1), plan), [done]);
  assert.equal(asked.length, 1);
});

test("after a fault of the machine they run again, a while later", async () => {
  const { runs, asked, seen, pass } = machine();
  runs.outcomesOf(inputsOf(1), plan);
  asked[0]!.reject();
  await settled();
  assert.deepEqual([seen.faults, seen.ready], [1, 0]);
  pass(1_000);
  assert.equal(seen.ready, 1);
  runs.outcomesOf(inputsOf(1), plan);
  assert.equal(asked.length, 2);
});

test("a thread that is lost takes all runs with it: each of them runs again", async () => {
  const { runs, asked, pass } = machine();
  for (const time_ms of [1, 2]) runs.outcomesOf(inputsOf(time_ms), plan);
  for (const { reject } of [...asked]) reject();
  await settled();
  pass(1_000);
  for (const time_ms of [1, 2]) runs.outcomesOf(inputsOf(time_ms), plan);
  assert.equal(asked.length, 4);
});

test("those that hold others up are given up, each time with more patience", async () => {
  const { runs, asked, seen, pass } = machine();
  runs.outcomesOf(inputsOf(1), plan);
  pass(60_000);
  assert.equal(asked[0]!.unwanted.aborted, false, "nobody else waits");
  runs.outcomesOf(inputsOf(2), plan);
  runs.outcomesOf(inputsOf(3), plan);
  pass(4_999);
  assert.equal(asked[0]!.unwanted.aborted, false);
  pass(1);
  assert.deepEqual(
    asked.map(({ unwanted }) => unwanted.aborted),
    [true, false, false],
  );
  assert.equal(seen.ready, 1);
  assert.equal(runs.outcomesOf(inputsOf(1), plan), undefined);
  assert.equal(asked.length, 3, "what is given up runs no more at this height");
  pass(9_999);
  assert.equal(asked[1]!.unwanted.aborted, false);
  pass(1);
  assert.deepEqual(
    asked.map(({ unwanted }) => unwanted.aborted),
    [true, true, false],
  );
  asked[2]!.resolve();
  await settled();
  assert.deepEqual(runs.outcomesOf(inputsOf(3), plan), [done]);
});

test("a block that is being built is given up where its contracts take too long", () => {
  const { runs, asked, pass } = machine();
  runs.outcomesOf(inputsOf(1), plan);
  pass(5_000);
  assert.equal(runs.givesUp(inputsOf(1)), false);
  pass(1);
  assert.equal(runs.givesUp(inputsOf(1)), true);
  assert.equal(asked[0]!.unwanted.aborted, true);
  assert.equal(runs.givesUp(inputsOf(2)), false);
});

test("what takes long, or is given up, leaves less to call for in the next proposal", async () => {
  const { runs, asked, pass } = machine();
  const called = { ...plan, calls: Array.from({ length: 64 }) as RunPlan["calls"] };
  runs.outcomesOf(inputsOf(1), called);
  pass(60_000);
  assert.equal(runs.pace.callsIn(0), BLOCK_CALLS_MAX, "nothing is known yet");
  runs.letGo(inputsOf(1));
  runs.letGo(inputsOf(1));
  assert.equal(asked[0]!.unwanted.aborted, true);
  assert.equal(runs.pace.callsIn(0), 4, "a second each");
});

test("a block that orders have outdated is let go without a fault, and its runs are begun anew where it is asked for", async () => {
  const { runs, asked, seen, pass } = machine();
  const called = { ...plan, calls: Array.from({ length: 64 }) as RunPlan["calls"] };
  runs.outcomesOf(inputsOf(1), called);
  pass(5_000);
  runs.letGo(inputsOf(1));
  asked[0]!.reject();
  await settled();
  assert.equal(asked[0]!.unwanted.aborted, true);
  assert.equal(seen.faults, 0);
  assert.equal(runs.pace.callsIn(0), BLOCK_CALLS_MAX, "nothing is known of what was cut short");
  assert.equal(runs.outcomesOf(inputsOf(1), called), undefined);
  assert.equal(asked.length, 2);
  pass(5_001);
  runs.letGo(inputsOf(1));
  assert.equal(seen.faults, 1, "it had no more patience than before");
});

test("those that wait for others are the quicker for it: their own time counts", async () => {
  const { runs, asked, pass } = machine();
  const called = { ...plan, calls: Array.from({ length: 10 }) as RunPlan["calls"] };
  for (const time_ms of [1, 2]) runs.outcomesOf(inputsOf(time_ms), called);
  pass(1_250);
  asked[0]!.resolve();
  await settled();
  assert.equal(runs.pace.callsIn(0), 40, "100 ms a call");
  pass(1_250);
  asked[1]!.resolve();
  await settled();
  assert.equal(runs.pace.callsIn(0), 40);
});

test("when the height is over nobody waits for its runs, and what they come to is not taken", async () => {
  const { runs, asked, seen } = machine();
  runs.outcomesOf(inputsOf(1), plan);
  runs.clear();
  assert.equal(asked[0]!.unwanted.aborted, true);
  asked[0]!.resolve();
  await settled();
  assert.equal(seen.ready, 0);
  runs.outcomesOf(inputsOf(1), plan);
  asked[1]!.reject();
  runs.clear();
  await settled();
  assert.deepEqual([seen.ready, seen.faults], [0, 0]);
});

test("runs that end as the node stops are no fault, and nothing is asked for again", async () => {
  const { runs, asked, seen, pass } = machine();
  runs.outcomesOf(inputsOf(1), plan);
  runs.clear();
  assert.equal(asked[0]!.unwanted.aborted, true, "its thread need not come to the end");
  asked[0]!.reject();
  await settled();
  pass(60_000);
  assert.deepEqual([seen.faults, seen.ready], [0, 0]);
});

test("more blocks of a height than are kept make the oldest give way", () => {
  const { runs, asked } = machine();
  for (let time_ms = 1; time_ms <= 9; time_ms += 1) runs.outcomesOf(inputsOf(time_ms), plan);
  assert.deepEqual(asked.map(({ unwanted }) => unwanted.aborted).slice(0, 2), [true, false]);
});

test("what runs have taken is remembered, the less the longer ago", async () => {
  const { runs, asked, pass } = machine();
  for (const [block, ms] of [1_000, 10, 10].entries()) {
    runs.outcomesOf(inputsOf(block), plan);
    pass(ms);
    asked[block]!.resolve();
    await settled();
  }
  assert.equal(runs.lately_ms, 810);
});

test("the engine is started once, before anything runs, and that it cannot be is no fault yet", async () => {
  const { runs, asked, seen } = machine();
  runs.prepare(plan.state);
  runs.prepare(plan.state);
  assert.equal(asked.length, 1);
  asked[0]!.reject();
  await settled();
  assert.deepEqual([seen.ready, seen.faults], [0, 0]);
});
