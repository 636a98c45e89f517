// The traps of a JavaScript sandbox: what could differ between machines is not there, what could run
// long is counted, and each failure is a result that leaves the engine fit for the next run.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { decodeValue, type Value } from "../../src/wire/value.js";
import { encodeOutcome, type Failed, type Outcome } from "../../tools/ledger/outcome.js";
import { openSandbox, type Sandbox } from "../../tools/node/contracts/sandbox.js";
import { moduleRun, runOf } from "./runs.js";

let sandbox: Sandbox;
before(async () => {
  sandbox = await openSandbox();
});
after(() => sandbox.close());

async function failure(body: string): Promise<Failed> {
  const outcome = await sandbox.run(runOf(body));
  assert.equal(outcome.type, "failed", body);
  // The engine is unharmed: the next run is as the first.
  assert.deepEqual(await said("say(1)"), 1);
  return outcome as Failed;
}

/** What the body hands to `say`. */
async function said(body: string): Promise<Value> {
  const outcome = await sandbox.run(runOf(`const say = (v) => c.put("w/said", v); ${body}`));
  assert.equal(outcome.type, "done", outcome.type === "failed" ? `${outcome.reason}: ${outcome.detail}` : "");
  return outcome.type === "done" ? decodeValue(outcome.writes[0]![1]!) : null;
}

test("the same run uses the same budget every time, whatever ran before", async () => {
  const runs: Outcome[] = [];
  const body = "let n = 0; for (let i = 0; i < 300000; i += 1) n += i; c.put('w/n', n);";
  for (let turn = 0; turn < 6; turn += 1) {
    runs.push(await sandbox.run(runOf(body)));
    await sandbox.run(runOf("for (let i = 0; i < 12345 * o; i += 1);", { argument: turn }));
  }
  assert.equal(new Set(runs.map((run) => Buffer.from(encodeOutcome(run)).toString("hex"))).size, 1);
  assert.ok(runs[0]!.used > 20, `${runs[0]!.used}`);
});

test("a loop without end uses up the budget, and no more than that is charged", async () => {
  const { reason, used } = await failure("for (;;);");
  assert.deepEqual({ reason, used }, { reason: "budget", used: 1_000 });
});

test("a guest cannot catch the end of its budget", async () => {
  assert.equal((await failure("for (;;) try { for (;;); } catch {}")).reason, "budget");
});

/** Work of the engine's own loops, which no call of the contract interrupts, by what it ends in. */
const loopsOfTheEngine = {
  budget: {
    "a sparse array joined": "const a = []; a.length = 1e9; a.join()",
    "a sparse array as text": "const a = []; a.length = 1e9; String(a)",
    "a sparse array in a set": "const a = []; a.length = 1e9; new Set(a)",
    "a sparse array spread": "const a = []; a.length = 1e9; Math.max(...a)",
    "a sparse array in another, flattened": "const a = []; a.length = 1e9; [a].flat()",
    "a sparse array in another, joined to it": "const a = []; a.length = 1e9; [].concat(a)",
    "a sparse array reversed": "const a = []; a.length = 1e9; a.reverse()",
    "a sparse array sorted": "const a = []; a.length = 4e9; a.sort()",
    "searching an array": "const a = Array.from({ length: 60000 }, (_, i) => i); for (;;) a.indexOf(-1)",
    "moving an array": "const a = Array.from({ length: 60000 }, (_, i) => i); for (;;) a.unshift(a.shift())",
    sorting: "const a = Array.from({ length: 60000 }, (_, i) => -i); for (;;) a.toSorted()",
    "repeating a text": "for (;;) 'ab'.repeat(30000)",
    "repeating a text and catching": "for (;;) try { 'ab'.repeat(30000) } catch {}",
    "searching a text": "const t = 'ab'.repeat(30000); for (;;) t.indexOf('c')",
    "searching a text for a long one": "const t = 'a'.repeat(1e6), p = 'a'.repeat(1e4) + 'b'; t.includes(p)",
    "comparing texts of megabytes": "const t = 'ab'.repeat(1e6), u = 'ab'.repeat(1e6); for (;;) t === u",
    "ordering texts of megabytes": "const t = 'ab'.repeat(1e6), u = 'ab'.repeat(1e6); for (;;) t < u",
    "texts of megabytes in one": "const t = 'ä'.repeat(1e6); for (let i = 0; ; i += 1) (t + i).indexOf('c')",
    "products of wide bigints": "const b = (1n << 500000n) - 1n; for (;;) b * b",
    "division of wide bigints": "const b = (1n << 1000000n) - 1n, d = (1n << 500000n) - 3n; for (;;) b / d",
    "powers of bigints": "for (;;) 3n ** 600000n",
    "shifts of wide bigints": "const b = (1n << 1000000n) - 1n; for (;;) b >> 1n",
    "comparing wide bigints": "const b = (1n << 1000000n) - 1n, d = (1n << 1000000n) - 1n; for (;;) b === d",
    "a wide bigint as text": "String((1n << 1000000n) - 1n)",
    "a long text as a bigint": "for (;;) BigInt('9'.repeat(200000))",
    "remainders of floats": "for (;;) 1.7e308 % 1e-300",
    "filling maps": "for (;;) new Map(Array.from({ length: 1000 }, (_, i) => [i, i]))",
    "keys of an object": "const k = {}; for (let i = 0; i < 50000; i += 1) k['k' + i] = i; for (;;) Object.keys(k)",
    "reading the state by long keys": "const k = 'r/' + 'x'.repeat(60000); for (;;) c.get(k)",
  },
  memory: {
    "a text of two hundred million letters": "'ab'.repeat(1e8).indexOf('c')",
    "a text padded to a hundred million": "'ab'.padStart(1e8).indexOf('c')",
    "an array of a billion": "Array.from({ length: 1e9 })",
    "an array filled": "new Array(1e8).fill(1)",
    "objects that are chained": "let last = null; for (;;) last = { last }",
    "a map that grows": "const m = new Map(); for (let i = 0; ; i += 1) m.set(i, i)",
    "functions that are kept": "const a = []; for (let i = 0; ; i += 1) a.push(() => i)",
  },
} as const;

