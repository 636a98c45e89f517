// The firmware as a chip runs it, built for an emulated RISC-V processor without an operating system (hosts/simulator/counted), and that
// processor as a process: QEMU's machine virt, which counts each instruction as one.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fromHex, toHex } from "../../src/wire/bytes.js";
import { cache, chipVariables, configure, root, textOf } from "./builds.js";
import { compileFirmware, type Signatures } from "./compile.js";
import { fingerprint } from "./fingerprint.js";
import { Missing, runTool, type Sdk } from "./sdk.js";

const COMPILER = "riscv64-unknown-elf-gcc";
const EMULATOR = "qemu-system-riscv32";
const folder = join(root, "hosts/simulator/counted");
/** As ESP-IDF compiles for the ESP32-C3, whose instructions these are but for the atomic ones, by picolibc in newlib's place. */
const options = ["-march=rv32imac", "-mabi=ilp32", "-specs=picolibc.specs"];
/** Where QEMU's machine has its memory: the program stands first in it. What is read and written comes 4 MB behind. */
const places = {
  flash: "0x80000000",
  flash_size: "0x400000",
  ram: "0x80400000",
  ram_size: "0x800000",
  stack_size: "0x8000",
};
const linkOptions = [
  "--oslib=semihost",
  ...Object.entries(places).map(([name, place]) => `-Wl,--defsym=__${name}=${place}`),
];
/** The compiler with what makes it compile for the processor. */
export const processorCompiler = [COMPILER, ...options] as const;
const noBytes = new Uint8Array(0);

const HOW_TO_GET_IT =
  "Debian has them: apt-get install gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf qemu-system-misc.";

/** Throws `Missing` where this machine cannot compile for RISC-V or emulate it. */
export async function findProcessor(sdk: Sdk): Promise<void> {
  const runs = (tool: string, rest: readonly string[]): Promise<boolean> =>
    runTool(sdk, tool, rest, root).then(
      ({ status }) => status === 0,
      () => false,
    );
  if (!(await runs(COMPILER, ["--version"])))
    throw new Missing(`There is no ${COMPILER}: it compiles for RISC-V. ${HOW_TO_GET_IT}`);
  if (!(await runs(COMPILER, [...options, "-E", "-include", "semihost.h", "-x", "c", "/dev/null"])))
    throw new Missing(
      `${COMPILER} has no picolibc, the C library of RISC-V without an operating system. ${HOW_TO_GET_IT}`,
    );
  if (!(await runs(EMULATOR, ["--version"])))
    throw new Missing(`There is no ${EMULATOR}: it counts instructions. ${HOW_TO_GET_IT}`);
}

/** The folder with libsodium for these processors that SODIUM_RISCV names: `include/sodium.h` and `lib/libsodium.a`; undefined where there is none. */
export function findSodium(): string | undefined {
  const prefix = process.env.SODIUM_RISCV;
  if (prefix === undefined || prefix === "") return undefined;
  const missing = ["include/sodium.h", "lib/libsodium.a"].find((file) => !existsSync(join(prefix, file)));
  if (missing === undefined) return prefix;
  throw new Missing(
    `SODIUM_RISCV names ${prefix}, which has no ${missing}: compile libsodium with ${COMPILER} ${options.join(" ")}.`,
  );
}

