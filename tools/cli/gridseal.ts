#!/usr/bin/env node
// The `gridseal` command: registers the nouns, a folder or a file each. What they throw becomes one
// line, a remedy and an exit status.

import { Command, CommanderError } from "commander";
import { GridsealError, reasonOf } from "../errors.js";
import { makePrivately } from "../files/private-files.js";
import { registerAuthority } from "./authority/commands.js";
import { registerBackup } from "./backup.js";
import { registerChain } from "./chain/commands.js";
import { registerDecode } from "./decode/decode.js";
import { registerDemo } from "./demo.js";
import { registerFirmware } from "./firmware/commands.js";
import { registerFlash } from "./flash.js";
import { registerInit } from "./init.js";
import { registerMeter } from "./meter/commands.js";
import { registerNode } from "./node/commands.js";
import { registerOrder } from "./order/commands.js";
import { registerReceipt } from "./receipt/commands.js";
import { registerRestore } from "./restore.js";

function createProgram(): Command {
  const program = new Command("gridseal")
    .description("smart-meter readings that are signed on the meter, sealed by a cluster and provable to anyone")
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  registerDemo(program);
  registerInit(program);
  registerAuthority(program);
  registerNode(program);
  registerBackup(program);
  registerRestore(program);
  registerMeter(program);
  registerChain(program);
  registerReceipt(program);
  registerOrder(program);
  registerFirmware(program);
  registerFlash(program);
  registerDecode(program);
  return program;
}

/** Prints why the command failed and returns its exit status. */
function report(thrown: unknown): number {
  if (thrown instanceof CommanderError) {
    if (thrown.exitCode === 0) return 0; // --help
    const reason = thrown.message.replace(/^error: /, "");
    return printError(new GridsealError("USAGE", reason === "(outputHelp)" ? "a subcommand is missing" : reason));
  }
  if (thrown instanceof GridsealError) return printError(thrown);
  return printError(new GridsealError("INVARIANT_VIOLATED", reasonOf(thrown), { cause: thrown }));
}

function printError(error: GridsealError): number {
  process.stderr.write(`gridseal: ${error.message.replaceAll("\n", " ")}\n  ${error.remedy}\n`);
  if (process.env.GRIDSEAL_DEBUG) console.error(error);
  return error.exitStatus;
}

// A reader that has seen enough, such as head, is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
makePrivately();
try {
  await createProgram().parseAsync();
} catch (thrown) {
  process.exitCode = report(thrown);
}