for (const [reason, bodies] of Object.entries(loopsOfTheEngine)) {
  for (const [what, body] of Object.entries(bodies)) {
    test(`${what}: the engine's own loop ends with the ${reason}`, async () => {
      assert.equal((await failure(body)).reason, reason);
    });
  }
}

test("a wide bigint's product costs by its width", async () => {
  const used = async (bits: number) => {
    const body = `const b = (1n << ${bits}n) - 1n; for (let i = 0; i < 10; i += 1) b * b;`;
    return (await sandbox.run(runOf(body))).used;
  };
  const [narrow, wide] = [await used(20_000), await used(80_000)];
  assert.ok(narrow > 0 && wide > 12 * narrow && wide < 20 * narrow, `${narrow} and ${wide}`);
});

test("reading and compiling the source is charged to the budget", async () => {
  const source = `export const reads = [], writes = []; export function operation() {}\n${"x: {}\n".repeat(9_000)}`;
  const outcome = await sandbox.run(moduleRun(source));
  assert.ok(outcome.type === "done" && outcome.used > 5, JSON.stringify(outcome));
});

test("regular expressions are not there, neither as syntax nor by name", async () => {
  assert.equal((await failure("/(a+)+$/.test('aaaaaaaaaaaaaaaaaaaaaaaaab')")).type, "failed");
  assert.deepEqual(await said("say([typeof RegExp, typeof 'a'.match, typeof 'a'.search, typeof 'a'.matchAll])"), [
    "undefined",
    "undefined",
    "undefined",
    "undefined",
  ]);
});

test("recursion meets the guest's stack limit, which the guest may catch, at the same depth every time", async () => {
  assert.equal((await failure("const f = () => f() + 1; f()")).reason, "threw");
  const depth = "let n = 0; const f = () => { n += 1; f(); }; try { f(); } catch (e) { say(n); }";
  const depths = [await said(depth), await said(depth)];
  assert.ok(Number(depths[0]) > 100);
  assert.equal(depths[0], depths[1]);
});

for (const [what, body] of [
  ["arrays in arrays, flattened", "let a = []; for (let i = 0; i < 100000; i += 1) a = [a]; a.flat(Infinity)"],
  ["arrays in arrays as text", "let a = []; for (let i = 0; i < 100000; i += 1) a = [a]; String(a)"],
  ["sorting within sorting", "const f = () => [1, 2].sort(() => f()); f()"],
  ["a text of itself", "const k = { toString() { return '' + k; } }; String(k)"],
  ["a getter of itself", "const k = { get a() { return this.a; } }; k.a"],
  ["calls of the host, ever deeper", "const f = () => { c.get('w/x'); f(); }; f()"],
] as const) {
  test(`built-ins that call each other without end meet the guest's stack limit, not the machine's: ${what}`, async () => {
    const { reason, detail } = await failure(body);
    assert.equal(reason, "threw");
    assert.match(detail, /^RangeError: /);
  });
}

