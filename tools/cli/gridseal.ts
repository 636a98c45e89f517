#!/usr/bin/env node
// The `gridseal` command: registers the subcommands and turns whatever they throw into one line, a remedy and an exit status.

import { Command, CommanderError } from "commander";
import { GridsealError, reasonOf } from "../errors.js";
import { makePrivately } from "../files/private-files.js";
import { printLines } from "../terminal/output.js";
import { registerAuthority } from "./authority.js";
import { registerBackup } from "./backup.js";
import { registerChainAudit } from "./chain-audit.js";
import { registerChainExport } from "./chain-export.js";
import { registerChainList } from "./chain-list.js";
import { registerChainShow } from "./chain-show.js";
import { type DecodeOptions, decode, meterLines } from "./decode.js";
import { registerDemo } from "./demo.js";
import { registerFirmware } from "./firmware.js";
import { registerInit } from "./init.js";
import { registerMeter } from "./meter.js";
import { registerNode } from "./node.js";
import { registerOrder } from "./order.js";
import { registerReceipt } from "./receipt.js";

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
  registerMeter(program);
  const chain = program.command("chain").description("sealed chains");
  registerChainList(chain);
  registerChainShow(chain);
  registerChainExport(chain);
  registerChainAudit(chain);
  registerReceipt(program);
  registerOrder(program);
  registerFirmware(program);
  registerDecode(program);
  return program;
}

function registerDecode(program: Command): void {
  program
    .command("decode")
    .description("print the registers of a capture, frame by frame")
    .argument("[file]", "capture, or - for standard input")
    .option("--protocol <name>", "protocol of the meter's port; found from the bytes where it is left out")
    .option("--key-file <file>", "keys of an encrypted port: 32 hex digits a line, encryption first")
    .option(
      "--accept-unauthenticated",
      "read a port that authenticates with its encryption key alone: nothing vouches for it",
    )
    .option("--profile <name>", "meter type whose quirks to apply")
    .option("--json", "print one line of JSON a frame")
    .option("--list", "print the meters that are read, with protocol, profile, and what each was tried with")
    .action(async (file: string | undefined, { list, ...options }: Omit<DecodeOptions, "file"> & { list?: true }) => {
      if (list) return printLines(meterLines());
      if (file === undefined) throw new GridsealError("USAGE", "decode needs the file of a capture, or --list");
      const note = (line: string): void => void process.stderr.write(`${line}\n`);
      process.exitCode = await decode({ file, ...options }, (line) => printLines([line]), note);
    });
}

/** Prints why the command failed and returns its exit status. */
function report(thrown: unknown): number {
  if (thrown instanceof CommanderError) {
    if (thrown.exitCode === 0) return 0; // --help
    const reason = thrown.message.replace(/^error: /, "");
    return complain(new GridsealError("USAGE", reason === "(outputHelp)" ? "a subcommand is missing" : reason));
  }
  if (thrown instanceof GridsealError) return complain(thrown);
  return complain(new GridsealError("INVARIANT_VIOLATED", reasonOf(thrown), { cause: thrown }));
}

function complain(error: GridsealError): number {
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
