// The firmware's builds: the simulator as a chip has it, the one with a window, and an ESP32's image.

import { existsSync } from "node:fs";
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { compileFirmware, type Signatures } from "./compile.js";
import { fingerprint } from "./fingerprint.js";
import { Missing, type Outcome, runTool, type Sdk } from "./sdk.js";

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const cache = join(root, ".cache/firmware");

export interface SimulatorBuild {
  /** runs the meter whose folder is its argument */
  readonly program: string;
  /** runs `program`, or the image that a meter's slots hold */
  readonly bootloader: string;
}

export interface SimulatorKind {
  /** of the firmware; the manifest's where it is left out */
  readonly version?: number;
  /** noble's where it is left out */
  readonly signatures?: Signatures;
}

/** What a chip has in the place of the SDK's platform for Linux: its pool and its timers. Our own loop comes on top. */
const chipSources: readonly string[] = ["xsHosts.c", "timer.c"];
const notOnChips: readonly string[] = ["lin_xs.c", "screen.c", "timer.c"];

/**
 * The program as a chip runs it, without a window: for 32 bits where this machine can, in the pool that the manifest states, or for 64
 * bits in twice that. Another `version` than the manifest's, or one with signatures by libsodium, is built beside it. What was built from
 * the same sources is taken as it is. Throws with the output of the tool that failed.
 */
export async function buildSimulator(sdk: Sdk, { version, signatures }: SimulatorKind = {}): Promise<SimulatorBuild> {
  const options = await runningBits(sdk);
  // Objects of one kind are no use to the other, and make does not know.
  const kind = options.length === 0 ? "chip-64" : "chip";
  const output = join(cache, kind, ["meter", version, signatures].filter((part) => part !== undefined).join("-"));
  const place = join("lin/mc/release", root.split("/").at(-1)!);
  const build = { program: join(output, "bin", place, "mc.so"), bootloader: join(cache, "bootloader") };
  const settings = version === undefined ? [] : [`version=${version}`];
  const print = await fingerprint(root, sdk, [...settings, ...options, signatures ?? "noble"]);
  const mark = join(output, "fingerprint");
  if ((await textOf(mark)) === print && existsSync(build.program) && existsSync(build.bootloader)) return build;
  await quickenSockets(sdk, await compileFirmware(root, signatures));
  await mkdir(join(output, "bin", place), { recursive: true });
  await rm(mark, { force: true });
  await configure(sdk, ["-p", "lin", "-t", "build", "-o", output, ...settings], join(root, "manifest.json"));
  const makefile = join(output, "tmp", place, "makefile");
  const libraries = `LINK_LIBRARIES=-lm -lpthread${signatures === "libsodium" ? " -lsodium" : ""}`;
  const compiling = {
    compiler: ["cc", ...options],
    optimisation: "-O2",
    loop: join(root, "hosts/simulator/chip/chip.c"),
  } as const;
  const variables = chipVariables(sdk, await readFile(makefile, "utf8"), compiling);
  const targets = ["-f", makefile, "build", ...variables, "LINK_OPTIONS=", libraries];
  const made = await runTool(sdk, "make", targets, root);
  if (made.status !== 0) throw new Error(`make of the simulator failed:\n${made.output.slice(-4000)}`);
  await buildBootloader(sdk, build.bootloader);
  await writeFile(mark, print);
  return build;
}

/** A file's text; undefined where there is none. */
export function textOf(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch(() => undefined);
}

async function buildBootloader(sdk: Sdk, bootloader: string): Promise<void> {
  const source = join(root, "hosts/simulator/bootloader.c");
  const built = await runTool(sdk, "cc", ["-O2", "-Wall", "-Wextra", source, "-o", bootloader], root);
  if (built.status !== 0) throw new Error(`cc ${source} failed:\n${built.output}`);
}

/**
 * The SDK's sockets for Linux are looked at every 20 ms, with 1.5 kB of room: a chip's take a receipt when it comes, these two at a time.
 * A copy among the modules is looked at four times as often. Throws where the SDK's source is not what it was.
 */
async function quickenSockets(sdk: Sdk, modules: string): Promise<void> {
  const from = join(sdk.folder, "modules/io/socket/lin");
  const source = await readFile(join(from, "tcp.c"), "utf8");
  const quick = source.replace("#define kTaskInterval (20)", "#define kTaskInterval (5)");
  if (quick === source)
    throw new Error(`${from}/tcp.c has no kTaskInterval of 20: correct quickenSockets in builds.ts`);
  await mkdir(join(modules, "socket"), { recursive: true });
  await writeFile(join(modules, "socket/tcp.c"), quick);
  await copyFile(join(from, "tcp.js"), join(modules, "socket/tcp.js"));
}

const OPTIONS_OF_32_BITS = ["-m32", "-msse2", "-mfpmath=sse"];

/** Whether the C compiler has what programs of 32 bits need. */
async function compiles32Bits(sdk: Sdk): Promise<boolean> {
  const probe = ["-E", "-include", "stdlib.h", "-x", "c", "/dev/null"];
  return (await runTool(sdk, "cc", [...OPTIONS_OF_32_BITS, ...probe], root)).status === 0;
}

/** The same options where a program for 32 bits also starts: kernels without that exist. Otherwise none. */
async function runningBits(sdk: Sdk): Promise<readonly string[]> {
  if (!(await compiles32Bits(sdk))) return [];
  const options = OPTIONS_OF_32_BITS;
  const [source, program] = [join(cache, "starts.c"), join(cache, "starts")];
  await mkdir(cache, { recursive: true });
  await writeFile(source, "int main(void) { return 0; }\n");
  const built = await runTool(sdk, "cc", [...options, source, "-o", program], root);
  if (built.status !== 0) return [];
  return runTool(sdk, program, [], root).then(
    ({ status }) => (status === 0 ? options : []),
    () => [],
  );
}

