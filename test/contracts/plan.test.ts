// The runs of a block: what they share, how much a contract may keep, and the state that the thread holds from block to block.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { encodeValue, type Value } from "../../src/wire/value.js";
import { STATE_BYTES_MAX, STATE_KEYS_MAX } from "../../tools/ledger/contract-states.js";
import type { StateView } from "../../tools/ledger/execution.js";
import { MemoryState } from "../../tools/ledger/memory-state.js";
import type { Outcome } from "../../tools/ledger/outcome.js";
import {
  BLOCK_BUDGET,
  BLOCK_CALLS_MAX,
  BLOCK_WRITES_MAX,
  type RunPlan,
  runShare,
} from "../../tools/ledger/run-plan.js";
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
}

/** A block that calls one contract with each argument in turn. */
function planOf(
  state: StateView,
  body: string,
  calls: readonly Value[],
  { name = "a", budget = 2_000 }: Asked = {},
): RunPlan {
  return {
    ...{ height: 1, time_s: 0, state },
    contracts: [{ name, source: sourceOf(body), taken: [], limits: { budget, pages: 1_024, output: 1_048_576 } }],
    calls: calls.map((argument) => ({ contract: 0, entry: "operation", argument, parameters: {} })),
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
function seal(state: MemoryState, contract: string, outcomes: readonly Outcome[]): void {
  const written = new Map(outcomes.flatMap((outcome) => (outcome.type === "done" ? outcome.writes : [])));
  write(
    state,
    contract,
    [...written].map(([key, value]) => [key, value ?? undefined]),
  );
}

const reasons = (outcomes: readonly Outcome[]) =>
  outcomes.map((outcome) => (outcome.type === "done" ? "done" : outcome.reason));
const detailOf = (outcome: Outcome) => (outcome.type === "failed" ? outcome.detail : "");
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

test("a block that calls as often as it may leaves each run its share, though each takes all that it gets", async () => {
  const calls = Array.from({ length: BLOCK_CALLS_MAX }, (_, index) => index);
  const outcomes = await sandbox.plan(planOf(new MemoryState(), "for (;;);", calls));
  assert.ok(
    outcomes.every(({ type }) => type === "failed"),
    "each has used it up",
  );
  const used = outcomes.map((outcome) => outcome.used);
  assert.equal(used[0], BLOCK_BUDGET - runShare.budget * (BLOCK_CALLS_MAX - 1));
  assert.deepEqual(new Set(used.slice(1)), new Set([runShare.budget]));
  await assert.rejects(sandbox.plan(planOf(new MemoryState(), "", [...calls, 0])), { code: "ENGINE_FAULT" });
});

test("a block's runs write so many keys together, and a run that finds too few left has failed", async () => {
  const body = "for (let i = 0; i < o; i += 1) c.put('k/' + i, i);";
  const plan = planOf(new MemoryState(), body, [BLOCK_WRITES_MAX - runShare.writes, runShare.writes, 1]);
  assert.deepEqual(reasons(await sandbox.plan(plan)), ["state", "done", "done"]);
  const alone = planOf(new MemoryState(), body, [BLOCK_WRITES_MAX]);
  assert.deepEqual(reasons(await sandbox.plan(alone)), ["done"]);
  const more = planOf(new MemoryState(), body, [BLOCK_WRITES_MAX + 1]);
  assert.deepEqual(reasons(await sandbox.plan(more)), ["state"]);
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
