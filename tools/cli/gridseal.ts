#!/usr/bin/env node
// The `gridseal` command. What its nouns throw becomes one line, a remedy and an exit status.

import { type Command, CommanderError } from "commander";
import { GridsealError, reasonOf } from "../errors.js";
import { makePrivately } from "../files/private-files.js";
import { hasPrinted, printLines, printNote, toJson } from "../terminal/output.js";
import { createProgram } from "./program.js";

/** What was typed, as commander has it: `gridseal` alone asks for help, and `help chain show` for that of `chain show`. */
function typed([first, ...others]: readonly string[]): readonly string[] {
  if (first === undefined) return ["--help"];
  return first === "help" ? [...others, "--help"] : [first, ...others];
}

/** Prints why the command failed and returns its exit status. */
function report(thrown: unknown, program: Command | undefined): number {
  if (thrown instanceof CommanderError) {
    if (thrown.exitCode === 0) return 0; // --help, --version
    const reason = thrown.message.replace(/^error: /, "");
    return printError(new GridsealError("USAGE", reason === "(outputHelp)" ? missingIn(program) : reason));
  }
  if (thrown instanceof GridsealError) return printError(thrown);
  return printError(new GridsealError("INVARIANT_VIOLATED", reasonOf(thrown), { cause: thrown }));
}

/** The subcommands of which one is missing. */
function missingIn(program: Command | undefined): string {
  let command = program;
  for (const word of words) command = command?.commands.find((one) => one.name() === word) ?? command;
  return `a subcommand is missing: ${command?.commands.map((one) => one.name()).join(", ")}`;
}

function printError(error: GridsealError): number {
  const { code, message, remedy } = error;
  // A program that reads JSON finds it where it looks; what has printed its own says there what is wrong.
  if (process.argv.includes("--json") && !hasPrinted()) printLines([toJson({ ok: false, code, message, remedy })]);
  printNote(`gridseal: ${error.message.replaceAll("\n", " ")}`);
  printNote(`  ${error.remedy}`);
  if (process.env.GRIDSEAL_DEBUG) console.error(error);
  return error.exitStatus;
}

// A reader that has seen enough, such as head, is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
makePrivately();
const words = typed(process.argv.slice(2));
let program: Command | undefined;
try {
  program = await createProgram(words[0]);
  await program.parseAsync(words, { from: "user" });
} catch (thrown) {
  process.exitCode = report(thrown, program);
}
