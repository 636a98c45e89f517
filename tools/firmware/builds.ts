// The firmware's builds: the modules, the simulator's library with the loader that runs it without a window, and an ESP32's image.

import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { compileFirmware } from "./compile.js";
import { type Outcome, runTool, type Sdk } from "./sdk.js";

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const cache = join(root, ".cache/firmware");

export interface SimulatorBuild {
  /** what mcsim and the loader run */
  readonly library: string;
  readonly loader: string;
  /** what the linker said of the ROM image */
  readonly report: string;
}

/** Builds the program of `manifest` for the simulator of this machine, and the loader. Throws with the output of the tool that failed. */
export async function buildSimulator(sdk: Sdk, manifest = join(root, "manifest.json")): Promise<SimulatorBuild> {
  await compileFirmware(root);
  const name = dirname(manifest) === root ? "meter" : "exercise";
  const output = join(cache, "simulator", name);
  await mkdir(output, { recursive: true });
  const platform = process.platform === "darwin" ? "mac" : "lin";
  const built = await configure(sdk, ["-m", "-p", platform, "-t", "build", "-o", output], manifest);
  const library = join(output, "bin", platform, "mc/release", dirname(manifest).split("/").at(-1)!, "mc.so");
  return { library, loader: await buildLoader(sdk), report: built.output };
}

/** Resolves the manifests for a board and writes its makefile, sdkconfig and partitions; with `compile` the image too. */
export async function buildEsp32(
  sdk: Sdk,
  target: string,
  compile: boolean,
): Promise<Outcome & { readonly folder: string }> {
  await compileFirmware(root);
  const output = join(cache, "esp32", target.split("/").at(-1)!);
  await mkdir(output, { recursive: true });
  const options = [...(compile ? ["-m", "-t", "build"] : []), "-p", target, "-o", output];
  return { ...(await configure(sdk, options, join(root, "manifest.json"))), folder: output };
}

async function configure(sdk: Sdk, options: readonly string[], manifest: string): Promise<Outcome> {
  const outcome = await runTool(sdk, "mcconfig", [...options, manifest], dirname(manifest));
  // mcconfig ends with 0 after an error of its own.
  if (outcome.status !== 0 || /^### (?:Error|.*Error:)/m.test(outcome.output))
    throw new Error(`mcconfig ${options.join(" ")} failed:\n${outcome.output.slice(-4000)}`);
  return outcome;
}

async function buildLoader(sdk: Sdk): Promise<string> {
  const loader = join(cache, "loader");
  const flags = await runTool(sdk, "pkg-config", ["--cflags", "--libs", "gio-2.0"], root);
  const options = ["-O2", "-Wall", "-Wextra", "-I", join(sdk.folder, "build/simulators/modules")];
  const source = join(root, "hosts/simulator/loader.c");
  const built = await runTool(
    sdk,
    "cc",
    [...options, source, "-o", loader, ...flags.output.trim().split(/\s+/), "-ldl"],
    root,
  );
  if (built.status !== 0) throw new Error(`cc ${source} failed:\n${built.output}`);
  return loader;
}
