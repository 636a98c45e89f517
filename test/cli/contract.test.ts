// The commands for authors of contracts: what `new` makes is good, `test` tells what differs, `lint`
// finds each trap at its line.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { lintSource } from "../../tools/cli/contract/rules.js";
import { command } from "./command.js";

let folder: string;
let source: string;
let vectors: string;

function run(...parameters: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [command, "contract", ...parameters], {
    cwd: folder,
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "gridseal-contract-"));
  source = join(folder, "limits/limits.ts");
  vectors = join(folder, "limits/limits.vectors.json");
  assert.equal(run("new", "limits").status, 0);
});
after(() => rm(folder, { recursive: true }));

test("what new makes passes lint and its vectors, and is not made twice", () => {
  assert.match(run("lint", source).stdout, /is good: \d+ bytes, [0-9a-f]{64}\n$/);
  const tried = run("test", source, "--json");
  assert.equal(tried.status, 0, tried.stderr);
  const { vectors: results } = JSON.parse(tried.stdout);
  assert.deepEqual(
    results.map(({ verdict }: { verdict: string }) => verdict),
    ["good", "good"],
  );
  assert.match(run("new", "limits").stderr, /^gridseal: .*limits/);
});

test("test names the vector that differs, with what came instead", async () => {
  const text = await readFile(vectors, "utf8");
  await writeFile(vectors, text.replace('"asked": 1', '"asked": 2'));
  try {
    const { status, stdout, stderr } = run("test", source);
    assert.equal(status, 1);
    assert.match(stdout, /expected .*"asked":2.*\n {2}came to .*"asked":1/);
    assert.match(stderr, /vector "counts the first" comes to something else/);
  } finally {
    await writeFile(vectors, text);
  }
});

test("test shows why a run failed, and takes a failure that is expected", async () => {
  const path = join(folder, "loop.ts");
  await writeFile(path, "export const reads = [], writes = [];\nexport function operation() { for (;;); }\n");
  await writeFile(
    join(folder, "loop.vectors.json"),
    JSON.stringify([{ name: "ends", limits: { budget: 9 }, expect: { failed: "budget" } }]),
  );
  const { status, stdout } = run("test", path);
  assert.equal(status, 0);
  assert.match(stdout, /ends +good +budget +9/);
});

test("files that are no contract or no vectors are refused with what is wrong with them", async () => {
  const path = join(folder, "bad.ts");
  await writeFile(path, "export const reads = [");
  assert.match(run("lint", path).stderr, /cannot be made one module/);
  await writeFile(path, `export const reads = ["${"x".repeat(70_000)}"];`);
  assert.match(run("lint", path).stderr, /as one module, more than 65536/);
  for (const [text, what] of [
    ["{}", /no list of vectors/],
    ['[{"name":"a","argument":1.5}]', /1.5 is no integer/],
    ['[{"name":"a","entry":"other"}]', /entry is none of/],
    ['[{"name":"a","limits":{"budget":0}}]', /budget is not from 1/],
    ["[1]", /vector 1 is no object/],
  ] as const) {
    await writeFile(vectors.replace("limits.vectors", "other.vectors"), text);
    assert.match(run("test", source, "--vectors", vectors.replace("limits.vectors", "other.vectors")).stderr, what);
  }
});

test("lint reads the files that a contract imports, and names file, line, rule and remedy", async () => {
  await writeFile(join(folder, "rule.ts"), "export const now = () => 1;\nexport const bad = () => Date.now();\n");
  const path = join(folder, "main.ts");
  await writeFile(
    path,
    'import { bad } from "./rule.js";\nexport const reads = [], writes = [];\nexport const operation = () => void bad();\n',
  );
  const { status, stdout } = run("lint", path);
  assert.equal(status, 1);
  assert.match(stdout, /rule\.ts:2: clock: Date; take context\.time_s/);
});

for (const [text, rule] of [
  ["Date.now()", "clock"],
  ["Math.random()", "random"],
  ["Math.sin(1)", "float"],
  ["0.5", "float"],
  ["1e300", "float"],
  ["(1).toFixed(2)", "float"],
  ["a / b", "division"],
  ["a ** b", "power"],
  ["/a+/", "regular-expression"],
  ["new RegExp('a')", "regular-expression"],
  ["t.match(u)", "regular-expression"],
  ["t.localeCompare(u)", "locale"],
  ["Intl.Collator", "locale"],
  ["eval('1')", "evaluation"],
  ["f.constructor('1')", "evaluation"],
  ["async () => 1", "waiting"],
  ["Promise.resolve()", "waiting"],
  ["JSON.stringify(1)", "absent"],
  ["new WeakRef(o)", "absent"],
  ["import('./x.js')", "module"],
] as const) {
  test(`lint finds ${rule} in ${text}`, () => {
    assert.deepEqual(
      lintSource(`const x =\n  ${text};`, "x.ts").map(({ line, rule }) => [line, rule]),
      [[2, rule]],
    );
  });
}

test("lint leaves alone what is good: rounded quotients, bigints, own names, types, keys", () => {
  const good = [
    "Math.trunc(a / b)",
    "Math.floor((a + 1) / b)",
    "(BigInt(a) * 3n) / 7n",
    "{ Date: 1 }",
    "f.Date",
    "1_000_000",
  ];
  for (const text of good) assert.deepEqual(lintSource(`const x = ${text};`, "x.ts"), [], text);
  assert.deepEqual(lintSource("function JSON() {}\nJSON();\nlet d: Date | Promise<RegExp>;\n", "x.ts"), []);
});
