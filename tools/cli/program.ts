// The nouns of the `gridseal` command, a folder or a file each, and the program that they make.

import { Command } from "commander";
import { packageVersion } from "../files/package-version.js";

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
  analytics: async () => (await import("./analytics/commands.js")).registerAnalytics,
  study: async () => (await import("./study/commands.js")).registerStudy,
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
export async function createProgram(called: string | undefined): Promise<Command> {
  const program = new Command("gridseal")
    .description("smart-meter readings that are signed on the meter, sealed by a cluster and provable to anyone")
    .version(packageVersion(), "-V, --version", "print the version")
    // Options of a subcommand are its own: `firmware sign` has a --version, too.
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  const isOne = called !== undefined && Object.hasOwn(nouns, called) && !ofAll.has(called);
  const isVersion = called === "-V" || called === "--version";
  const loads = isOne ? [nouns[called]!] : isVersion ? [] : Object.values(nouns);
  for (const load of loads) (await load())(program);
  return program;
}
