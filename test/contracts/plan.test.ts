// The runs of a block: what they share, how much a contract may keep, and the state that the thread holds from block to block.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { MESSAGE_HOPS_MAX } from "../../src/wire/bounds.js";
import { decodeValue, encodeValue, type Value } from "../../src/wire/value.js";
import { STATE_BYTES_MAX, STATE_KEYS_MAX } from "../../tools/ledger/contract-states.js";
import type { StateView } from "../../tools/ledger/execution.js";
import { MemoryState } from "../../tools/ledger/memory-state.js";
import type { RunResult } from "../../tools/ledger/outcome.js";
import { outcomesAmong } from "../../tools/ledger/postponing.js";
import { BLOCK_CALLS_MAX, kindShare, type RunPlan } from "../../tools/ledger/run-plan.js";
import { updateState } from "../../tools/ledger/state-map.js";
import { openSandbox, type Sandbox } from "../../tools/node/contracts/sandbox.js";

let sandbox: Sandbox;
before(async () => {
  sandbox = await openSandbox();
});
after(() => sandbox.close());

const sourceOf = (body: string) =>
  `export const reads = [], writes = [""]; export function operation(c, o) { ${body} }`;

interface Asked {
  readonly name?: string;
  readonly budget?: number;
  readonly output?: number;
}

/** A block that calls one contract with each argument in turn. */
function planOf(
  state: StateView,
  body: string,
  calls: readonly Value[],
  { name = "a", budget = 1_000, output = kindShare.output }: Asked = {},
): RunPlan {
  return {
    ...{ height: 1, time_s: 0, state },
    contracts: [{ name, source: sourceOf(body), taken: [], limits: { budget, pages: 1_024, output } }],
    calls: calls.map((argument) => ({ contract: 0, entry: "operation", argument, parameters: {}, hops: 0 })),
  };
}

function write(
  state: MemoryState,
  contract: string,
  entries: Iterable<readonly [string, Uint8Array | undefined]>,
): void {
  const writes = new Map([...entries].map(([key, value]) => [`${contract}/${key}`, value] as const));
  state.apply({ writes, state: updateState(state, state.root, writes) });
}

/** Takes over what the runs have written, as a block does. */
function seal(state: MemoryState, contract: string, outcomes: readonly RunResult[]): void {
  const written = new Map(outcomes.flatMap((outcome) => (outcome.type === "done" ? outcome.writes : [])));
  write(
    state,
    contract,
    [...written].map(([key, value]) => [key, value ?? undefined]),
  );
}

const reasons = (results: readonly RunResult[]) =>
  results.map((result) => (result.type === "failed" ? result.reason : result.type));
const kindsOf = (results: readonly RunResult[]) => results.map(({ type }) => type);
const usedOf = (result: RunResult) => ("used" in result ? result.used : 0);
const detailOf = (outcome: RunResult) => (outcome.type === "failed" ? outcome.detail : "");
const one = encodeValue(1);
const numbered = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => [`k/${String(index + from).padStart(6, "0")}`, one] as const);

test("a run finds what those before it in the block have written, and nothing of one that failed", async () => {
  const body = `c.put("n", (c.get("n") ?? 0) + 1); c.put("seen/" + o, c.keys("seen/")); if (o === 2) throw new Error("no");`;
  const outcomes = await sandbox.plan(planOf(new MemoryState(), body, [1, 2, 3]));
  assert.deepEqual(reasons(outcomes), ["done", "threw", "done"]);
  const last = outcomes[2]!;
  assert.deepEqual(last.type === "done" && last.writes, [
    ["n", encodeValue(2)],
    ["seen/3", encodeValue(["seen/1"])],
  ]);
});

test("a run that needs more than is left for its kind is postponed with those behind it, and is as if it had not run", async () => {
  const body = "for (let i = 0; i < o * 1000; i += 1); c.put('n', [...(c.get('n') ?? []), o]);";
  const plan = planOf(new MemoryState(), body, [2_500, 1, 2_500, 1]);
  const [first, second, ...others] = await sandbox.plan(plan);
  assert.deepEqual(kindsOf(others), ["postponed", "postponed"]);
  const alone = await sandbox.plan(planOf(new MemoryState(), body, [2_500, 1]));
  assert.deepEqual([first, second], alone, "what is sealed comes to the same without them");
  const taken = alone.reduce((sum, run) => sum + usedOf(run), 0);
  assert.ok(taken > kindShare.budget / 2 && taken <= kindShare.budget, `${taken} are used`);
  const later = await sandbox.plan(planOf(new MemoryState(), body, [2_500, 1]));
  assert.deepEqual(kindsOf(later), ["done", "done"], "a block later there is room");
});

