// What commands print as `next:`, read from the sources and held to commander's own tree: what is typed next is there.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import ts from "typescript";
import { createProgram } from "../../tools/cli/program.js";

const folder = fileURLToPath(new URL("../../tools/cli/", import.meta.url));
const program = await createProgram(undefined);

/** What a string or template may say: a value in it is WORD, of a choice between strings each is said. */
function said(node: ts.Expression): readonly string[] {
  if (ts.isStringLiteralLike(node)) return [node.text];
  if (ts.isParenthesizedExpression(node)) return said(node.expression);
  if (ts.isConditionalExpression(node)) return [...said(node.whenTrue), ...said(node.whenFalse)];
  if (!ts.isTemplateExpression(node)) return ["WORD"];
  return node.templateSpans.reduce<readonly string[]>(
    (before, span) =>
      before.flatMap((text) => said(span.expression).map((value) => `${text}${value}${span.literal.text}`)),
    [node.head.text],
  );
}

/** Each command behind `next:`, up to where people are told more. */
function nextIn(file: string): readonly string[] {
  const source = ts.createSourceFile(file, readFileSync(join(folder, file), "utf8"), ts.ScriptTarget.Latest, true);
  const found = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node) || ts.isTemplateExpression(node)) {
      const isPair =
        ts.isArrayLiteralExpression(node.parent) && said(node.parent.elements[0] as ts.Expression)[0] === "next";
      for (const text of said(node)) {
        const next = isPair ? text : text.split("next: ")[1];
        for (const [, typed] of next?.matchAll(/gridseal ([a-z].*?)(?=,? or |,? and |[,;] | {4}|\n|$)/g) ?? []) {
          found.add(typed!);
        }
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return [...found];
}

/** What is wrong with what is typed; nothing where commander takes it. */
function wrongWith(typed: string): readonly string[] {
  const words = typed.split(" ");
  let command: Command = program;
  for (;;) {
    const below = command.commands.find((one) => one.name() === words[0]);
    if (below === undefined) break;
    command = below;
    words.shift();
  }
  // A noun with subcommands alone has no options of its own.
  if (command.commands.length > 0 && command.options.length === 0) return [`${typed}: no command ${words[0]}`];
  const named = words.filter((word) => /^--?[a-zA-Z]/.test(word));
  const options = named.map((word) => command.options.find(({ short, long }) => word === short || word === long));
  const unknown = named.filter((_, index) => options[index] === undefined);
  // Where three dots stand, what was typed before is typed again.
  const isCut = words.includes("...");
  const missing = command.options.filter((option) => option.mandatory && !isCut && !options.includes(option));
  return [
    ...unknown.map((word) => `${typed}: no option ${word}`),
    ...missing.map(({ flags }) => `${typed}: it needs ${flags}`),
  ];
}

const typed = readdirSync(folder, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .flatMap(nextIn);

test("each command that is printed as the next one has the options that it names, and names those that it needs", () => {
  assert.ok(typed.length > 25, `${typed.length} were found`);
  assert.deepEqual(typed.flatMap(wrongWith), []);
});
