// Options of all commands, read from commander's own tree: one name for one thing.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Command, Option } from "commander";
import { createProgram } from "../../tools/cli/program.js";

interface OptionOf {
  readonly path: string;
  readonly option: Option;
}

function optionsIn(command: Command, path = ""): readonly OptionOf[] {
  return [
    ...command.options.map((option) => ({ path, option })),
    ...command.commands.flatMap((below) => optionsIn(below, `${path} ${below.name()}`.trim())),
  ];
}

const program = await createProgram(undefined);
const options = optionsIn(program);
const commandsIn = (command: Command): readonly Command[] => [command, ...command.commands.flatMap(commandsIn)];
const everything = commandsIn(program);
const wrong = (isWrong: (option: Option) => boolean) =>
  options.filter(({ option }) => isWrong(option)).map(({ path, option }) => `${path} ${option.flags}`);

test("the file or folder to make is -o, --out everywhere", () => {
  assert.deepEqual(
    wrong(({ short, long }) => (short === "-o") !== (long === "--out")),
    [],
  );
});

test("a short option stands for one long one", () => {
  const longs = new Map<string, Set<string>>();
  for (const { option } of options) {
    if (option.short === undefined) continue;
    longs.set(option.short, (longs.get(option.short) ?? new Set()).add(option.long ?? ""));
  }
  assert.deepEqual(
    [...longs].filter(([, names]) => names.size > 1).map(([short, names]) => `${short}: ${[...names]}`),
    [],
  );
});

test("a chain is named by --service, with its name or its number", () => {
  assert.deepEqual(
    wrong(({ long, flags }) => long === "--service" && flags !== "--service <name>"),
    [],
  );
});

test("an ID is what the authority has issued, a key id what a key has: no help calls either by the other's word", () => {
  const isVague = (text: string) => /(?<!key |`)\bids?\b/.test(text);
  const said = everything.flatMap((command) => [
    command.description(),
    ...command.options.map(({ description }) => description),
    ...command.registeredArguments.map(({ description }) => description),
  ]);
  assert.deepEqual(said.filter(isVague), []);
  assert.deepEqual(
    wrong(({ flags }) => /^--(?:meter|participant|subject) <id>/.test(flags)),
    [],
  );
});