test("a block that calls as often as it may takes no more than a share a kind, though each run takes all that it gets", async () => {
  const kinds = ["operation", "message", "slot", "due"] as const;
  const calls = kinds.flatMap((kind) => Array<(typeof kinds)[number]>(BLOCK_CALLS_MAX / 4).fill(kind));
  const body = kinds.map((kind) => `export function ${kind}() { for (;;); }`).join("");
  const plan = planOf(new MemoryState(), "", [], { budget: 400 });
  const contracts = [{ ...plan.contracts[0]!, source: `export const reads = [], writes = []; ${body}` }];
  const spinning = (entries: readonly (typeof kinds)[number][]): RunPlan => ({
    ...{ ...plan, contracts },
    calls: entries.map((entry) => ({ contract: 0, entry, argument: null, parameters: {}, hops: 0 })),
  });
  const results = await sandbox.plan(spinning(calls));
  for (const kind of kinds) {
    const own = results.filter((_, index) => calls[index] === kind);
    assert.deepEqual(reasons(own.slice(0, 2)), ["budget", "budget"], `${kind}: two use all of their own`);
    assert.deepEqual(new Set(kindsOf(own.slice(2))), new Set(["postponed"]), `${kind}: the third has too little`);
  }
  await assert.rejects(sandbox.plan(spinning([...calls, "due"])), { code: "ENGINE_FAULT" });
});

test("runs write so many keys, say so much and put out so many bytes for a kind; one that does more alone has failed", async () => {
  const shares = [
    [kindShare.writes, "state", "for (let i = 0; i < o; i += 1) c.put('k/' + i, i);"],
    [kindShare.emissions, "output", "for (let i = 0; i < o; i += 1) c.effect('said', i);"],
    [kindShare.output / 8_000, "output", "for (let i = 0; i < o; i += 1) c.put('k/' + i, 'x'.repeat(8000));"],
  ] as const;
  for (const [share, reason, body] of shares) {
    const most = Math.floor(share);
    const plan = (...calls: readonly number[]) =>
      sandbox.plan(planOf(new MemoryState(), body, calls, { output: kindShare.output }));
    const name = `${reason}: ${body}`;
    assert.deepEqual(reasons(await plan(most - 1, 1)), ["done", "done"], name);
    assert.deepEqual(reasons(await plan(2, most, 1)), ["done", "postponed", "postponed"], name);
    assert.deepEqual(reasons(await plan(most)), ["done"], name);
    assert.deepEqual(reasons(await plan(most + 1, 1)), [reason, "done"], name);
  }
});

test("a run fails by its contract's own limits, whoever went before it in the block", async () => {
  const body = `if (o[0] === "output") for (let i = 0; i < o[1]; i += 1) c.put("k/" + i, "x".repeat(8000));
    if (o[0] === "said") for (let i = 0; i < o[1]; i += 1) c.effect("said", i);
    if (o[0] === "message") c.message(2, "long", "x".repeat(o[1]));
    if (o[0] === "keys") for (let i = 0; i < o[1]; i += 1) c.put("k/" + i, i);`;
  const cases = [
    [["output", 13], "output"],
    [["said", kindShare.emissions + 1], "output"],
    [["message", 16_384], "output"],
    [["keys", kindShare.writes + 1], "state"],
  ] as const;
  for (const [argument, reason] of cases) {
    const plan = (...calls: readonly Value[]) =>
      sandbox.plan(planOf(new MemoryState(), body, calls, { output: 100_000 }));
    const [alone] = await plan(argument);
    const before = [
      ["output", 12],
      ["output", 12],
      ["said", 5],
    ] as const;
    const [, , , behind] = await plan(...before, argument);
    const [why] = reasons([alone!]);
    assert.equal(why, reason, argument[0]);
    assert.deepEqual(behind, alone, `${argument[0]}: it comes to the same behind others`);
  }
});

