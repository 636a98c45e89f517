#!/usr/bin/env node
// The `gridseal` command: registers the nouns, a folder or a file each. What they throw becomes one
// line, a remedy and an exit status.

import { Command, CommanderError } from "commander";
import { GridsealError, reasonOf } from "../errors.js";
import { packageVersion } from "../files/package-version.js";
import { makePrivately } from "../files/private-files.js";
import { hasPrinted, printLines, toJson } from "../terminal/output.js";

/** The nouns in the order of the help. Each is loaded on use: all of them take longer than most commands. */
const nouns: Readonly<Record<string, () => Promise<(program: Command) => void>>> = {
  demo: async () => (await import("./demo.js")).registerDemo,
  init: async () => (await import("./init.js")).registerInit,
  authority: async () => (await import("./authority/commands.js")).registerAuthority,
  request: async () => (await import("./request/commands.js")).registerRequest,
  enrolment: async () => (await import("./enrolment/commands.js")).registerEnrolment,
  lot: async () => (await import("./lot/commands.js")).registerLot,
  genesis: async () => (await import("./genesis/commands.js")).registerGenesis,
  network: async () => (await import("./network/commands.js")).registerNetwork,
  node: async () => (await import("./node/commands.js")).registerNode,
  config: async () => (await import("./config/commands.js")).registerConfig,
  doctor: async () => (await import("./doctor/doctor.js")).registerDoctor,
  backup: async () => (await import("./backup.js")).registerBackup,
  restore: async () => (await import("./restore.js")).registerRestore,
  meter: async () => (await import("./meter/commands.js")).registerMeter,
  chain: async () => (await import("./chain/commands.js")).registerChain,
  receipt: async () => (await import("./receipt/commands.js")).registerReceipt,
  record: async () => (await import("./record/commands.js")).registerRecord,
  operation: async () => (await import("./operation/commands.js")).registerOperation,
  session: async () => (await import("./session/commands.js")).registerSession,
  order: async () => (await import("./order/commands.js")).registerOrder,
  contract: async () => (await import("./contract/commands.js")).registerContract,
  state: async () => (await import("./state/commands.js")).registerState,
  access: async () => (await import("./access/commands.js")).registerAccess,
  violation: async () => (await import("./violation/commands.js")).registerViolation,
  explorer: async () => (await import("./explorer/explorer.js")).registerExplorer,
  alarm: async () => (await import("./alarm/commands.js")).registerAlarm,
  market: async () => (await import("./market/commands.js")).registerMarket,
  credit: async () => (await import("./credit/commands.js")).registerCredit,
  grid: async () => (await import("./grid/commands.js")).registerGrid,
  firmware: async () => (await import("./firmware/commands.js")).registerFirmware,
  monitor: async () => (await import("./monitor.js")).registerMonitor,
  flash: async () => (await import("./flash.js")).registerFlash,
  provision: async () => (await import("./provision/provision.js")).registerProvision,
  nvs: async () => (await import("./nvs/commands.js")).registerNvs,
  decode: async () => (await import("./decode/decode.js")).registerDecode,
  completion: async () => (await import("./completion/completion.js")).registerCompletion,
};

/** Nouns that look at all of the others. */
const ofAll = new Set(["completion"]);

/** The program with the noun that is called, or with all of them where it is none: they are what the help lists. */
async function createProgram(called: string | undefined): Promise<Command> {
  const program = new Command("gridseal")
    .description("smart-meter readings that are signed on the meter, sealed by a cluster and provable to anyone")
    .version(packageVersion(), "-V, --version", "print the version")
    // Options of a subcommand are its own: `firmware sign` has a --version, too.
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  const isOne = called !== undefined && Object.hasOwn(nouns, called) && !ofAll.has(called);
  const loads = isOne ? [nouns[called]!] : Object.values(nouns);
  for (const load of loads) (await load())(program);
  return program;
}

/** Prints why the command failed and returns its exit status. */
function report(thrown: unknown): number {
  if (thrown instanceof CommanderError) {
    if (thrown.exitCode === 0) return 0; // --help, --version
    const reason = thrown.message.replace(/^error: /, "");
    return printError(new GridsealError("USAGE", reason === "(outputHelp)" ? "a subcommand is missing" : reason));
  }
  if (thrown instanceof GridsealError) return printError(thrown);
  return printError(new GridsealError("INVARIANT_VIOLATED", reasonOf(thrown), { cause: thrown }));
}

function printError(error: GridsealError): number {
  const { code, message, remedy } = error;
  // A program that reads JSON finds it where it looks; what has printed its own says there what is wrong.
  if (process.argv.includes("--json") && !hasPrinted()) printLines([toJson({ ok: false, code, message, remedy })]);
  process.stderr.write(`gridseal: ${error.message.replaceAll("\n", " ")}\n  ${error.remedy}\n`);
  if (process.env.GRIDSEAL_DEBUG) console.error(error);
  return error.exitStatus;
}

// A reader that has seen enough, such as head, is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
makePrivately();
try {
  await (await createProgram(process.argv[2])).parseAsync();
} catch (thrown) {
  process.exitCode = report(thrown);
}
