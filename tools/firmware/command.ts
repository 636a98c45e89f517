// The firmware's npm scripts: `firmware`, `simulator [--run [FOLDER]] [--window]`, `esp32 --target BOARD [--resolve] [--flash] [--noble]`, `size`,
// `instructions`, `wear`.
// Exit status: 2 where the command was misused, 1 for any other failure; what is missing on this machine is said with how to get it.

import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { reasonOf } from "../errors.js";
import { buildEsp32, buildSimulator, buildWindow, root } from "./builds.js";
import { compileFirmware } from "./compile.js";
import { reportInstructions } from "./instructions.js";
import { findIdf, findSdk, Missing } from "./sdk.js";
import { startSimulator } from "./simulator.js";
import { reportSize } from "./size.js";
import { reportWear } from "./wear.js";

class Misuse extends Error {}

const boards = join(root, "hosts/esp32/boards");

const USAGE = `npm run build:firmware                                  the firmware's modules
npm run build:simulator [-- [--run] [--window] FOLDER]   the agent for the simulator, and a meter of it
npm run build:esp32 -- --target BOARD [--resolve] [--flash] [--noble]
npm run size                                            what the firmware takes of ROM, pool and stack
npm run wear                                            sectors of flash that a meter erases`;

async function run(name: string | undefined, rest: string[]): Promise<void> {
  if (rest.includes("--help") || rest.includes("-h")) return console.log(USAGE);
  switch (name) {
    case "firmware":
      console.log(await compileFirmware(root));
      return;
    case "simulator":
      return simulator(rest);
    case "esp32":
      return esp32(rest);
    case "size":
      return reportSize(findSdk());
    case "instructions":
      return reportInstructions(findSdk());
    case "wear":
      return reportWear(join(root, "hosts/esp32"));
    default:
      throw new Misuse("one of: firmware, simulator, esp32, size, instructions, wear");
  }
}

async function simulator(rest: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args: rest,
    options: { run: { type: "boolean" }, window: { type: "boolean" } },
    allowPositionals: true,
  });
  const sdk = findSdk();
  const [folder] = positionals;
  if ((values.run || values.window) && folder === undefined)
    throw new Misuse("--run and --window need the folder of a meter, as gridseal init makes it");
  if (values.window) {
    const library = await buildWindow(sdk);
    // By its whole path: beside it, it finds the devices that it can show.
    const mcsim = process.platform === "linux" ? join(sdk.folder, "build/bin/lin/release/mcsim") : "mcsim";
    spawn(mcsim, [library], { env: { ...sdk.environment, GRIDSEAL_METER: folder! }, stdio: "inherit" });
    return;
  }
  const build = await buildSimulator(sdk);
  console.log(build.program);
  if (!values.run) return;
  const meter = startSimulator(build, folder!, (message) => console.log(JSON.stringify(message)));
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void meter.kill());
  process.exitCode = (await meter.ended) ?? 0;
}

async function esp32(rest: string[]): Promise<void> {
  const flags = { resolve: { type: "boolean" }, flash: { type: "boolean" }, noble: { type: "boolean" } } as const;
  const options = { target: { type: "string" }, ...flags } as const;
  const { values } = parseArgs({ args: rest, options });
  const known = readdirSync(boards);
  if (values.target === undefined || !known.includes(values.target))
    throw new Misuse(`--target is one of: ${known.join(", ")}`);
  const sdk = findSdk();
  if (!values.resolve) findIdf();
  const target = `esp32:${join(boards, values.target)}`;
  const signatures = values.noble ? "noble" : "libsodium";
  const { folder } = await buildEsp32(sdk, target, values.resolve ? "resolve" : "build", signatures);
  if (values.flash && !values.resolve) await buildEsp32(sdk, target, "deploy", signatures);
  console.log(folder);
}

run(process.argv[2], process.argv.slice(3)).catch((thrown: unknown) => {
  console.error(thrown instanceof Missing ? thrown.message : `build: ${reasonOf(thrown)}`);
  process.exitCode = thrown instanceof Misuse ? 2 : 1;
});