/** Builds the program with signatures by the libsodium in this folder, else by noble; its path. What was built from the same sources is taken as it is. Throws with the output of the tool that failed. */
export async function buildCounted(sdk: Sdk, sodium?: string): Promise<string> {
  const signatures: Signatures = sodium === undefined ? "noble" : "libsodium";
  const library = sodium === undefined ? undefined : join(sodium, "lib/libsodium.a");
  const made_ms = library === undefined ? 0 : (await stat(library)).mtimeMs;
  const output = join(cache, "counted", signatures);
  const place = "lin/mc/release/counted";
  const program = join(output, "counted.elf");
  const print = await fingerprint(root, sdk, ["counted", ...options, signatures, `${library} ${made_ms}`]);
  const mark = join(output, "fingerprint");
  if ((await textOf(mark)) === print && existsSync(program)) return program;
  const modules = await compileFirmware(root, signatures);
  await mkdir(output, { recursive: true });
  await rm(mark, { force: true });
  // mcconfig has no platform of this kind: the manifest without its platforms, and with this host.
  const { platforms: _, ...manifest } = JSON.parse(await readFile(join(root, "manifest.json"), "utf8"));
  const counted = {
    ...manifest,
    build: { FIRMWARE: modules },
    include: [...manifest.include, join(folder, "manifest.json")],
  };
  const stated = join(cache, "counted/manifest.json");
  await writeFile(stated, JSON.stringify(counted));
  await configure(sdk, ["-p", "lin", "-t", "build", "-o", output], stated);
  const makefile = join(output, "tmp", place, "makefile");
  const compiling = {
    compiler: [COMPILER, ...options, ...(sodium === undefined ? [] : ["-I", join(sodium, "include")])],
    optimisation: "-Os",
    loop: join(folder, "counted.c"),
  } as const;
  const variables = chipVariables(sdk, await readFile(makefile, "utf8"), compiling);
  const built = join(output, "bin", place, "mc.so");
  await mkdir(dirname(built), { recursive: true });
  const linking = [`LINK_OPTIONS=${linkOptions.join(" ")}`, `LINK_LIBRARIES=-lm ${library ?? ""}`];
  const made = await runTool(sdk, "make", ["-f", makefile, "build", ...variables, ...linking], root);
  if (made.status !== 0) throw new Error(`the program for RISC-V cannot be made:\n${made.output.slice(-4000)}`);
  await rename(built, program);
  await writeFile(mark, print);
  return program;
}

/** What the processor says, a line each: what the agent publishes, logs and shows, and what an answer holds. */
export interface Saying {
  readonly word: string;
  readonly number: number;
  readonly text: string;
  readonly bytes: Uint8Array;
}

export interface Answer {
  /** how many instructions it took, but for the exchange itself */
  readonly instructions: number;
  readonly said: readonly Saying[];
}

export interface Processor {
  /** Asks for one thing, and waits until it is done. Throws where the program has ended, or does not take it. */
  ask(word: string, asked?: Partial<Omit<Saying, "word">>): Promise<Answer>;
  /** Ends it. */
  close(): Promise<void>;
}

/** Starts the program on an emulated processor. */
export function startProcessor(program: string): Processor {
  const console = ["-semihosting-config", "enable=on,target=native"];
  const machine = [
    "-M",
    "virt",
    "-bios",
    "none",
    "-icount",
    "shift=0",
    "-display",
    "none",
    "-monitor",
    "none",
    "-serial",
    "none",
  ];
  const child = spawn(EMULATOR, [...machine, ...console, "-kernel", program], { stdio: ["pipe", "pipe", "pipe"] });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  let failure = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    failure += text;
  });
  child.on("error", (thrown) => {
    failure += thrown.message;
  });
  child.stdin.on("error", () => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async ask(word, { number = 0, text = "", bytes = noBytes } = {}) {
      child.stdin.write(`${word} ${number} ${text || "-"} ${toHex(bytes) || "-"}\n`);
      const said: Saying[] = [];
      for (;;) {
        const line = await lines.next();
        if (line.done === true) throw new Error(`the processor ended at ${word}: ${failure}`);
        const saying = sayingIn(line.value);
        if (saying.word === "done") return { instructions: Number(saying.text), said };
        if (saying.word === "refused" || saying.word === "aborted") throw new Error(`${word}: ${line.value}`);
        said.push(saying);
      }
    },
    async close() {
      child.stdin.end();
      child.kill();
      await ended;
    },
  };
}

function sayingIn(line: string): Saying {
  const [word, number, text, hex] = line.split(" ");
  return { word: word!, number: Number(number), text: text!, bytes: fromHex(hex === "-" ? "" : hex!) ?? noBytes };
}