/**
 * How C is compiled for `hosts/simulator/chip/chip.h`: the compiler and its options. Throws `Missing` where it compiles for 64 bits
 * alone: sizes of that are no chip's.
 */
export async function chipCompiler(sdk: Sdk): Promise<readonly string[]> {
  if (!(await compiles32Bits(sdk)))
    throw new Missing(
      "cc compiles nothing for 32 bits (-m32), as the chip's sizes need: install what it lacks (Debian: gcc-multilib).",
    );
  const includes = chipFolders(sdk).flatMap((folder) => ["-I", folder]);
  return ["cc", ...OPTIONS_OF_32_BITS, "-DINCLUDE_XSPLATFORM=1", '-DXSPLATFORM="chip.h"', ...includes];
}

function chipFolders(sdk: Sdk): string[] {
  const xs = ["includes", "platforms", "platforms/mc", "sources"].map((folder) => join(sdk.folder, "xs", folder));
  return [join(root, "hosts/simulator/chip"), ...xs, join(sdk.folder, "modules/base/timer/mc")];
}

/** How everything is compiled that XS runs on, where it has a chip's memory. */
export interface Compiling {
  /** with its options */
  readonly compiler: readonly string[];
  readonly optimisation: "-O2" | "-Os";
  /** the C file with `main` */
  readonly loop: string;
}

/** Variables of the SDK's makefile for Linux that make it build for `hosts/simulator/chip/chip.h` instead, but for how it links. */
export function chipVariables(sdk: Sdk, makefile: string, { compiler, optimisation, loop }: Compiling): string[] {
  const list = (variable: string): string =>
    new RegExp(`^${variable} *= *\\\\\n((?:.*\\\\\n)*.*)`, "m").exec(makefile)?.[1] ?? "";
  const listed = (variable: string): string[] =>
    [...list(variable).matchAll(/\/([^/\s]+\.c)\.o/g)].map((match) => match[1]!);
  // All of XS is compiled with our header: make has to know, or it leaves the objects of an earlier one.
  const headers = [join(root, "hosts/simulator/chip/chip.h"), ...list("XS_HEADERS").split(/[\s\\]+/)];
  const objects = (place: string, sources: readonly string[]): string =>
    sources
      .filter((source) => !notOnChips.includes(source))
      .map((source) => `$(${place})/${source}.o`)
      .join(" ");
  const chip = [...chipSources, basename(loop)].map((source) => `$(LIB_DIR)/${source}.o`).join(" ");
  const formats = "-DkCommodettoBitmapFormat=$(COMMODETTOBITMAPFORMAT) -DkPocoRotation=$(POCOROTATION)";
  return [
    `CC=${compiler.join(" ")}`,
    `C_DEFINES=-DINCLUDE_XSPLATFORM=1 -DXSPLATFORM=\\"chip.h\\" ${formats}`,
    `C_FLAGS=-c -D_RELEASE=1 ${optimisation}`,
    `XS_HEADERS=${headers.join(" ").trim()}`,
    `XS_DIRECTORIES=${[dirname(loop), ...chipFolders(sdk)].join(" ")}`,
    `XS_OBJECTS=${objects("LIB_DIR", listed("XS_OBJECTS"))} ${chip}`,
    `OBJECTS=${objects("TMP_DIR", listed("OBJECTS"))}`,
  ];
}

/** Builds the program with the meter's face, for the SDK's simulator with a window; the library that mcsim runs. */
export async function buildWindow(sdk: Sdk): Promise<string> {
  await quickenSockets(sdk, await compileFirmware(root));
  const platform = process.platform === "darwin" ? "mac" : "lin";
  const output = join(cache, "window");
  await mkdir(output, { recursive: true });
  const manifest = join(root, "hosts/simulator/window/manifest.json");
  await configure(sdk, ["-m", "-p", platform, "-t", "build", "-o", output], manifest);
  return join(output, "bin", platform, "mc/release/window/mc.so");
}

/**
 * Resolves the manifests for a board and writes its makefile, sdkconfig and partitions; `build` makes the image too, and `deploy` puts
 * what was built on the board. Its signatures are libsodium's, a component that the build gets from ESP-IDF's registry, or noble's.
 */
export async function buildEsp32(
  sdk: Sdk,
  target: string,
  step: "resolve" | "build" | "deploy",
  signatures: Signatures = "libsodium",
): Promise<Outcome & { readonly folder: string }> {
  await compileFirmware(root, signatures);
  const board = target.split("/").at(-1)!;
  const output = join(cache, "esp32", signatures === "noble" ? `${board}-noble` : board);
  await mkdir(output, { recursive: true });
  const options = [...(step === "resolve" ? [] : ["-m", "-t", step]), "-p", target, "-o", output];
  return { ...(await configure(sdk, options, join(root, "manifest.json"))), folder: output };
}

/** Runs mcconfig beside a manifest. Throws with what it printed where it fails. */
export async function configure(sdk: Sdk, options: readonly string[], manifest: string): Promise<Outcome> {
  const outcome = await runTool(sdk, "mcconfig", [...options, manifest], dirname(manifest));
  // mcconfig ends with 0 after an error of its own.
  if (outcome.status !== 0 || /^### (?:Error|.*Error:)/m.test(outcome.output))
    throw new Error(`mcconfig ${options.join(" ")} failed:\n${outcome.output.slice(-4000)}`);
  return outcome;
}
