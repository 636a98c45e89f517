import assert from "node:assert/strict";
import { test } from "node:test";
import ts from "typescript";
import { arrows } from "../../tools/firmware/arrows.js";

function compiled(source: string): string {
  const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ES2022 };
  return ts.transpileModule(source, { compilerOptions, transformers: { before: [arrows] } }).outputText;
}

test("makes arrows of declarations, before what a module does with them, and keeps what they export", async () => {
  const source = `
    export const doubled = [1, 2].map(twice);
    export function sum(values: readonly number[], from = 0): number { return values.reduce((a, b) => a + b, from); }
    function twice(value: number): number { return 2 * value; }
  `;
  const code = compiled(source);
  assert.ok(!code.includes("function"), code);
  const module = await import(`data:text/javascript,${encodeURIComponent(code)}`);
  assert.deepEqual(module.doubled, [2, 4]);
  assert.equal(module.sum([1, 2], 3), 6);
});

test("leaves generators, asynchronous functions, those of `this` and those within others as they are", () => {
  for (const declaration of [
    "function* f() { yield 1; }",
    "async function f() {}",
    "function f() { return this.x; }",
    "function f() { return arguments.length; }",
    "export default function f() {}",
    "const f = () => { function g() {} return g; };",
  ])
    assert.ok(compiled(declaration).includes("function"), declaration);
});