test("a source nested by ten thousand brackets is a failed run, not the end of the thread", async () => {
  const nested = "(".repeat(30_000) + ")".repeat(30_000);
  const outcome = await sandbox.run(moduleRun(`export const operation = () => { ${nested} };`));
  assert.equal(outcome.type, "failed");
  assert.equal(outcome.type === "failed" && outcome.reason, "source");
});

test("values nested without end are refused on their way out", async () => {
  assert.equal(
    (await failure("let v = 1; for (let i = 0; i < 100000; i += 1) v = [v]; c.put('w/v', v)")).reason,
    "value",
  );
  assert.equal((await failure("const v = []; v.push(v); c.put('w/v', v)")).reason, "value");
});

for (const [what, body] of [
  ["many arrays", "const a = []; for (;;) a.push(new Array(1000).fill(0))"],
  [
    "objects that the guest would catch",
    "const a = []; for (;;) try { for (;;) a.push({}) } catch { c.put('w/caught', 1) }",
  ],
] as const) {
  test(`memory ends a run that makes ${what}, and the guest does not see where`, async () => {
    assert.equal((await failure(body)).reason, "memory");
  });
}

test("texts of ten megabytes end a run with little memory as its memory's end", async () => {
  const limits = { budget: 1_000, pages: 64, output: 0 };
  const body =
    "const a = []; for (;;) { let t = ''; for (let i = 0; i < 170; i += 1) t += 'ab'.repeat(30000); a.push(t); t.indexOf('c'); }";
  const outcome = await sandbox.run(runOf(body, { limits }));
  assert.equal(outcome.type === "failed" && outcome.reason, "memory");
});

test("locale and its order are not there; sorting goes by code units and is stable", async () => {
  const names = [
    "'ä'.localeCompare",
    "(1).toLocaleString",
    "[].toLocaleString",
    "'a'.toLocaleUpperCase",
    "'a'.normalize",
  ];
  assert.deepEqual(
    await said(`say([${names.map((name) => `typeof ${name}`)}, typeof Intl])`),
    Array(6).fill("undefined"),
  );
  assert.deepEqual(await said("say(['ä', 'z', 'a', 'Z'].sort())"), ["Z", "a", "z", "ä"]);
});

test("random numbers, transcendental functions, clock and collector are not there", async () => {
  const names = ["Math.random", "Math.exp", "Math.sin", "Math.pow", "Math.sqrt", "Date", "performance", "WeakRef"];
  names.push("FinalizationRegistry", "WeakMap", "Promise", "queueMicrotask", "Proxy", "Reflect", "JSON", "Atomics");
  names.push("SharedArrayBuffer", "Uint8Array", "console", "setTimeout", "fetch", "process", "require", "parseFloat");
  assert.deepEqual(
    await said(`say([${names.map((name) => `typeof ${name}`)}])`),
    names.map(() => "undefined"),
  );
});

test("text is never evaluated: neither eval nor any function's constructor", async () => {
  const kinds = ["function () {}", "function* () {}", "async function () {}", "async function* () {}", "() => 1"];
  for (const kind of [...kinds, "c.put", "[].map", "Array"]) {
    assert.match((await failure(`(${kind}).constructor("return 1")()`)).detail, /Function is not there/, kind);
  }
  assert.deepEqual(
    await said("say([typeof eval, typeof Function, typeof globalThis.eval])"),
    Array(3).fill("undefined"),
  );
});

test("what a contract finds cannot be changed: neither prototypes nor names", async () => {
  for (const change of [
    "Array.prototype.map = 1",
    "Object.prototype.x = 1",
    "globalThis.Map = 1",
    "String.prototype.repeat = 1",
    "Math.floor = 1",
    "c.put = 1",
    "Object.freeze = 1",
    "[][Symbol.iterator]().constructor.prototype.x = 1",
  ]) {
    assert.equal((await failure(change)).reason, "threw", change);
  }
});

test("an object's prototype is not reached by a key", async () => {
  assert.deepEqual(await said("const v = {}; v['__proto__'] = { a: 1 }; say([v.a === undefined, v])"), [
    true,
    { ["__proto__"]: { a: 1 } },
  ]);
});