test("contracts answer each other so often, and one more answer fails the run that says it", async () => {
  const body = `c.effect("heard", 1); if (o) c.message(2, "again", 1);`;
  const at = async (hops: number, answers: boolean) => {
    const plan = planOf(new MemoryState(), body, [answers]);
    const results = await sandbox.plan({ ...plan, calls: plan.calls.map((call) => ({ ...call, hops })) });
    return reasons(results)[0];
  };
  assert.equal(await at(MESSAGE_HOPS_MAX, true), "done");
  assert.equal(await at(MESSAGE_HOPS_MAX + 1, true), "hops");
  assert.equal(await at(MESSAGE_HOPS_MAX + 1, false), "done", "who says nothing further is done");
});

test("a deadline that is named for a time past stands behind those that wait", async () => {
  const body = `c.put("due/past", [3, "a"]); c.put("due/later", [900, "b"]); c.put("k", [3, "c"]);`;
  const plan = planOf(new MemoryState(), body, [null]);
  const [result] = await sandbox.plan({ ...plan, time_s: 700 });
  assert.deepEqual(result?.type === "done" && result.writes.map(([key, value]) => [key, decodeValue(value!)]), [
    ["due/later", [900, "b"]],
    ["due/past", [700, "a"]],
    ["k", [3, "c"]],
  ]);
});

test("what counts is what stays: a key that is written over, or removed, counts as it is left", async () => {
  const body = `for (let i = 0; i < o; i += 1) c.put("k", "x".repeat(8000)); if (o > 50) c.remove("k");`;
  const results = await sandbox.plan(planOf(new MemoryState(), body, [20, 60, 1], { output: 8_010 }));
  assert.deepEqual(reasons(results), ["done", "done", "done"]);
  const grows = "for (let i = 0; i < o; i += 1) c.put('k', 'x'.repeat(1000 * i));";
  const grown = await sandbox.plan(planOf(new MemoryState(), grows, [8, 10], { output: 8_010 }));
  assert.deepEqual(reasons(grown), ["done", "output"]);
});