test("an error shows no stack, neither the engine's nor the machine's", async () => {
  const stacks =
    "try { c.put('r/x', 1) } catch (e) { throw new Error([e.stack, new Error('a').stack].join('|') + '#' + e.message) }";
  const outcome = await sandbox.run(runOf(stacks));
  assert.equal(outcome.type === "failed" && outcome.reason, "state");
  const shown = "try { c.get('x') } catch (e) { c.put('w/' + typeof e.stack + ' ' + e.message, 1) }";
  assert.equal((await sandbox.run(runOf(shown))).type, "failed");
  assert.deepEqual(await said("try { null.x } catch (e) { say([typeof e.stack, typeof new Error('a').stack]) }"), [
    "undefined",
    "undefined",
  ]);
});

test("an error of the author's own kind has its name", async () => {
  const own = "class Refused extends Error { constructor(m) { super(m); this.name = 'Refused'; } }";
  assert.match((await failure(`${own} throw new Refused('no')`)).detail, /^Refused: no$/);
});

for (const [what, value] of [
  ["a float", "0.1 + 0.2"],
  ["NaN", "0 / 0"],
  ["an integer beyond 2^53 as a number", "2 ** 53"],
  ["an integer of more than 64 bits", "2n ** 63n"],
  ["undefined", "undefined"],
  ["a function", "() => 1"],
  ["a hole", "[, 1]"],
  ["a symbol", "Symbol.iterator"],
  ["an object of a class", "new Map()"],
  ["half a character", "'\\ud800'"],
] as const) {
  test(`${what} is not put out, though the guest catches the error`, async () => {
    const { reason } = await failure(`try { c.put("w/v", ${value}) } catch {} c.put("w/v", 1)`);
    assert.equal(reason, "value");
  });
}

test("what a getter or toJSON would slip in is looked at like anything else", async () => {
  assert.deepEqual(await said("say({ get a() { return 3; } })"), { a: 3 });
  assert.equal((await failure("c.put('w/v', { toJSON: () => 1 })")).reason, "value");
});

test("properties have one order in what is put out, integer-like keys among them", async () => {
  const one = await sandbox.run(runOf("c.put('w/v', { b: 1, 10: 2, 9: 3, a: 4 })"));
  const other = await sandbox.run(runOf("c.put('w/v', { a: 4, 9: 3, 10: 2, b: 1 })"));
  assert.deepEqual(encodeOutcome(one), encodeOutcome(other));
});

test("an async function has failed, and its promise's work is never done", async () => {
  const module = 'export const reads = []; export const writes = ["w/"];';
  const outcome = await sandbox.run(
    moduleRun(`${module} export async function operation(c) { await 1; c.put("w/late", 1); }`),
  );
  assert.equal(outcome.type === "failed" && outcome.reason, "returned");
  const hidden = await sandbox.run(runOf("(async () => { await 1; c.put('w/late', 1); })();"));
  assert.deepEqual(hidden.type === "done" && hidden.writes, []);
});

test("a module stands alone, does not wait, and exports what it declares", async () => {
  const reasons: Record<string, string> = {
    'import "node:fs"; export const reads = [], writes = [];': "source",
    "export const reads = [": "source",
    "await 1; export const reads = [], writes = [];": "source",
    'throw new Error("at once");': "threw",
    "export const writes = [];": "shape",
    "export const reads = [1], writes = [];": "shape",
    "export const reads = [], writes = [];": "shape",
    [`// ${"x".repeat(65_536)}`]: "source",
  };
  for (const [source, reason] of Object.entries(reasons)) {
    const outcome = await sandbox.run(moduleRun(source));
    assert.equal(outcome.type === "failed" && outcome.reason, reason, source.slice(0, 60));
  }
});

test("a thread that takes too long is the machine's fault, never an outcome, and the next run is good", async () => {
  const hasty = await openSandbox({ runMs: 1 });
  const long = runOf("for (;;);", { limits: { budget: 1_000, pages: 256, output: 0 } });
  await assert.rejects(hasty.run(long), { code: "ENGINE_FAULT", message: "a contract ran for more than 1 ms" });
  await hasty.close();
  assert.equal((await sandbox.run(runOf(""))).type, "done");
});

test("a run that is cut off by closing is a fault, not an outcome", async () => {
  const closed = await openSandbox();
  const run = closed.run(runOf("for (;;);"));
  const rejected = assert.rejects(run, { code: "ENGINE_FAULT", message: "the sandbox was closed" });
  await closed.close();
  await rejected;
});