test("what a run comes to is the same alone and behind any others, where it is not postponed", async () => {
  const body = `for (let i = 0; i < o[0]; i += 1) c.put("k/" + i, "x".repeat(o[1]));
    for (let i = 0; i < o[2]; i += 1) c.effect("said", "x".repeat(o[1])); for (let i = 0; i < o[3]; i += 1);`;
  const asked = fc.tuple(fc.nat(300), fc.nat(900), fc.nat(1_100), fc.nat(6_000_000));
  const runs = fc.array(asked, { minLength: 2, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(runs, fc.constantFrom(60_000, kindShare.output), async (calls, output) => {
      const together = await sandbox.plan(planOf(new MemoryState(), body, calls, { output }));
      for (const [index, result] of together.entries()) {
        if (result.type === "postponed") break;
        const [alone] = await sandbox.plan(planOf(new MemoryState(), body, [calls[index]!], { output }));
        assert.deepEqual(result, alone, `call ${index} of ${JSON.stringify(calls)}`);
      }
    }),
    { numRuns: 8 },
  );
});

test("whatever runs ask for, each is done within so many blocks as there are runs, in the order in which they came", async () => {
  const body = `for (let i = 0; i < o[1]; i += 1) c.put("k/" + o[0] + "/" + i, i);
    for (let i = 0; i < o[2]; i += 1) c.effect("said", [o[0], i]); for (let i = 0; i < o[3]; i += 1);`;
  const asked = fc.tuple(fc.nat(kindShare.writes), fc.nat(kindShare.emissions), fc.nat(5_000_000));
  await fc.assert(
    fc.asyncProperty(fc.array(asked, { minLength: 1, maxLength: 6 }), async (runs) => {
      let waiting = runs.map((run, index) => [index, ...run] as const);
      const sealed: number[] = [];
      for (let block = 0; waiting.length > 0; block += 1) {
        assert.ok(block < runs.length, `${waiting.length} of ${runs.length} wait behind ${block} blocks`);
        const results = await sandbox.plan(planOf(new MemoryState(), body, waiting, { output: kindShare.output }));
        const taken = outcomesAmong(results);
        const again = await sandbox.plan(
          planOf(new MemoryState(), body, waiting.slice(0, taken.length), { output: kindShare.output }),
        );
        assert.deepEqual(again, taken, "a block of those alone comes to the same");
        sealed.push(...waiting.slice(0, taken.length).map(([index]) => index));
        waiting = waiting.slice(taken.length);
      }
      assert.deepEqual(sealed, [...runs.keys()]);
    }),
    { numRuns: 6 },
  );
});

test("a contract keeps so many keys: another one fails, a change does not, and one in place of another does not", async () => {
  const state = new MemoryState();
  write(state, "a", numbered(STATE_KEYS_MAX));
  const body = "if (o === 2) c.remove('k/000001'); c.put(o === 1 ? 'k/000000' : 'other', 2);";
  const outcomes = await sandbox.plan(planOf(state, body, [0, 1, 2]));
  assert.deepEqual(reasons(outcomes), ["state", "done", "done"]);
  assert.match(detailOf(outcomes[0]!), /more than 65536 keys/);
});

test("a contract keeps so many bytes", async () => {
  const state = new MemoryState();
  const value = encodeValue("x".repeat(16_000));
  const entries = Array.from({ length: Math.floor(STATE_BYTES_MAX / (value.length + 3)) }, (_, index) => [
    String(index).padStart(3, "0").slice(-3) + String.fromCharCode(97 + Math.floor(index / 1_000)),
    value,
  ]);
  write(state, "a", entries.slice(0, -1) as [string, Uint8Array][]);
  const body = "for (let i = 0; i < o; i += 1) c.put('z' + i, 'x'.repeat(15000));";
  const outcomes = await sandbox.plan(planOf(state, body, [8, 1]));
  assert.deepEqual(reasons(outcomes), ["state", "done"]);
  assert.match(detailOf(outcomes[0]!), /more than 16777216 bytes/);
});

/** A state that counts how often a contract's whole state is read. */
function counted(state: MemoryState): { readonly view: StateView; readonly read: string[] } {
  const read: string[] = [];
  const view = new Proxy(state as StateView, {
    get(target, name) {
      if (name !== "entriesOf") {
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? value.bind(target) : value;
      }
      return (contract: string) => {
        read.push(contract);
        return target.entriesOf(contract);
      };
    },
  });
  return { view, read };
}

test("a contract's state is read once; afterwards the thread is told what each block has written", async () => {
  const state = new MemoryState();
  write(state, "a", numbered(3_000));
  write(state, "b", numbered(2));
  const { view, read } = counted(state);
  const body =
    "c.put('n', (c.get('n') ?? 0) + 1); c.remove('k/00000' + c.get('n')); c.put('all', c.keys('k/').length);";
  for (let block = 1; block <= 6; block += 1) {
    const name = block === 4 ? "b" : "a";
    const outcomes = await sandbox.plan(planOf(view, body, [null], { name }));
    const anew = await openSandbox();
    assert.deepEqual(outcomes, await anew.plan(planOf(state, body, [null], { name })), `block ${block}`);
    await anew.close();
    seal(state, name, outcomes);
    // Another contract's writes, and a block that does not count.
    write(state, "b", [[`other/${block}`, one]]);
  }
  assert.deepEqual(read, ["a", "b"]);
});

test("a state that the thread has missed too much of is read again", async () => {
  const state = new MemoryState();
  const { view, read } = counted(state);
  const body = "c.put('seen', c.keys('k/').length);";
  const seen = async () => {
    const [outcome] = await sandbox.plan(planOf(view, body, [null], { name: "late" }));
    return outcome?.type === "done" && outcome.writes[0]![1];
  };
  assert.deepEqual(await seen(), encodeValue(0));
  for (let block = 0; block < 20; block += 1) write(state, "late", numbered(1, block));
  assert.deepEqual(await seen(), encodeValue(20));
  assert.deepEqual(read, ["late", "late"]);
});

test("runs that nobody waits for are skipped, and given up with their thread once they have begun", async () => {
  const own = await openSandbox({ unwantedMs: 1 });
  const none = planOf(new MemoryState(), "", [null]);
  assert.deepEqual(reasons(await own.plan(none)), ["done"]);
  const unwanted = [new AbortController(), new AbortController()] as const;
  const long = own.plan(planOf(new MemoryState(), "for (;;);", [null]), unwanted[0].signal);
  const behind = own.plan(none, unwanted[1].signal);
  const wanted = own.plan(none);
  unwanted[1].abort();
  setTimeout(() => unwanted[0].abort(), 20);
  for (const plan of [long, behind]) await assert.rejects(plan, { code: "ENGINE_FAULT", message: /nobody waits/ });
  assert.deepEqual(reasons(await wanted), ["done"]);
  await own.close();
});
